import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { IndexDefinition } from "#base/storage";
import { until } from "#testing/wait";
import {
  all,
  indexes,
  namesOf,
  open,
  refused,
  remove,
  strings,
  take,
  write,
  type StoreKind,
} from "./harness.ts";

export function testRestarts(kind: StoreKind): void {
  const { signal } = new AbortController();

  describe("after a restart", () => {
    it("everything is there: items, indexes, revisions, position", async () => {
      await using bench = await open(kind);
      await bench.store.commit([write("put", "a", { tags: ["t"] }), write("put", "b", {}, 9e12)]);
      await bench.store.commit([write("put", "c"), remove("b")]);
      const before = await all(bench.store, { kind: "doc" });
      const store = await bench.opened.reopen();
      assert.deepEqual(await all(store, { kind: "doc" }), before);
      assert.equal(await store.position(), 4);
      assert.equal(await store.count({ kind: "doc", index: "tag", prefix: "t" }), 1);
    });

    it("a position is never given twice, not even that of a mere check", async () => {
      await using bench = await open(kind);
      await bench.store.commit([write("create", "a"), remove("a")]);
      const checked = await bench.store.commit([
        { op: "check", kind: "doc", name: "a", revision: null },
      ]);
      const store = await bench.opened.reopen();
      const created = await store.commit([write("create", "a")]);
      assert.ok(created.position > checked.position);
      assert.notEqual(created.revisions[0], "1");
    });

    it("the feed goes on from where a reader left it", async () => {
      await using bench = await open(kind);
      await bench.store.commit([write("put", "a", { n: 1 }), write("put", "b")]);
      await bench.store.commit([write("put", "a", { n: 2 }), remove("b")]);
      const before = await take(bench.store.watch({ after: 0, signal }), 4);
      const store = await bench.opened.reopen();
      const feed = take(store.watch({ after: 1, signal }), 4);
      await store.commit([write("put", "c")]);
      const after = await feed;
      assert.deepEqual(after.slice(0, 3), before.slice(1));
      assert.equal(after[3]?.name, "c");
    });

    it("a position that the feed no longer holds is still refused", async () => {
      await using bench = await open(kind, { feedLength: 10 });
      for (let i = 0; i < 200; i++) await bench.store.commit([write("put", `n${i}`)]);
      const store = await bench.opened.reopen();
      await refused(take(store.watch({ after: 5, signal }), 1), "compare_failed");
      await refused(take(store.watch({ after: 201, signal }), 1), "compare_failed");
      assert.equal((await take(store.watch({ after: 195, signal }), 5)).length, 5);
    });

    it("what expired meanwhile is invisible, and swept", async () => {
      await using bench = await open(kind);
      await bench.store.commit([
        write("put", "a", {}, bench.clock.now() + 1_000),
        write("put", "b"),
      ]);
      bench.clock.jump(1_000);
      const store = await bench.opened.reopen();
      assert.equal(await store.get("doc", "a"), undefined);
      await bench.clock.advance(1);
      await until("it is swept", async () => (await store.position()) === 3);
    });

    it("an index whose version rose is built anew; one that is gone is dropped, a new one filled", async () => {
      await using bench = await open(kind);
      const names = Array.from({ length: 1_200 }, (_, i) => `n${i}`);
      for (let i = 0; i < 1_200; i += 400) {
        const part = names.slice(i, i + 400);
        await bench.store.commit(
          part.map((name) => write("put", name, { rank: "x", tags: [name], words: [name, "all"] })),
        );
      }
      const changed: readonly IndexDefinition[] = [
        {
          kind: "doc",
          name: "tag",
          version: 2,
          key: ({ tags }) => strings(tags).map((t) => `v2-${t}`),
        },
        { kind: "doc", name: "name", version: 1, key: (_value, item) => [item.name] },
      ];
      const store = await bench.opened.reopen({ indexes: changed });
      assert.equal(await store.count({ kind: "doc", index: "tag", prefix: "v2-n" }), 1_200);
      assert.equal(await store.count({ kind: "doc", index: "tag", prefix: "n" }), 0);
      const page = await store.list({ kind: "doc", index: "name", prefix: "n119", limit: 3 });
      assert.deepEqual(namesOf(page.items), ["n119", "n1190", "n1191"]);
      await refused(store.list({ kind: "doc", index: "rank" }), "bad_parameter");
      await refused(store.list({ kind: "doc", containing: ["n1"] }), "bad_parameter");
      await refused(store.tally({ kind: "doc", index: "word" }), "bad_parameter");
      await store.commit([remove("n119"), write("put", "n118", { tags: ["moved"] })]);
      const tagged = (prefix: string): Promise<number> =>
        store.count({ kind: "doc", index: "tag", prefix });
      assert.deepEqual([await tagged(""), await tagged("v2-n")], [1_199, 1_198]);
      const back = await bench.opened.reopen({ indexes });
      assert.equal(await back.count({ kind: "doc", index: "rank", prefix: "x" }), 1_198);
      assert.equal(await back.count({ kind: "doc", index: "tag", prefix: "n119" }), 10);
      assert.equal((await all(back, { kind: "doc", containing: ["n119"] })).length, 10);
      const [most] = await back.tally({ kind: "doc", index: "word", limit: 1 });
      assert.deepEqual(most, { key: "all", count: 1_198 });
    });
  });
}
