import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { silentLogger } from "#base/kernel";
import { ManualClock } from "#testing/clock";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteStore } from "../sqlite.ts";
import type { Item, Store } from "../store.ts";
import { Remembered } from "./remembered.ts";

const item = (name: string, revision: string): Item => ({
  kind: "role",
  name,
  value: { allow: ["all"] },
  revision,
});
const write = { op: "put", kind: "role", name: "one" } as const;

describe("documents that the store remembers", () => {
  it("are those of its kinds, and what does not exist", () => {
    const remembered = new Remembered(["role"]);
    remembered.keep("role", "one", item("one", "1"), 20);
    remembered.keep("role", "none", undefined, 0);
    remembered.keep("token", "one", item("one", "1"), 20);
    assert.equal(remembered.find("role", "one")?.item?.revision, "1");
    assert.deepEqual(remembered.find("role", "none"), { item: undefined });
    assert.equal(remembered.find("role", "two"), undefined);
    assert.equal(remembered.find("token", "one"), undefined);
  });

  it("cannot be changed by those who share them", () => {
    const remembered = new Remembered(["role"]);
    remembered.keep("role", "one", item("one", "1"), 20);
    const { value } = remembered.find("role", "one")!.item!;
    assert.throws(() => (value["allow"] as string[]).push("more"), TypeError);
  });

  it("are forgotten from the beginning of a write to the end of the last one", () => {
    const remembered = new Remembered(["role"]);
    remembered.keep("role", "one", item("one", "1"), 20);
    const first = remembered.writing([write]);
    const second = remembered.writing([write, { ...write, name: "two" }]);
    assert.equal(remembered.find("role", "one"), undefined);
    first[Symbol.dispose]();
    remembered.keep("role", "one", item("one", "1"), 20);
    assert.equal(remembered.find("role", "one"), undefined, "the second write is under way");
    second[Symbol.dispose]();
    remembered.keep("role", "one", item("one", "2"), 20);
    assert.equal(remembered.find("role", "one")?.item?.revision, "2");
  });

  it("stay while a batch only checks them", () => {
    const remembered = new Remembered(["role"]);
    remembered.keep("role", "one", item("one", "1"), 20);
    using _writing = remembered.writing([{ ...write, op: "check" }]);
    assert.ok(remembered.find("role", "one"));
  });

  it("are bounded, and those in use stay", () => {
    const remembered = new Remembered(["role"]);
    for (let i = 0; i < 20_000; i++) {
      remembered.keep("role", `role-${i}`, item(`role-${i}`, "1"), 20);
      assert.ok(remembered.find("role", "role-0"), `after ${i}`);
    }
    const left = Array.from({ length: 20_000 }, (_, i) => remembered.find("role", `role-${i}`));
    assert.ok(left.filter((found) => found).length <= 4_000);
    remembered.keep("role", "large", item("large", "1"), 1_000_000);
    assert.equal(remembered.find("role", "large"), undefined);
  });
});

describe("a store that remembers", () => {
  it("never answers with less than what a commit has acknowledged, or than it has answered before", async () => {
    await using scene = await open();
    const { store } = scene;
    let acknowledged = 0;
    const stop = new AbortController();
    const reader = async (): Promise<void> => {
      for (let last = 0; !stop.signal.aborted;) {
        const before = acknowledged;
        const read = Number((await store.get("doc", "one"))?.value["n"] ?? 0);
        assert.ok(read >= before && read >= last, `${read} after ${before} and ${last}`);
        last = read;
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const readers = Array.from({ length: 4 }, reader);
    for (let n = 1; n <= 100; n++) {
      await store.commit([{ op: "put", kind: "doc", name: "one", value: { n } }]);
      acknowledged = n;
      assert.equal((await store.get("doc", "one"))?.value["n"], n);
    }
    stop.abort();
    await Promise.all(readers);
  });

  it("forgets what a refused commit would have written, and what has expired", async () => {
    await using scene = await open();
    const { store, clock } = scene;
    const expires = clock.now() + 1_000;
    await store.commit([{ op: "put", kind: "doc", name: "one", value: {}, expires }]);
    const before = await store.get("doc", "one");
    const refused = store.commit([
      { op: "update", kind: "doc", name: "one", revision: "0", value: { changed: true } },
    ]);
    await assert.rejects(refused);
    assert.deepEqual(await store.get("doc", "one"), before);
    await clock.advance(1_000);
    assert.equal(await store.get("doc", "one"), undefined);
  });
});

async function open(): Promise<AsyncDisposable & { store: Store; clock: ManualClock }> {
  const directory = await mkdtemp(join(tmpdir(), "tenon-store-"));
  const clock = new ManualClock();
  const parts = { directory, clock, logger: silentLogger, indexes: [], remember: ["doc"] };
  const store = await openSqliteStore(parts);
  return {
    store,
    clock,
    [Symbol.asyncDispose]: async () => {
      await store[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    },
  };
}
