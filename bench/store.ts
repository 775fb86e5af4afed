import { silentLogger, systemClock } from "#base/kernel";
import { openSqliteStore, type Store } from "#base/storage";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import {
  loopDelayP99,
  machine,
  measure,
  measureBeside,
  row,
  type BenchOptions,
  type BenchResult,
} from "./support.ts";

export const name = "store";

/** A document of the size of a bot instance, in a collection of this many. */
const DOCUMENTS = 10_000;
const value = { role: "access", labels: { env: "prod" }, note: "x".repeat(400) };

export async function run({ quick, log }: BenchOptions): Promise<BenchResult> {
  const rounds = quick ? 1 : 5;
  const ms = quick ? 200 : 800;
  const directory = await mkdtemp(join(tmpdir(), "tenon-bench-store-"));
  try {
    await using store = await openSqliteStore({
      directory: join(directory, "store"),
      clock: systemClock,
      logger: silentLogger,
      indexes: [
        { kind: "bot", name: "role", version: 1, key: ({ role }) => [JSON.stringify(role)] },
      ],
    });
    await fill(store);
    using plain = openPlain(join(directory, "plain.db"));
    const peer = { name: "one SQLite transaction each", once: () => plain.rate(ms) };
    const rows = [];
    for (const inFlight of [1, 16, 64]) {
      log(`${inFlight} commits in flight`);
      const ours = (): Promise<number> => commitRate(store, inFlight, ms);
      rows.push(
        await measureBeside({ name: `commits_${inFlight}`, unit: "/s", rounds, ours, peer }),
      );
    }
    log("event loop and reads");
    const delay = (): Promise<number> => loopDelayP99(() => commitRate(store, 64, ms));
    rows.push(row("loop_delay_p99_ms", await measure(rounds, delay), "ms"));
    rows.push(row("get_us", await measure(rounds, () => getUs(store)), "us"));
    rows.push(row("list_100_us", await measure(rounds, () => listUs(store)), "us"));
    return { bench: name, machine: machine(), rows };
  } finally {
    await rm(directory, { recursive: true });
  }
}

const documentName = (i: number): string => `bot-${i % DOCUMENTS}`;

async function fill(store: Store): Promise<void> {
  for (let i = 0; i < DOCUMENTS; i += 500) {
    const batch = Array.from({ length: 500 }, (_, k) => documentName(i + k));
    await store.commit(batch.map((name) => ({ op: "put", kind: "bot", name, value })));
  }
}

/** Durable commits per second, each of one document, by so many callers that wait for their answers. */
async function commitRate(store: Store, inFlight: number, ms: number): Promise<number> {
  const start = performance.now();
  let done = 0;
  const caller = async (id: number): Promise<void> => {
    for (let i = id; performance.now() - start < ms; i += inFlight) {
      await store.commit([{ op: "put", kind: "bot", name: documentName(i * 7), value }]);
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, (_, id) => caller(id)));
  return (done * 1_000) / (performance.now() - start);
}

async function getUs(store: Store): Promise<number> {
  const times = 5_000;
  const start = performance.now();
  for (let i = 0; i < times; i++) await store.get("bot", documentName(i * 7));
  return ((performance.now() - start) * 1_000) / times;
}

async function listUs(store: Store): Promise<number> {
  const times = 200;
  const start = performance.now();
  for (let i = 0; i < times; i++) await store.list({ kind: "bot", index: "role", limit: 100 });
  return ((performance.now() - start) * 1_000) / times;
}

/** What the disk and SQLite alone can do, one durable transaction after the other on one thread. */
function openPlain(file: string): Disposable & { rate(ms: number): number } {
  const db = new DatabaseSync(file);
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  db.exec("CREATE TABLE t (name TEXT PRIMARY KEY, value TEXT)");
  const put = db.prepare("INSERT INTO t VALUES (?, ?) ON CONFLICT DO UPDATE SET value = ?2");
  // A write of the same bytes would be none.
  const json = (i: number): string => JSON.stringify({ ...value, i });
  let count = 0;
  return {
    rate: (ms) => {
      const start = performance.now();
      let done = 0;
      for (; performance.now() - start < ms; done++, count++) {
        put.run(documentName(done * 7), json(count));
      }
      return (done * 1_000) / (performance.now() - start);
    },
    [Symbol.dispose]: () => db.close(),
  };
}
