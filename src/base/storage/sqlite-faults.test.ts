import assert from "node:assert/strict";
import {
  mkdtemp,
  open as openFile,
  readdir,
  rm,
  stat,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import { codeOf, messageOf, silentLogger, systemClock, type ErrorCode } from "#base/kernel";
import { openSqliteStore, type SqliteStoreOptions } from "./sqlite.ts";
import { migrate, migrations } from "./sqlite/schema.ts";
import type { IndexDefinition, Store, Write } from "./store.ts";

const indexes: readonly IndexDefinition[] = [
  { kind: "doc", name: "rank", version: 1, key: ({ rank }) => [JSON.stringify(rank)] },
];

const put = (name: string, size = 10): Write => ({
  op: "put",
  kind: "doc",
  name,
  value: { rank: name, text: "x".repeat(size) },
});

describe("the SQLite store's files and failures", () => {
  let parent: string;
  let count = 0;
  before(async () => {
    parent = await mkdtemp(join(tmpdir(), "tenon-store-"));
  });
  after(() => rm(parent, { recursive: true }));

  const fresh = (): string => join(parent, `store-${count++}`);
  const open = (directory: string, options: Partial<SqliteStoreOptions> = {}): Promise<Store> =>
    openSqliteStore({ directory, clock: systemClock, logger: silentLogger, indexes, ...options });

  /** A closed store with some documents. */
  async function filled(documents = 100, size = 500): Promise<string> {
    const directory = fresh();
    await using store = await open(directory);
    await store.commit(Array.from({ length: documents }, (_, i) => put(`n${i}`, size)));
    return directory;
  }

  it("keeps its files to its owner, whatever the umask", async () => {
    const directory = fresh();
    await using store = await open(directory);
    await store.commit([put("a")]);
    assert.equal((await stat(directory)).mode & 0o777, 0o700);
    const files = await readdir(directory);
    assert.deepEqual(files.toSorted(), [
      "store.db",
      "store.db-shm",
      "store.db-wal",
      "store.lock",
      "store.pid",
    ]);
    for (const file of files) {
      assert.equal((await stat(join(directory, file))).mode & 0o077, 0, file);
    }
  });

  it("folds its log into the file when it closes", async () => {
    const directory = await filled();
    assert.deepEqual((await readdir(directory)).toSorted(), ["store.db", "store.lock"]);
  });

  it("refuses a second store on one directory within a process, and frees it when closed", async () => {
    const directory = fresh();
    const first = await open(directory);
    await first.commit([put("a")]);
    await refused(open(directory), "already_exists", directory, `pid ${process.pid}`);
    await first.commit([put("b")]);
    await refused(open(directory), "already_exists", directory);
    await first[Symbol.asyncDispose]();
    await using second = await open(directory);
    assert.equal(await second.count({ kind: "doc" }), 2);
  });

  it("frees the directory after an opening that failed", async () => {
    const directory = await filled();
    const workerUrl = new URL("./no-such-worker.ts", import.meta.url);
    await refused(open(directory, { workerUrl }), "internal", "no-such-worker");
    await using store = await open(directory);
    assert.equal(await store.count({ kind: "doc" }), 100);
  });

  describe("a full disk", () => {
    it("refuses what does not fit, keeps all before it, and takes more once there is room", async () => {
      const directory = fresh();
      const maxBytes = 1024 * 1024;
      await using store = await open(directory, { maxBytes, feedLength: 10 });
      const kept: string[] = [];
      const failure = await (async () => {
        for (let i = 0; ; i++) {
          const names = [`n${i}-a`, `n${i}-b`];
          try {
            await store.commit(names.map((name) => put(name, 20_000)));
            kept.push(...names);
          } catch (error) {
            return error;
          }
        }
      })();
      assert.equal(codeOf(failure), "unavailable");
      assert.match(messageOf(failure), /full; make room/);
      assert.ok(kept.length > 20);
      assert.equal(await store.count({ kind: "doc" }), kept.length);
      assert.equal(await store.count({ kind: "doc", index: "rank" }), kept.length);
      for (const name of kept.slice(0, 10))
        await store.commit([{ op: "delete", kind: "doc", name }]);
      await store.commit([put("after", 20_000)]);
      assert.equal((await store.get("doc", "after"))?.value["rank"], "after");
    });

    it("fails the commits that share a flush, and no later one", async () => {
      await using store = await open(fresh(), { maxBytes: 512 * 1024 });
      const outcomes = await Promise.allSettled([
        store.commit([put("small")]),
        store.commit([put("huge", 900_000)]),
      ]);
      for (const outcome of outcomes) assert.equal(outcome.status, "rejected");
      assert.equal(await store.position(), 0);
      const { position } = await store.commit([put("small")]);
      assert.equal(position, 1);
      const feed = store.watch({ after: 0, signal: new AbortController().signal });
      for await (const change of feed) {
        assert.equal(change.name, "small");
        break;
      }
    });
  });

  describe("a damaged file", () => {
    const damages: readonly (readonly [string, (file: string) => Promise<void>])[] = [
      ["of other content", (file) => writeFile(file, "this is no database".repeat(400))],
      ["with a broken header", (file) => overwrite(file, 0, 64)],
      ["with a broken schema", (file) => overwrite(file, 100, 4_096)],
      ["cut in the middle", (file) => truncate(file, 3 * 4_096)],
    ];
    for (const [name, damage] of damages) {
      it(`${name} is refused, and named`, async () => {
        const directory = await filled();
        const file = join(directory, "store.db");
        await damage(file);
        await refused(openAndRead(directory), "internal", file, "restore a backup");
      });
    }

    it("whose documents are broken says so when they are read", async () => {
      const directory = await filled(400);
      const file = join(directory, "store.db");
      const { size } = await stat(file);
      await overwrite(file, 12 * 4_096, size - 12 * 4_096);
      await refused(openAndRead(directory), "internal", file, "restore a backup");
    });

    async function openAndRead(directory: string): Promise<void> {
      await using store = await open(directory);
      await store.list({ kind: "doc", limit: 1_000 });
    }
  });

  describe("a file of another version", () => {
    it("from the future is refused, and left as it was", async () => {
      const directory = await filled();
      const file = join(directory, "store.db");
      setVersion(file, migrations.length + 1);
      await refused(open(directory), "unavailable", file, `version ${migrations.length + 1}`);
      setVersion(file, migrations.length);
      await using store = await open(directory);
      assert.equal(await store.count({ kind: "doc" }), 100);
    });

    it("from the past is brought forward, step by step, from each version", () => {
      const steps = [
        "CREATE TABLE t (a); INSERT INTO t VALUES (1)",
        "ALTER TABLE t ADD COLUMN b; UPDATE t SET b = a + 1",
        "CREATE TABLE u AS SELECT b AS c FROM t",
      ];
      for (let version = 0; version <= steps.length; version++) {
        using db = new DatabaseSync(":memory:");
        migrate(db, steps.slice(0, version));
        migrate(db, steps);
        migrate(db, steps);
        assert.deepEqual({ ...db.prepare("SELECT a, b, c FROM t, u").get() }, { a: 1, b: 2, c: 2 });
      }
    });

    it("stays at its version when a step fails", () => {
      using db = new DatabaseSync(":memory:");
      migrate(db, ["CREATE TABLE t (a)"]);
      assert.throws(() => migrate(db, ["", "CREATE TABLE u (a)", "nonsense"]), /nonsense/);
      assert.equal(db.prepare("PRAGMA user_version").get()?.["user_version"], 1);
      assert.equal(db.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.["n"], 1);
    });
  });

  it("refuses a directory that is a file", async () => {
    const path = fresh();
    await writeFile(path, "");
    await refused(open(path), "bad_parameter", path);
  });

  it("refuses commits beyond what may wait for the disk, and answers those before", async () => {
    await using store = await open(fresh());
    const outcomes = await Promise.allSettled(
      Array.from({ length: 100 }, (_, i) => store.commit([put(`n${i}`, 1_000_000)])),
    );
    const refusals = outcomes.filter((outcome) => outcome.status === "rejected");
    assert.ok(refusals.length > 30 && refusals.length < 60, String(refusals.length));
    for (const { reason } of refusals) {
      assert.equal(codeOf(reason), "unavailable");
      assert.match(messageOf(reason), /already wait/);
    }
    assert.equal(await store.count({ kind: "doc" }), 100 - refusals.length);
    await store.commit([put("after")]);
  });

  it("lets the loop turn while one caller reads without end", async () => {
    await using store = await open(fresh());
    await store.commit(Array.from({ length: 500 }, (_, i) => put(`n${i}`)));
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 1);
    for (let i = 0; i < 50; i++) await store.list({ kind: "doc", limit: 500 });
    for (let i = 0; i < 5_000; i++) await store.get("doc", "n1");
    clearInterval(timer);
    assert.ok(turns >= 10, `${turns} turns`);
  });

  it("cuts a page of large documents by their size, and loses none", async () => {
    await using store = await open(fresh());
    for (let i = 0; i < 12; i++) await store.commit([put(`n${String(i).padStart(2, "0")}`, 1e6)]);
    const first = await store.list({ kind: "doc", limit: 100 });
    assert.ok(first.next && first.items.length < 12);
    const rest = await store.list({ kind: "doc", limit: 100, after: first.next });
    assert.equal(first.items.length + rest.items.length, 12);
    const names = [];
    for await (const { name } of store.watch({ after: 0, signal: new AbortController().signal })) {
      if (names.push(name) === 12) break;
    }
    assert.equal(new Set(names).size, 12);
  });
});

async function refused(
  work: Promise<unknown>,
  code: ErrorCode,
  ...words: readonly string[]
): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.equal(codeOf(error), code, messageOf(error));
    for (const word of words) assert.ok(messageOf(error).includes(word), messageOf(error));
    return true;
  });
}

async function overwrite(file: string, from: number, length: number): Promise<void> {
  await using handle = await openFile(file, "r+");
  await handle.write(Buffer.alloc(length, 0xa5), 0, length, from);
}

function setVersion(file: string, version: number): void {
  using db = new DatabaseSync(file);
  db.exec(`PRAGMA user_version = ${version}`);
}
