// Full ceremonies against the real server process: how many a core of it makes in a second.
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { Course, kinds, type KindName } from "./join-course.ts";
import { Floor } from "./join-floor.ts";
import { Stage } from "./join-stage.ts";
import {
  machine,
  median,
  percentile,
  row,
  type BenchOptions,
  type BenchResult,
  type BenchRow,
} from "./support.ts";

export const name = "join";

interface Sizes {
  readonly rounds: number;
  /** Ceremonies of each kind in a round. */
  readonly each: number;
  /** Machines that take turns: far more than the server remembers of. */
  readonly machines: number;
  readonly halfLoadMs: number;
}

const full: Sizes = { rounds: 4, each: 250, machines: 3_000, halfLoadMs: 6_000 };
const quick: Sizes = { rounds: 1, each: 100, machines: 300, halfLoadMs: 2_000 };

/** Tokens in the store, and instances. */
const SMALL = 1_000;
const LARGE = 1_000_000;

export async function run({ quick: isQuick, log }: BenchOptions): Promise<BenchResult> {
  log("building the bundle of the server");
  const built = spawnSync(process.execPath, ["scripts/build.ts"], { encoding: "utf8" });
  if (built.status !== 0) throw new Error(built.stderr);
  const sizes = isQuick ? quick : full;
  const rows = await rowsOf({ tokens: SMALL, suffix: "", sizes, log });
  if (!isQuick) rows.push(...(await rowsOf({ tokens: LARGE, suffix: "_1m", sizes, log })));
  return { bench: name, machine: machine(), rows };
}

interface Setting {
  readonly tokens: number;
  readonly suffix: string;
  readonly sizes: Sizes;
  readonly log: BenchOptions["log"];
}

async function rowsOf({ tokens, suffix, sizes, log }: Setting): Promise<BenchRow[]> {
  log(`filling a store with ${tokens} tokens and instances`);
  const { rounds, each, machines } = sizes;
  const population = {
    size: tokens,
    joined: Math.min(machines, tokens),
    fresh: each * (rounds + 1),
  };
  const command = [process.execPath, resolve("dist/tenon.js")];
  await using stage = await Stage.open({ population, command });
  log(`the server started in ${Math.round(stage.startMs)} ms`);
  using floor = await Floor.open(stage.pair);
  const course = new Course(stage);
  await course.warm();
  const figures = new Figures();
  for (let round = 0; round <= rounds; round++) {
    log(`round ${round} of ${rounds}`);
    // The first one does not count.
    await oneRound({ course, floor, each }, round === 0 ? new Figures() : figures);
  }
  log("half the load");
  const perSecond = 1e6 / figures.us("refresh") / 2;
  const latencies = await course.openLoop(perSecond, sizes.halfLoadMs);
  const rows = [...rateRows(figures), ...splitRows(figures), ...latencyRows(latencies, perSecond)];
  const { resident, peak } = stage.memory;
  rows.push(
    row("rss_mib", resident, "MiB", undefined, `at the end; ${Math.round(peak)} at most`),
    row("start_ms", stage.startMs, "ms", undefined, "from the process to its first answer"),
  );
  return rows.map((each) => ({ ...each, name: `${each.name}${suffix}` }));
}

/** Microseconds of the server by what they were for, round by round. */
class Figures {
  readonly #values = new Map<string, number[]>();

  add(what: string, us: number): void {
    this.#values.set(what, [...(this.#values.get(what) ?? []), us]);
  }

  us(what: string): number {
    return median(this.#values.get(what) ?? []);
  }
}

/** Ours and the floor in turns, so that a busy moment of the machine strikes both. */
async function oneRound(
  { course, floor, each }: { course: Course; floor: Floor; each: number },
  figures: Figures,
): Promise<void> {
  for (const kind of kinds) {
    const cost = await course.measure(kind, each);
    figures.add(kind, cost.total);
    figures.add(`${kind} commit`, cost.store);
  }
  figures.add("ping", await course.pings(each));
  figures.add("handshake", await floor.handshake(course.some(each)));
  figures.add("resumed", await floor.resumed(course.some(each)));
  figures.add("crypto", floor.crypto());
}

const floors: Readonly<Record<KindName, { readonly name: string; readonly of: string[] }>> = {
  first_join: { name: "handshake + signatures", of: ["handshake", "crypto"] },
  refresh: { name: "handshake + signatures", of: ["handshake", "crypto"] },
  refresh_resumed: { name: "resumed handshake + signatures", of: ["resumed", "crypto"] },
  refresh_kept: { name: "signatures", of: ["crypto"] },
  recovery: { name: "handshake + signatures", of: ["handshake", "crypto"] },
};

function rateRows(figures: Figures): BenchRow[] {
  const rate = (us: number): number => 1e6 / us;
  const ours = kinds.map((kind) => {
    const { name: peer, of } = floors[kind];
    const floor = of.reduce((sum, what) => sum + figures.us(what), 0);
    return row(kind, rate(figures.us(kind)), "/s", { name: peer, value: rate(floor) });
  });
  return [
    ...ours,
    row("floor_handshake", rate(figures.us("handshake")), "/s", undefined, "a bare TLS server"),
    row("floor_resumed", rate(figures.us("resumed")), "/s", undefined, "a bare TLS server"),
    row(
      "floor_signatures",
      rate(figures.us("crypto")),
      "/s",
      undefined,
      "3 signatures, 1 verification",
    ),
  ];
}

/** Where the time of one refresh over a new connection goes. */
function splitRows(figures: Figures): BenchRow[] {
  const kept = figures.us("refresh_kept");
  const [rpc, crypto, commit] = [
    figures.us("ping"),
    figures.us("crypto"),
    figures.us("refresh_kept commit"),
  ];
  return [
    row("cpu_tls_us", figures.us("refresh") - kept, "us", undefined, "refresh less refresh_kept"),
    row("cpu_rpc_us", rpc, "us", undefined, "an empty call on a kept connection"),
    row("cpu_crypto_us", crypto, "us", undefined, "the signatures alone"),
    row("cpu_commit_us", commit, "us", undefined, "the thread that writes, by its own clock"),
    row(
      "cpu_rest_us",
      kept - rpc - crypto - commit,
      "us",
      undefined,
      "refresh_kept less the three: reading, deciding, messages, garbage",
    ),
  ];
}

function latencyRows(latencies: readonly number[], perSecond: number): BenchRow[] {
  const note = `${Math.round(perSecond)} refreshes a second, client and server on one machine`;
  return [
    row("p50_ms_half_load", percentile(latencies, 0.5), "ms", undefined, note),
    row("p99_ms_half_load", percentile(latencies, 0.99), "ms", undefined, note),
  ];
}
