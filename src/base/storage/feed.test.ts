import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { codeOf } from "#base/kernel";
import type { FeedEntry } from "./entries.ts";
import { Feed, type FeedHistory } from "./feed.ts";

const entry = (position: number, size = 0): FeedEntry => ({
  position,
  op: "put",
  kind: "doc",
  name: `n${position}`,
  json: JSON.stringify({ text: "x".repeat(size) }),
});
const limits = { entries: 100, bytes: 1e6 };
const { signal } = new AbortController();

describe("the feed", () => {
  it("wakes a reader whenever a change comes while it falls asleep", async () => {
    for (let steps = 0; steps < 12; steps++) {
      const feed = new Feed({ position: 0, limits });
      const reader = feed.watch({ signal })[Symbol.asyncIterator]();
      const next = reader.next();
      for (let i = 0; i < steps; i++) await Promise.resolve();
      feed.append([entry(1)], 1);
      assert.equal((await next).value?.position, 1, `after ${steps} steps`);
    }
  });

  it("keeps its size within the limit, and asks the history for what it forgot", async () => {
    const asked: number[] = [];
    const history: FeedHistory = {
      newest: () => 20,
      after: async (position) => {
        asked.push(position);
        return [entry(position + 1)];
      },
    };
    const feed = new Feed({ position: 0, limits: { entries: 100, bytes: 10_000 }, history });
    for (let i = 1; i <= 20; i++) feed.append([entry(i, 1_000)], i);
    const seen: number[] = [];
    for await (const { position } of feed.watch({ after: 0, signal })) {
      if (seen.push(position) === 20) break;
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
    assert.ok(asked.length > 5 && asked.length < 15, String(asked));
  });

  it("passes a failure of the history to the reader", async () => {
    const history: FeedHistory = {
      newest: () => 9,
      after: () => Promise.reject(new Error("disk")),
    };
    const feed = new Feed({ position: 9, limits, history });
    const reader = feed.watch({ after: 3, signal })[Symbol.asyncIterator]();
    await assert.rejects(reader.next(), /disk/);
  });

  it("shows changes that are durable but not yet announced once only", async () => {
    const history: FeedHistory = {
      newest: () => 2,
      after: async (position) => [entry(1), entry(2)].filter((e) => e.position > position),
    };
    const feed = new Feed({ position: 1, limits, history });
    const reader = feed.watch({ after: 0, signal })[Symbol.asyncIterator]();
    const seen = [(await reader.next()).value?.position, (await reader.next()).value?.position];
    const third = reader.next();
    feed.append([entry(2)], 2);
    feed.append([entry(3)], 3);
    assert.deepEqual([...seen, (await third).value?.position], [1, 2, 3]);
  });

  it("leaves no listener on a signal that outlives its readers", async () => {
    const feed = new Feed({ position: 0, limits });
    const controller = new AbortController();
    let listeners = 0;
    const { signal } = controller;
    const add = signal.addEventListener.bind(signal);
    const drop = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => (add(...args), (listeners += 1));
    signal.removeEventListener = (...args: Parameters<typeof drop>) => (
      drop(...args),
      (listeners -= 1)
    );
    const reader = feed.watch({ signal })[Symbol.asyncIterator]();
    for (let i = 1; i <= 50; i++) {
      const next = reader.next();
      await new Promise((resolve) => setImmediate(resolve));
      feed.append([entry(i)], i);
      await next;
    }
    assert.equal(listeners, 0);
    controller.abort();
    assert.equal((await reader.next()).done, true);
  });

  it("refuses a reader of a closed store", async () => {
    const feed = new Feed({ position: 0, limits });
    feed.close();
    const reader = feed.watch({ signal })[Symbol.asyncIterator]();
    await assert.rejects(reader.next(), (error) => codeOf(error) === "unavailable");
  });
});
