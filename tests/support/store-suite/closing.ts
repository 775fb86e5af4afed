import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { codeOf } from "#base/kernel";
import { open, refused, take, write, type StoreKind } from "./harness.ts";

export function testClosing(kind: StoreKind): void {
  describe("closing", () => {
    it("answers the commits under way, and refuses new work", async () => {
      const bench = await open(kind);
      const commits = Array.from({ length: 50 }, (_, i) =>
        bench.store.commit([write("put", `n${i}`)]),
      );
      const closing = bench[Symbol.asyncDispose]();
      await refused(bench.store.commit([write("put", "late")]), "unavailable");
      const outcomes = await Promise.allSettled(commits);
      for (const outcome of outcomes) {
        if (outcome.status === "rejected") assert.equal(codeOf(outcome.reason), "unavailable");
      }
      await closing;
      const { signal } = new AbortController();
      await refused(bench.store.get("doc", "n1"), "unavailable");
      await refused(bench.store.list({ kind: "doc" }), "unavailable");
      await refused(bench.store.count({ kind: "doc" }), "unavailable");
      await refused(bench.store.position(), "unavailable");
      await refused(take(bench.store.watch({ signal }), 1), "unavailable");
    });

    it("ends readers of the feed, after what was acknowledged", async () => {
      const bench = await open(kind);
      const feed = bench.store.watch({ signal: new AbortController().signal });
      const names: string[] = [];
      const reading = (async () => {
        for await (const change of feed) names.push(change.name);
      })();
      await bench.store.commit([write("put", "a")]);
      await bench.store.commit([write("put", "b")]);
      await bench[Symbol.asyncDispose]();
      await reading;
      assert.deepEqual(names, ["a", "b"]);
    });

    it("may be asked for twice", async () => {
      const bench = await open(kind);
      await Promise.all([bench[Symbol.asyncDispose](), bench[Symbol.asyncDispose]()]);
      await bench.store[Symbol.asyncDispose]();
    });
  });
}
