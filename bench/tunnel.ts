import { hasCommand } from "#testing/needs";
import { haproxyChain, ourChain, type Chain, type ChainOptions } from "./tunnel-chains.ts";
import { connectOnce, dial, echoOnce, received, send, startApp } from "./tunnel-load.ts";
import type { Socket } from "node:net";
import {
  machine,
  measure,
  measureBeside,
  median,
  percentile,
  row,
  type BenchOptions,
  type BenchResult,
  type BenchRow,
} from "./support.ts";

export const name = "tunnel";

const MB = 1_000_000;
const MESSAGE = Buffer.alloc(64, "e");
const ROUND_TRIP_MS = 40;
const IDLE = 1_000;

interface Sizes {
  readonly rounds: number;
  /** Bytes of a bulk transfer, all streams together. */
  readonly bulk: number;
  readonly wan: number;
  readonly connectionsMs: number;
  readonly echoes: number;
}

const full: Sizes = {
  rounds: 3,
  bulk: 384 * MB,
  wan: 192 * MB,
  connectionsMs: 2_000,
  echoes: 3_000,
};
const quick: Sizes = {
  rounds: 1,
  bulk: 64 * MB,
  wan: 32 * MB,
  connectionsMs: 500,
  echoes: 300,
};

/** What is measured on a chain; ratios are ours over the peer's, so for times and memory small is good. */
interface Measurement {
  readonly name: string;
  readonly unit: string;
  readonly once: (chain: Chain, sizes: Sizes) => Promise<number>;
}

const measurements: readonly Measurement[] = [
  { name: "bulk_down_1", unit: "MB/s", once: (c, s) => down(c.port, 1, s.bulk) },
  { name: "bulk_down_8", unit: "MB/s", once: (c, s) => down(c.port, 8, s.bulk) },
  { name: "bulk_up_1", unit: "MB/s", once: (c, s) => up(c.port, 1, s.bulk) },
  { name: "bulk_up_8", unit: "MB/s", once: (c, s) => up(c.port, 8, s.bulk) },
  { name: "connections", unit: "/s", once: (c, s) => connections(c.port, s.connectionsMs) },
  { name: "echo_p50", unit: "us", once: (c, s) => echo(c.port, s.echoes, 0.5) },
  { name: "echo_p99", unit: "us", once: (c, s) => echo(c.port, s.echoes, 0.99) },
  { name: "wan_down_1", unit: "MB/s", once: (c, s) => down(c.farPort, 1, s.wan) },
  { name: "wan_down_8", unit: "MB/s", once: (c, s) => down(c.farPort, 8, s.wan) },
  { name: "echo_p99_beside_bulk_ms", unit: "ms", once: (c, s) => echoBesideBulk(c.port, s) },
];

export async function run(options: BenchOptions): Promise<BenchResult> {
  const sizes = options.quick ? quick : full;
  using app = await startApp();
  const chains = { app: app.port, roundTripMs: ROUND_TRIP_MS };
  if (!hasCommand("haproxy")) options.log("haproxy is not installed: the rows have no ratio");
  const rows: BenchRow[] = [];
  const done = (row: BenchRow): void => {
    rows.push(row);
    options.log(`${row.name}: ${row.value} ${row.unit}, ratio ${row.ratio ?? "unknown"}`);
  };
  await using pair = await openPair(chains);
  for (const measurement of measurements) done(await measureOne(measurement, sizes, pair));
  done(await measureIdle(chains, sizes.rounds));
  return { bench: name, machine: machine(), rows };
}

interface Pair extends AsyncDisposable {
  readonly ours: Chain;
  readonly peer: Chain | undefined;
}

async function openPair(options: ChainOptions): Promise<Pair> {
  const ours = await ourChain(options);
  const peer = await haproxyChain(options);
  return {
    ours,
    peer,
    [Symbol.asyncDispose]: async () => {
      await ours[Symbol.asyncDispose]();
      await peer?.[Symbol.asyncDispose]();
    },
  };
}

/** Each time on fresh processes: what earlier connections left behind would hide the cost. */
async function measureIdle(options: ChainOptions, rounds: number): Promise<BenchRow> {
  const values: { ours: number[]; peer: number[] } = { ours: [], peer: [] };
  for (let i = 0; i < rounds; i += 1) {
    await using pair = await openPair(options);
    values.ours.push(await idle(pair.ours));
    if (pair.peer) values.peer.push(await idle(pair.peer));
  }
  const peer = values.peer.length > 0 && { name: "haproxy", value: median(values.peer) };
  return row("idle_kb", median(values.ours), "KB", peer || undefined);
}

async function measureOne(
  { name, unit, once }: Measurement,
  sizes: Sizes,
  { ours, peer }: Pair,
): Promise<BenchRow> {
  const mine = (): Promise<number> => once(ours, sizes);
  if (!peer) return row(name, await measure(sizes.rounds, mine), unit);
  return measureBeside({
    name,
    unit,
    rounds: sizes.rounds,
    ours: mine,
    peer: { name: peer.name, once: () => once(peer, sizes) },
  });
}

const perSecond = (amount: number, start: number): number =>
  amount / ((performance.now() - start) / 1_000);

async function down(port: number, streams: number, bytes: number): Promise<number> {
  const size = Math.ceil(bytes / streams);
  const start = performance.now();
  const all = Array.from({ length: streams }, async () => {
    const socket = await dial(port, `d ${size}\n`);
    const got = await received(socket);
    if (got !== size) throw new Error(`${got} of ${size} bytes came`);
    socket.end();
  });
  await Promise.all(all);
  return perSecond(bytes / MB, start);
}

async function up(port: number, streams: number, bytes: number): Promise<number> {
  const start = performance.now();
  const all = Array.from({ length: streams }, async () => {
    const socket = await dial(port, "u\n");
    const done = received(socket);
    await send(socket, Math.ceil(bytes / streams));
    await done;
  });
  await Promise.all(all);
  return perSecond(bytes / MB, start);
}

/** Enough at once that the chain, not the waiting, is the limit. */
const DIALLERS = 32;

async function connections(port: number, ms: number): Promise<number> {
  const start = performance.now();
  let count = 0;
  const dialler = async (): Promise<void> => {
    while (performance.now() - start < ms) {
      await connectOnce(port);
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: DIALLERS }, dialler));
  return perSecond(count, start);
}

async function echoes(port: number, times: number): Promise<number[]> {
  const socket = await dial(port, "e\n");
  const took: number[] = [];
  await echoOnce(socket, MESSAGE);
  for (let i = 0; i < times; i += 1) took.push(await echoOnce(socket, MESSAGE));
  socket.end();
  return took;
}

async function echo(port: number, times: number, share: number): Promise<number> {
  return percentile(await echoes(port, times), share) * 1_000;
}

async function echoBesideBulk(port: number, sizes: Sizes): Promise<number> {
  const bulk = await Promise.all(
    Array.from({ length: 4 }, () => dial(port, `d ${Number.MAX_SAFE_INTEGER}\n`)),
  );
  for (const socket of bulk) socket.resume();
  const took = await echoes(port, sizes.echoes / 10);
  for (const socket of bulk) socket.destroy();
  return percentile(took, 0.99);
}

/** Connections that are already there when the memory is first read: they warm the processes up. */
const WARM = 100;

/** Kilobytes that each of 1,000 idle connections takes in the three processes together. */
async function idle(chain: Chain): Promise<number> {
  const sockets = await openIdle(chain.port, WARM);
  const before = await settled(chain);
  sockets.push(...(await openIdle(chain.port, IDLE)));
  const after = await settled(chain);
  for (const socket of sockets) socket.destroy();
  return (after - before) / 1_000 / IDLE;
}

async function openIdle(port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count)
    sockets.push(...(await Promise.all(Array.from({ length: 50 }, () => openOne(port)))));
  return sockets;
}

async function openOne(port: number): Promise<Socket> {
  const socket = await dial(port, "e\n");
  await echoOnce(socket, MESSAGE);
  return socket;
}

async function settled(chain: Chain): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 300));
  return chain.memory();
}
