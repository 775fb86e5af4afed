// A cluster and its machines are killed at random, each for itself, while the machines join without
// pause: nothing that was acknowledged is lost, nothing is counted twice, and nobody is locked.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { sleep, systemClock } from "#base/kernel";
import { Running, Yard } from "#testing/processes";
import { RealCluster } from "#testing/real-cluster";
import { seeded } from "#testing/seeded";
import { until } from "#testing/wait";
import {
  documentsFor,
  type Acknowledged,
  type Failed,
  type WorkerOptions,
} from "./joins-killed/load.ts";
import { prove } from "./joins-killed/proof.ts";

/** A longer run: `TENON_KILL_JOINS=5000 node --test tests/e2e/joins-killed.test.ts`. */
const JOINS = Number(process.env["TENON_KILL_JOINS"] ?? 200);
const SEED = Number(process.env["TENON_SEED"] ?? Date.now() & 0x7fffffff);
const MACHINES = 8;
/** Joins that are acknowledged between two kills, at most, and milliseconds to strike off beat. */
const BETWEEN = { cluster: 120, worker: 60, ms: 25 };
/** Without any join: then something hangs. */
const STUCK_MS = 120_000;
/** What nobody is told while a cluster is merely away. */
const REFUSALS = new Set(["access_denied", "bad_parameter", "unauthenticated", "internal"]);

/** The process with the machines, and what all of its lives have told. */
class Worker implements AsyncDisposable {
  readonly #options: WorkerOptions;
  readonly acknowledged: Acknowledged[] = [];
  readonly failed: Failed[] = [];
  #lives = 0;
  #running: Running | undefined;
  #read = 0;

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  start(): void {
    const script = fileURLToPath(import.meta.resolve("./joins-killed/worker.ts"));
    const options = { ...this.#options, seed: this.#options.seed + 1_000 * this.#lives++ };
    const command = [process.execPath, script, JSON.stringify(options)];
    this.#running = new Running("the machines", command, {});
    this.#read = 0;
  }

  async kill(): Promise<void> {
    await this.#running!.stop("SIGKILL");
    this.read();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#running?.alive) await this.#running.stop("SIGKILL");
  }

  /** Takes in the lines that are whole. Throws for a refusal: an honest machine is never refused. */
  read(): void {
    const { printed } = this.#running!;
    const end = printed.lastIndexOf("\n") + 1;
    const lines = printed.slice(this.#read, end).split("\n").slice(0, -1);
    this.#read = end;
    for (const line of lines) {
      const told = JSON.parse(line) as Acknowledged | Failed;
      if ("attempt" in told) this.acknowledged.push(told);
      else this.failed.push(told);
      if ("code" in told && REFUSALS.has(told.code))
        throw new Error(`an honest machine was refused: ${line}`);
    }
  }
}

test("joins that are killed at random on both sides", async (context) => {
  context.diagnostic(`TENON_SEED=${SEED} TENON_KILL_JOINS=${JOINS}`);
  await using yard = await Yard.open();
  const cluster = await RealCluster.start(yard);
  const file = yard.path("documents.yaml");
  await writeFile(file, documentsFor(MACHINES));
  await cluster.tctl("create", "-f", file);
  const { ca_pins: pins } = await cluster.tctlJson<{ ca_pins: string[] }>("status");
  const { port } = cluster;
  const directory = join(yard.directory, "machines");
  await using worker = new Worker({
    directory,
    port,
    caPin: pins[0]!,
    seed: SEED,
    machines: MACHINES,
  });
  worker.start();
  const kills = { cluster: 0, worker: 0 };
  const random = seeded(SEED);
  const atRandom = async (who: keyof typeof kills, kill: () => Promise<void>): Promise<void> => {
    while (worker.acknowledged.length < JOINS) {
      await joined(worker, Math.ceil(random() * BETWEEN[who]));
      await sleep(systemClock, random() * BETWEEN.ms);
      await kill();
      kills[who]++;
    }
  };
  await Promise.all([
    atRandom("cluster", async () => {
      await cluster.stop("SIGKILL");
      await cluster.startAgain();
    }),
    atRandom("worker", async () => {
      await worker.kill();
      worker.start();
    }),
  ]);
  await joinedOnceMore(worker);
  await worker.kill();
  await cluster.stop();
  const proof = await prove(cluster.dataDir, worker.acknowledged);
  const told = { acknowledged: worker.acknowledged.length, failed: worker.failed.length };
  context.diagnostic(JSON.stringify({ kills, ...told, ...proof }));
});

/** So many more joins were acknowledged. */
async function joined(worker: Worker, more: number): Promise<void> {
  const goal = worker.acknowledged.length + more;
  await until(
    `${goal} joins were acknowledged`,
    () => {
      worker.read();
      return worker.acknowledged.length >= goal;
    },
    STUCK_MS,
  );
}

/** In peace, every machine comes back. */
async function joinedOnceMore(worker: Worker): Promise<void> {
  const from = worker.acknowledged.length;
  await until(
    "every machine has joined once more",
    () => {
      worker.read();
      return (
        new Set(worker.acknowledged.slice(from).map(({ machine }) => machine)).size === MACHINES
      );
    },
    STUCK_MS,
  );
}
