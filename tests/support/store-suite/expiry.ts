import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { until } from "#testing/wait";
import {
  check,
  namesOf,
  open,
  refused,
  remove,
  revisionOf,
  take,
  update,
  write,
  type StoreKind,
} from "./harness.ts";

export function testExpiry(kind: StoreKind): void {
  describe("an expired item", () => {
    it("is invisible to every read from its millisecond on", async () => {
      await using bench = await open(kind);
      const at = bench.clock.now() + 1_000;
      await bench.store.commit([
        write("put", "a", { tags: ["t"] }, at),
        write("put", "b", { tags: ["t"] }),
      ]);
      bench.clock.jump(999);
      assert.ok(await bench.store.get("doc", "a"));
      assert.equal(await bench.store.count({ kind: "doc" }), 2);
      bench.clock.jump(1);
      assert.equal(await bench.store.get("doc", "a"), undefined);
      assert.deepEqual(namesOf((await bench.store.list({ kind: "doc" })).items), ["b"]);
      const byTag = await bench.store.list({ kind: "doc", index: "tag" });
      assert.deepEqual(namesOf(byTag.items), ["b"]);
      assert.equal(await bench.store.count({ kind: "doc" }), 1);
      for (const each of ["item", "key"] as const)
        assert.equal(await bench.store.count({ kind: "doc", index: "tag", prefix: "t", each }), 1);
    });

    it("is absent for every condition, and can be created anew", async () => {
      await using bench = await open(kind);
      await bench.store.commit([write("put", "a", { n: 1, tags: ["old"] }, bench.clock.now() + 5)]);
      const read = await revisionOf(bench.store, "a");
      bench.clock.jump(5);
      await refused(bench.store.commit([update("a", read)]), "compare_failed");
      await refused(bench.store.commit([check("a", read)]), "compare_failed");
      await refused(bench.store.commit([remove("a")]), "not_found");
      await bench.store.commit([check("a", null), write("create", "a", { n: 2 })]);
      const item = await bench.store.get("doc", "a");
      assert.deepEqual(item?.value, { n: 2 });
      assert.notEqual(item?.revision, read);
      assert.equal(await bench.store.count({ kind: "doc", index: "tag" }), 0);
    });

    it("reaches the feed as a delete soon after, each once, at new positions", async () => {
      await using bench = await open(kind);
      const now = bench.clock.now();
      const feed = take(
        bench.store.watch({ kinds: ["doc"], signal: new AbortController().signal }),
        6,
      );
      await bench.store.commit([
        write("put", "late", {}, now + 60_000),
        write("put", "soon", {}, now + 1_000),
        write("put", "never"),
      ]);
      await bench.store.commit([write("put", "sooner", {}, now + 500)]);
      await bench.clock.advance(2_000);
      await until("two are swept", async () => {
        await bench.clock.advance(100);
        return (await bench.store.position()) === 6;
      });
      await bench.clock.advance(60_000);
      const deletes = (await feed).filter(({ op }) => op === "delete");
      assert.deepEqual(namesOf(deletes), ["sooner", "soon"]);
      await until("the last is swept", async () => (await bench.store.position()) === 7);
    });

    it("is swept within a minute when the clock is set forward", async () => {
      await using bench = await open(kind);
      await bench.store.commit([write("put", "a", {}, bench.clock.now() + 3_600_000)]);
      bench.clock.jump(3_600_000);
      await bench.clock.advance(60_000);
      await until("it is swept", async () => (await bench.store.position()) === 2);
    });

    it("is not swept when it was written anew with a later expiry", async () => {
      await using bench = await open(kind);
      const now = bench.clock.now();
      await bench.store.commit([
        write("put", "a", {}, now + 1_000),
        write("put", "b", {}, now + 1_000),
      ]);
      await bench.store.commit([write("put", "a", {}, now + 9_000)]);
      await bench.clock.advance(1_500);
      await until("b is swept", async () => (await bench.store.position()) === 4);
      assert.ok(await bench.store.get("doc", "a"));
    });

    it("of very many leaves no other behind", async () => {
      await using bench = await open(kind);
      const expires = bench.clock.now() + 1_000;
      for (let i = 0; i < 3; i++) {
        const names = Array.from({ length: 600 }, (_, k) => `n${i}-${k}`);
        await bench.store.commit(names.map((name) => write("put", name, {}, expires)));
      }
      await bench.clock.advance(1_000);
      await until("all are swept", async () => (await bench.store.position()) === 3_600);
    });

    it("leaves no timer behind when nothing expires or the store closes", async () => {
      const bench = await open(kind);
      await bench.store.commit([write("put", "a")]);
      assert.equal(bench.clock.pending, 0);
      await bench.store.commit([write("put", "b", {}, bench.clock.now() + 1_000)]);
      assert.equal(bench.clock.pending, 1);
      await bench[Symbol.asyncDispose]();
      assert.equal(bench.clock.pending, 0);
    });
  });
}
