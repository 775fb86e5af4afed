import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Change } from "#base/storage";
import { until } from "#testing/wait";
import { namesOf, open, refused, remove, take, write, type StoreKind } from "./harness.ts";

export function testFeed(kind: StoreKind): void {
  describe("the change feed", () => {
    it("has every write once, in the order of the commits, with the item as written", async () => {
      await using bench = await open(kind);
      const { signal } = new AbortController();
      const feed = take(bench.store.watch({ signal }), 4);
      const first = await bench.store.commit([
        write("put", "a", { n: 1 }),
        write("put", "b", {}, 9e12),
      ]);
      await bench.store.commit([write("put", "a", { n: 2 })]);
      const last = await bench.store.commit([remove("b")]);
      const changes = await feed;
      assert.deepEqual(
        changes.map(({ op, name, item }) => [op, name, item?.value, item?.revision, item?.expires]),
        [
          ["put", "a", { n: 1 }, first.revisions[0], undefined],
          ["put", "b", {}, first.revisions[1], 9e12],
          ["put", "a", { n: 2 }, changes[2]?.item?.revision, undefined],
          ["delete", "b", undefined, undefined, undefined],
        ],
      );
      assert.equal(changes[1]?.position, first.position);
      assert.equal(changes[3]?.position, last.position);
      assert.ok(isRising(changes));
    });

    it("starts at the moment of the call when no position is given", async () => {
      await using bench = await open(kind);
      await bench.store.commit([write("put", "before")]);
      const feed = bench.store.watch({ signal: new AbortController().signal });
      await bench.store.commit([write("put", "after")]);
      assert.deepEqual(namesOf(await take(feed, 1)), ["after"]);
    });

    it("resumes after any position without a gap, even in the middle of a batch", async () => {
      await using bench = await open(kind);
      const { signal } = new AbortController();
      const names = Array.from({ length: 12 }, (_, i) => `n${i}`);
      for (let i = 0; i < 12; i += 3) {
        await bench.store.commit(names.slice(i, i + 3).map((name) => write("put", name)));
      }
      const whole = await take(bench.store.watch({ after: 0, signal }), 12);
      assert.deepEqual(namesOf(whole), names);
      for (const [i, { position }] of whole.slice(0, -1).entries()) {
        const rest = await take(bench.store.watch({ after: position, signal }), 11 - i);
        assert.deepEqual(rest, whole.slice(i + 1));
      }
    });

    it("does not show a refused batch", async () => {
      await using bench = await open(kind);
      const feed = take(bench.store.watch({ signal: new AbortController().signal }), 1);
      await refused(bench.store.commit([write("put", "a"), remove("missing")]), "not_found");
      await bench.store.commit([write("put", "b")]);
      assert.deepEqual(namesOf(await feed), ["b"]);
    });

    it("shows only the kinds that were asked for", async () => {
      await using bench = await open(kind);
      const { signal } = new AbortController();
      const feed = take(bench.store.watch({ kinds: ["other", "third"], signal }), 2);
      await bench.store.commit([
        write("put", "a"),
        { op: "put", kind: "other", name: "b", value: {} },
        { op: "put", kind: "third", name: "c", value: {} },
      ]);
      assert.deepEqual(namesOf(await feed), ["b", "c"]);
    });

    it("refuses a position that it no longer holds, and one that it has not reached", async () => {
      await using bench = await open(kind, { feedLength: 10 });
      const { signal } = new AbortController();
      await bench.store.commit([write("put", "a")]);
      for (let i = 0; i < 200; i++) await bench.store.commit([write("put", `n${i % 7}`)]);
      const newest = await bench.store.position();
      await refused(take(bench.store.watch({ after: 1, signal }), 1), "compare_failed");
      await refused(take(bench.store.watch({ after: newest + 1, signal }), 1), "compare_failed");
      const kept = await take(bench.store.watch({ after: newest - 10, signal }), 10);
      assert.equal(kept.at(-1)?.position, newest);
    });

    it("tells a reader that fell too far behind, and slows nobody for it", async () => {
      await using bench = await open(kind, { feedLength: 10 });
      const { signal } = new AbortController();
      const slow = bench.store.watch({ signal })[Symbol.asyncIterator]();
      await bench.store.commit([write("put", "first")]);
      assert.equal((await slow.next()).value?.name, "first");
      for (let i = 0; i < 200; i++) await bench.store.commit([write("put", `n${i}`)]);
      await refused(drain(slow), "compare_failed");
    });

    it("is the same and whole for many readers under concurrent writers", async () => {
      await using bench = await open(kind);
      const { signal } = new AbortController();
      const readers = Array.from({ length: 4 }, (_, i) =>
        take(bench.store.watch({ signal, ...(i % 2 === 0 ? {} : { after: 0 }) }), 200),
      );
      await Promise.all(
        Array.from({ length: 100 }, (_, i) =>
          bench.store.commit([write("put", `a${i}`), write("put", `b${i}`)]),
        ),
      );
      const [first, ...others] = await Promise.all(readers);
      assert.ok(isRising(first!));
      for (const other of others) assert.deepEqual(other, first);
      for (let i = 0; i < 200; i += 2) {
        assert.equal(first![i]!.name.slice(1), first![i + 1]!.name.slice(1));
      }
    });

    it("ends at once for a waiting reader whose signal aborts", async () => {
      await using bench = await open(kind);
      const controller = new AbortController();
      let ended = false;
      const reading = (async () => {
        for await (const _ of bench.store.watch({ signal: controller.signal })) assert.fail();
        ended = true;
      })();
      controller.abort();
      await until("the reader ends", () => ended);
      await reading;
      for await (const _ of bench.store.watch({ after: 0, signal: controller.signal }))
        assert.fail();
    });
  });
}

const isRising = (changes: readonly Change[]): boolean =>
  changes.every((change, i) => i === 0 || change.position > changes[i - 1]!.position);

async function drain(feed: AsyncIterator<Change>): Promise<void> {
  for (let i = 0; i < 1_000; i++) await feed.next();
}
