import assert from "node:assert/strict";
import { chmod, copyFile, mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { put, refused, StoreYard } from "#testing/store-yard";

describe("a backup of the SQLite store", () => {
  let yard: StoreYard;
  before(async () => (yard = await StoreYard.make()));
  after(() => yard[Symbol.asyncDispose]());

  /** A new data directory that holds only the backup. */
  async function restored(backup: string): ReturnType<StoreYard["open"]> {
    const directory = yard.fresh();
    await mkdir(directory);
    await copyFile(backup, join(directory, "store.db"));
    return await yard.open(directory);
  }

  it("opens as a store with the same documents, indexes and position", async () => {
    await using store = await yard.open(await yard.filled());
    const file = yard.fresh();
    const { bytes } = await store.backup(file);
    assert.equal(bytes, (await stat(file)).size);
    await using copy = await restored(file);
    const query = { kind: "doc", index: "rank", limit: 1_000 };
    assert.deepEqual(await copy.list(query), await store.list(query));
    assert.equal(await copy.position(), await store.position());
    await copy.commit([put("n0"), put("new")]);
    assert.equal(await copy.count({ kind: "doc" }), 101);
    assert.equal(await store.count({ kind: "doc" }), 100);
  });

  it("is only its owner's to read, whatever the umask", async () => {
    const before = process.umask(0);
    try {
      await using store = await yard.open(await yard.filled());
      const file = yard.fresh();
      await store.backup(file);
      assert.equal((await stat(file)).mode & 0o777, 0o600);
    } finally {
      process.umask(before);
    }
  });

  it("holds whole commits, and every one from before, while others are made", async () => {
    await using store = await yard.open(await yard.filled(1_000, 10_000));
    const file = yard.fresh();
    const progress = { done: false };
    const backup = store.backup(file).finally(() => (progress.done = true));
    let pairs = 0;
    for (; !progress.done; pairs++)
      await store.commit([put(`pair-a-${pairs}`, 100), put(`pair-b-${pairs}`, 100)]);
    await backup;
    assert.ok(pairs > 1, "no commit was answered during the backup");
    await using copy = await restored(file);
    const count = async (prefix: string): Promise<number> =>
      await copy.count({ kind: "doc", index: "rank", prefix: `"${prefix}` });
    assert.equal(await count("n"), 1_000);
    assert.equal(await count("pair-a"), await count("pair-b"));
  });

  it("is finished before the store closes", async () => {
    const store = await yard.open(await yard.filled(1_000));
    const file = yard.fresh();
    const backup = store.backup(file);
    await store[Symbol.asyncDispose]();
    await backup;
    await using copy = await restored(file);
    assert.equal(await copy.count({ kind: "doc" }), 1_000);
  });

  it("never replaces a file", async () => {
    await using store = await yard.open(await yard.filled());
    const file = yard.fresh();
    await writeFile(file, "precious");
    await refused(store.backup(file), "already_exists", file);
  });

  it("needs a directory that is there", async () => {
    await using store = await yard.open(await yard.filled());
    const file = join(yard.fresh(), "backup");
    await refused(store.backup(file), "not_found", file);
  });

  it("says what is wrong with a damaged store, and leaves nothing behind", async () => {
    const directory = await yard.filled(400);
    await using store = await yard.open(directory);
    const file = yard.fresh();
    const db = join(directory, "store.db");
    const { size } = await stat(db);
    await writeFile(db, Buffer.alloc(size, 0xa5));
    await chmod(db, 0o600);
    await refused(store.backup(file), "internal", "restore a backup");
    assert.deepEqual(
      (await readdir(dirname(file))).filter((name) => name.endsWith(".tmp")),
      [],
    );
  });

  it("is refused by a store that is closed", async () => {
    const store = await yard.open(await yard.filled());
    await store[Symbol.asyncDispose]();
    await refused(store.backup(yard.fresh()), "unavailable", "closed");
  });
});
