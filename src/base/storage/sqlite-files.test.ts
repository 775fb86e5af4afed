import assert from "node:assert/strict";
import { open as openFile, readdir, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import { put, refused, StoreYard } from "#testing/store-yard";
import { migrate, migrations } from "./sqlite/schema.ts";

describe("the SQLite store's files", () => {
  let yard: StoreYard;
  before(async () => (yard = await StoreYard.make()));
  after(() => yard[Symbol.asyncDispose]());

  it("keeps its files to its owner, whatever the umask", async () => {
    const directory = yard.fresh();
    await using store = await yard.open(directory);
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
    const directory = await yard.filled();
    assert.deepEqual((await readdir(directory)).toSorted(), ["store.db", "store.lock"]);
  });

  it("refuses a second store on one directory within a process, and frees it when closed", async () => {
    const directory = yard.fresh();
    const first = await yard.open(directory);
    await first.commit([put("a")]);
    await refused(yard.open(directory), "already_exists", directory, `pid ${process.pid}`);
    await first.commit([put("b")]);
    await refused(yard.open(directory), "already_exists", directory);
    await first[Symbol.asyncDispose]();
    await using second = await yard.open(directory);
    assert.equal(await second.count({ kind: "doc" }), 2);
  });

  it("frees the directory after an opening that failed", async () => {
    const directory = await yard.filled();
    const workerUrl = new URL("./no-such-worker.ts", import.meta.url);
    await refused(yard.open(directory, { workerUrl }), "internal", "no-such-worker");
    await using store = await yard.open(directory);
    assert.equal(await store.count({ kind: "doc" }), 100);
  });

  it("refuses a directory that is a file", async () => {
    const path = yard.fresh();
    await writeFile(path, "");
    await refused(yard.open(path), "bad_parameter", path);
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
        const directory = await yard.filled();
        const file = join(directory, "store.db");
        await damage(file);
        await refused(openAndRead(directory), "internal", file, "restore a backup");
      });
    }

    it("whose documents are broken says so when they are read", async () => {
      const directory = await yard.filled(400);
      const file = join(directory, "store.db");
      const { size } = await stat(file);
      await overwrite(file, 12 * 4_096, size - 12 * 4_096);
      await refused(openAndRead(directory), "internal", "damaged", "restore a backup");
    });

    async function openAndRead(directory: string): Promise<void> {
      await using store = await yard.open(directory);
      await store.list({ kind: "doc", limit: 1_000 });
    }
  });

  describe("a file of another version", () => {
    it("from the future is refused, and left as it was", async () => {
      const directory = await yard.filled();
      const file = join(directory, "store.db");
      setVersion(file, migrations.length + 1);
      await refused(yard.open(directory), "unavailable", file, `version ${migrations.length + 1}`);
      setVersion(file, migrations.length);
      await using store = await yard.open(directory);
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
});

async function overwrite(file: string, from: number, length: number): Promise<void> {
  await using handle = await openFile(file, "r+");
  await handle.write(Buffer.alloc(length, 0xa5), 0, length, from);
}

function setVersion(file: string, version: number): void {
  using db = new DatabaseSync(file);
  db.exec(`PRAGMA user_version = ${version}`);
}
