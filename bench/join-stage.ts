// The real server of bench/join.ts, on a store that was filled before it started.
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger, systemClock } from "#base/kernel";
import { openAuthorities, openStore } from "../src/programs/tenon/bootstrap.ts";
import { gather } from "./join-crowd.ts";
import { cpuSince, cpuTime, memoryOf } from "./join-cpu.ts";
import { hostPair, type HostPair } from "./join-floor.ts";
import type { Endpoint } from "./join-line.ts";
import { CLUSTER, dataIn, startServer } from "./server.ts";
import { populate, strideOf, TEMPLATE, type Machines, type Population } from "./join-machines.ts";

export interface StageOptions {
  readonly population: Population;
  /** The server's command, up to its own words. */
  readonly command: readonly string[];
}

export class Stage implements AsyncDisposable {
  readonly machines: Machines;
  readonly pair: HostPair;
  readonly endpoint: Endpoint;
  /** From the start of the process to its first answer. */
  readonly startMs: number;
  readonly #directory: string;
  readonly #server: ChildProcess;

  private constructor(
    filled: Filled,
    running: { server: ChildProcess; port: number; startMs: number },
  ) {
    this.machines = filled.machines;
    this.pair = filled.pair;
    this.#directory = filled.directory;
    this.#server = running.server;
    this.startMs = running.startMs;
    this.endpoint = { port: running.port, serverName: filled.pair.serverName };
  }

  static async open({ population, command }: StageOptions): Promise<Stage> {
    const directory = await mkdtemp(join(tmpdir(), "tenon-bench-join-"));
    try {
      const filled = await fill(directory, population);
      return new Stage(filled, await startServer(directory, command));
    } catch (error) {
      await rm(directory, { recursive: true });
      throw error;
    }
  }

  get pid(): number {
    return this.#server.pid!;
  }

  get memory(): ReturnType<typeof memoryOf> {
    return memoryOf(this.pid);
  }

  /** Server microseconds for each of `count`, in all and of the thread that writes the store. */
  async cost(count: number, work: () => Promise<unknown>): Promise<Cost> {
    const before = cpuTime(this.pid);
    await work();
    const { total, store } = cpuSince(this.pid, before);
    return { total: total / count, store: store / count };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#server, "exit");
    this.#server.kill("SIGTERM");
    await ended;
    await rm(this.#directory, { recursive: true });
  }
}

export interface Cost {
  readonly total: number;
  readonly store: number;
}

interface Filled {
  readonly directory: string;
  readonly machines: Machines;
  readonly pair: HostPair;
}

async function fill(directory: string, population: Population): Promise<Filled> {
  const filled = await write(directory, population);
  const file = join(dataIn(directory), "store", "store.db");
  gather(file, { size: population.size, stride: strideOf(population), template: TEMPLATE });
  return filled;
}

async function write(directory: string, population: Population): Promise<Filled> {
  const parts = { dataDir: dataIn(directory), clock: systemClock, logger: silentLogger };
  await using store = await openStore(parts);
  const { authorities } = await openAuthorities({
    ...parts,
    store,
    name: CLUSTER,
    defaultName: CLUSTER,
  });
  const machines = await populate(store, authorities, population);
  return { directory, machines, pair: hostPair(authorities) };
}
