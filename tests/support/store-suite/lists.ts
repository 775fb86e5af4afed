import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { ListQuery } from "#base/storage";
import {
  all,
  namesOf,
  open,
  refused,
  remove,
  write,
  type Bench,
  type StoreKind,
} from "./harness.ts";

type Case = readonly [name: string, query: Omit<ListQuery, "kind">, expected: readonly string[]];

const documents = [
  write("put", "a", { rank: "10", tags: ["red", "blue"] }),
  write("put", "ab", { rank: "2" }),
  write("put", "b", { rank: "1", tags: ["blue"] }),
  write("put", "b\u{ffff}", { rank: "10" }),
  write("put", "b\u{10000}", { tags: ["blue", "blueish"] }),
  write("put", "c", { rank: "" }),
];

const cases: readonly Case[] = [
  ["sorts by name in the order of UTF-8 bytes", {}, ["a", "ab", "b", "b\uffff", "b\u{10000}", "c"]],
  ["takes a prefix of names", { prefix: "b" }, ["b", "b\uffff", "b\u{10000}"]],
  ["includes from and excludes to", { from: "ab", to: "b\u{10000}" }, ["ab", "b", "b\uffff"]],
  ["joins prefix and range", { prefix: "b", from: "b0", to: "c" }, ["b\uffff", "b\u{10000}"]],
  ["descends", { order: "descending", to: "b\uffff" }, ["b", "ab", "a"]],
  ["cuts at the limit", { limit: 2 }, ["a", "ab"]],
  ["sorts by index, equal keys by name", { index: "rank" }, ["c", "b", "a", "b\uffff", "ab"]],
  [
    "descends by index, names too",
    { index: "rank", order: "descending" },
    ["ab", "b\uffff", "a", "b", "c"],
  ],
  ["takes a prefix of an index", { index: "rank", prefix: "1" }, ["b", "a", "b\uffff"]],
  [
    "has an item once for each key",
    { index: "tag", prefix: "blue" },
    ["a", "b", "b\u{10000}", "b\u{10000}"],
  ],
  [
    "takes one exact key",
    { index: "tag", from: "blue", to: "blue\u0000" },
    ["a", "b", "b\u{10000}"],
  ],
  ["finds nothing in an empty range", { from: "z", to: "a" }, []],
  ["takes the last prefix there is", { prefix: "\u{10ffff}" }, []],
];

export function testLists(kind: StoreKind): void {
  describe("a listing", () => {
    let shared: Bench;
    before(async () => {
      shared = await open(kind);
      await shared.store.commit(documents);
    });
    after(() => shared[Symbol.asyncDispose]());

    for (const [name, query, expected] of cases) {
      it(name, async () => {
        const page = await shared.store.list({ kind: "doc", ...query });
        assert.deepEqual(namesOf(page.items), expected);
      });
    }

    it("counts a kind, a prefix, and each item of an index once", async () => {
      const count = (query: object): Promise<number> =>
        shared.store.count({ kind: "doc", ...query });
      assert.equal(await count({}), 6);
      assert.equal(await count({ prefix: "b" }), 3);
      assert.equal(await count({ index: "tag", prefix: "blue" }), 3);
      assert.equal(await count({ index: "tag", prefix: "blueish" }), 1);
      assert.equal(await shared.store.count({ kind: "other" }), 0);
    });

    it("counts a range of names or of an index, from here on and below there", async () => {
      const count = (query: object): Promise<number> =>
        shared.store.count({ kind: "doc", ...query });
      assert.equal(await count({ from: "ab", to: "b\u{10000}" }), 3);
      assert.equal(await count({ from: "c" }), 1);
      assert.equal(await count({ to: "a" }), 0);
      assert.equal(await count({ prefix: "b", from: "b0" }), 2);
      assert.equal(await count({ index: "rank", from: "1", to: "10" }), 1);
      assert.equal(await count({ index: "rank", from: "1", to: "10\0" }), 3);
      assert.equal(await count({ index: "tag", from: "blue", to: "bluf" }), 3);
      assert.equal(await count({ index: "rank", from: "z", to: "a" }), 0);
    });

    it("counts each key of an index in a range, where that is asked for", async () => {
      const count = (query: object): Promise<number> =>
        shared.store.count({ kind: "doc", index: "tag", each: "key", ...query });
      assert.equal(await count({ prefix: "blue" }), 4);
      assert.equal(await count({ from: "blue", to: "blue\0" }), 3);
      assert.equal(await count({ from: "c" }), 1);
      assert.equal(await count({ from: "z" }), 0);
    });

    it("finds what contains every part, in the order and range of the listing", async () => {
      await using bench = await open(kind);
      const host = (name: string, ...words: string[]) =>
        write("put", name, { rank: name, words: ["host", ...words] });
      await bench.store.commit([
        host("a", 'web-1 "blue"', "linux"),
        host("b", "web-2", "linux"),
        host("c", "web-1", "darwin"),
        write("put", "none", { rank: "x" }),
      ]);
      const find = async (containing: string[], query: Partial<ListQuery> = {}) =>
        namesOf(await all(bench.store, { kind: "doc", containing, limit: 1, ...query }));
      assert.deepEqual(await find(["web-1"]), ["a", "c"]);
      assert.deepEqual(await find(["web-1", "linux"]), ["a"]);
      assert.deepEqual(await find(['"blue"']), ["a"]);
      assert.deepEqual(await find(["b-"]), ["a", "b", "c"]);
      assert.deepEqual(await find(["Web-1"]), []);
      assert.deepEqual(await find(["web"], { index: "rank", order: "descending" }), [
        "c",
        "b",
        "a",
      ]);
      assert.deepEqual(await find(["web"], { index: "rank", from: "b" }), ["b", "c"]);
      await bench.store.commit([host("a", "web-9"), remove("c")]);
      assert.deepEqual(await find(["web-1"]), []);
      assert.deepEqual(await find(["web-9"]), ["a"]);
    });

    it("tells how many items have each counted key, the most frequent first", async () => {
      await using bench = await open(kind);
      const tally = (limit?: number) =>
        bench.store.tally({ kind: "doc", index: "word", ...(limit ? { limit } : {}) });
      assert.deepEqual(await tally(), []);
      await bench.store.commit([
        write("put", "a", { words: ["1.0", "up"] }),
        write("put", "b", { words: ["1.1", "up"] }),
        write("put", "c", { words: ["1.1"] }, bench.clock.now() + 1),
      ]);
      assert.deepEqual(await tally(), [
        { key: "1.1", count: 2 },
        { key: "up", count: 2 },
        { key: "1.0", count: 1 },
      ]);
      assert.deepEqual(await tally(1), [{ key: "1.1", count: 2 }]);
      bench.clock.jump(1);
      await bench.store.commit([write("put", "a", { words: ["1.1", "down"] })]);
      assert.deepEqual(await tally(), [
        { key: "1.1", count: 2 },
        { key: "down", count: 1 },
        { key: "up", count: 1 },
      ]);
    });

    it("follows an item that changes its keys, and forgets one that goes", async () => {
      await using bench = await open(kind);
      const find = async (prefix: string): Promise<string[]> =>
        namesOf((await bench.store.list({ kind: "doc", index: "tag", prefix })).items);
      await bench.store.commit([write("put", "a", { tags: ["old", "both", "both"] })]);
      await bench.store.commit([write("put", "a", { tags: ["new", "both"] })]);
      assert.deepEqual(
        [await find("old"), await find("new"), await find("both")],
        [[], ["a"], ["a"]],
      );
      await bench.store.commit([remove("a")]);
      assert.deepEqual(await find(""), []);
    });

    it("ends without a next page exactly when it is complete", async () => {
      await using bench = await open(kind);
      await bench.store.commit([write("put", "a"), write("put", "b")]);
      assert.ok((await bench.store.list({ kind: "doc", limit: 1 })).next);
      assert.equal((await bench.store.list({ kind: "doc", limit: 2 })).next, undefined);
    });

    const faults: readonly (readonly [string, Omit<ListQuery, "kind">])[] = [
      ["an unknown index", { index: "colour" }],
      ["an index that only counts", { index: "word" }],
      ["too many parts of a text", { containing: Array.from({ length: 21 }, (_, i) => `${i}`) }],
      ["a part that is too long", { containing: ["x".repeat(2_049)] }],
      ["a page of none", { limit: 0 }],
      ["half a page", { limit: 1.5 }],
      ["a page of over 1,000", { limit: 1_001 }],
      ["a page token that is none", { after: "garbage" }],
      ["a page token of another shape", { after: Buffer.from("[1]").toString("base64url") }],
    ];
    for (const [name, query] of faults) {
      it(`refuses ${name}`, async () => {
        await refused(shared.store.list({ kind: "doc", ...query }), "bad_parameter");
      });
    }
  });
}
