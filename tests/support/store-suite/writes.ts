import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  check,
  open,
  refused,
  remove,
  revisionOf,
  update,
  write,
  type StoreKind,
} from "./harness.ts";

export function testWrites(kind: StoreKind): void {
  describe("conditional writes", () => {
    it("gives back what was written, apart from later changes by the writer", async () => {
      await using bench = await open(kind);
      const value = { text: "a\u0000ü😀", list: [1, null, true], nested: { absent: undefined } };
      const committed = await bench.store.commit([write("create", "a", value)]);
      value.text = "changed";
      const item = await bench.store.get("doc", "a");
      assert.deepEqual(item, {
        kind: "doc",
        name: "a",
        value: { text: "a\u0000ü😀", list: [1, null, true], nested: {} },
        revision: committed.revisions[0],
      });
    });

    it("finds nothing under another kind or name", async () => {
      await using bench = await open(kind);
      await bench.store.commit([write("put", "a")]);
      assert.equal(await bench.store.get("doc", "A"), undefined);
      assert.equal(await bench.store.get("other", "a"), undefined);
    });

    it("refuses to create what exists, and names it", async () => {
      await using bench = await open(kind);
      await bench.store.commit([write("create", "a", { n: 1 })]);
      const error = await refused(
        bench.store.commit([write("create", "a", { n: 2 })]),
        "already_exists",
      );
      assert.match(error.message, /doc "a"/);
      assert.deepEqual((await bench.store.get("doc", "a"))?.value, { n: 1 });
    });

    it("updates only at the revision that was read", async () => {
      await using bench = await open(kind);
      await bench.store.commit([write("create", "a", { n: 1 })]);
      const read = await revisionOf(bench.store, "a");
      await bench.store.commit([update("a", read, { n: 2 })]);
      await refused(bench.store.commit([update("a", read, { n: 3 })]), "compare_failed");
      await refused(bench.store.commit([update("b", read, { n: 3 })]), "compare_failed");
      await refused(bench.store.commit([update("a", "nonsense", {})]), "compare_failed");
      assert.deepEqual((await bench.store.get("doc", "a"))?.value, { n: 2 });
    });

    it("deletes at any revision, or only at the one given", async () => {
      await using bench = await open(kind);
      await bench.store.commit([write("put", "a"), write("put", "b")]);
      const stale = await revisionOf(bench.store, "a");
      await bench.store.commit([write("put", "a", { n: 2 })]);
      await refused(bench.store.commit([remove("a", stale)]), "compare_failed");
      await bench.store.commit([remove("a", await revisionOf(bench.store, "a")), remove("b")]);
      await refused(bench.store.commit([remove("a")]), "not_found");
      await refused(bench.store.commit([remove("a", stale)]), "not_found");
      assert.equal(await bench.store.get("doc", "b"), undefined);
    });

    it("checks a revision or an absence without writing", async () => {
      await using bench = await open(kind);
      await bench.store.commit([write("put", "a")]);
      const read = await revisionOf(bench.store, "a");
      const before = await bench.store.position();
      const committed = await bench.store.commit([check("a", read), check("b", null)]);
      assert.ok(committed.position > before);
      assert.deepEqual(committed.revisions, [undefined, undefined]);
      await refused(bench.store.commit([check("a", null)]), "compare_failed");
      await refused(bench.store.commit([check("b", read)]), "compare_failed");
      assert.equal(await revisionOf(bench.store, "a"), read);
    });

    it("replaces the value and the expiry with every write", async () => {
      await using bench = await open(kind);
      const expires = bench.clock.now() + 1_000;
      await bench.store.commit([write("put", "a", {}, expires)]);
      assert.equal((await bench.store.get("doc", "a"))?.expires, expires);
      await bench.store.commit([update("a", await revisionOf(bench.store, "a"))]);
      assert.equal((await bench.store.get("doc", "a"))?.expires, undefined);
    });

    it("never gives a key the same revision twice, even after it was deleted", async () => {
      await using bench = await open(kind);
      const seen = new Set<string>();
      for (let i = 0; i < 20; i++) {
        const { revisions } = await bench.store.commit([write("create", "a")]);
        seen.add(revisions[0]!);
        const again = await bench.store.commit([write("put", "a"), write("put", "a")]);
        for (const revision of again.revisions) seen.add(revision!);
        await bench.store.commit([remove("a")]);
      }
      assert.equal(seen.size, 60);
    });
  });

  describe("batches", () => {
    it("keep nothing when one condition fails, wherever it stands", async () => {
      await using bench = await open(kind);
      await bench.store.commit([write("put", "a", { n: 1 })]);
      for (const at of [0, 1, 2]) {
        const batch = [write("put", "a", { n: 2 }), write("create", "b"), remove("a")];
        batch.splice(at, 0, check("missing", "1"));
        await refused(bench.store.commit(batch), "compare_failed");
      }
      assert.deepEqual((await bench.store.get("doc", "a"))?.value, { n: 1 });
      assert.equal(await bench.store.get("doc", "b"), undefined);
      assert.equal(await bench.store.count({ kind: "doc", index: "tag" }), 0);
    });

    it("see their own earlier writes", async () => {
      await using bench = await open(kind);
      await bench.store.commit([write("create", "a"), remove("a"), write("create", "a", { n: 2 })]);
      assert.deepEqual((await bench.store.get("doc", "a"))?.value, { n: 2 });
      await refused(
        bench.store.commit([write("create", "b"), write("create", "b")]),
        "already_exists",
      );
    });

    it("do not fail because of neighbours that wait for the same flush", async () => {
      await using bench = await open(kind);
      await bench.store.commit([write("create", "taken")]);
      const outcomes = await Promise.allSettled(
        Array.from({ length: 60 }, (_, i) =>
          bench.store.commit([
            write("create", `n${i}`, { tags: ["t"] }),
            write("create", i % 3 === 0 ? "taken" : `m${i}`, { tags: ["t"] }),
          ]),
        ),
      );
      outcomes.forEach((outcome, i) =>
        assert.equal(outcome.status, i % 3 === 0 ? "rejected" : "fulfilled"),
      );
      assert.equal(await bench.store.count({ kind: "doc" }), 81);
      assert.equal(await bench.store.count({ kind: "doc", index: "tag", prefix: "t" }), 80);
    });

    it("let exactly one of many concurrent writers of one revision win", async () => {
      await using bench = await open(kind);
      await bench.store.commit([write("create", "a", { n: 0 })]);
      for (let round = 0; round < 5; round++) {
        const read = await revisionOf(bench.store, "a");
        const outcomes = await Promise.allSettled(
          Array.from({ length: 16 }, (_, n) => bench.store.commit([update("a", read, { n })])),
        );
        assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
      }
    });

    it("are visible to a read as soon as they are acknowledged", async () => {
      await using bench = await open(kind);
      const writer = async (id: number): Promise<void> => {
        for (let n = 0; n < 20; n++) {
          await bench.store.commit([write("put", `w${id}`, { n, tags: [`w${id}`] })]);
          assert.deepEqual((await bench.store.get("doc", `w${id}`))?.value["n"], n);
          const page = await bench.store.list({ kind: "doc", index: "tag", prefix: `w${id}` });
          assert.deepEqual(page.items[0]?.value["n"], n);
        }
      };
      await Promise.all(Array.from({ length: 8 }, (_, id) => writer(id)));
    });
  });
}
