import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { codeOf, messageOf, silentLogger, type Logger } from "#base/kernel";
import { put, refused, StoreYard } from "#testing/store-yard";
import type { Write } from "./store.ts";

describe("the SQLite store under stress", () => {
  let yard: StoreYard;
  before(async () => (yard = await StoreYard.make()));
  after(() => yard[Symbol.asyncDispose]());

  describe("a full disk", () => {
    it("refuses what does not fit, keeps all before it, and takes more once there is room", async () => {
      const directory = yard.fresh();
      const maxBytes = 1024 * 1024;
      await using store = await yard.open(directory, { maxBytes, feedLength: 10 });
      const kept: string[] = [];
      const failure = await (async () => {
        for (let i = 0; ; i++) {
          const names = [`n${i}-a`, `n${i}-b`];
          try {
            await store.commit(names.map((name) => put(name, 20_000)));
            kept.push(...names);
          } catch (error) {
            return error;
          }
        }
      })();
      assert.equal(codeOf(failure), "unavailable");
      assert.match(messageOf(failure), /full; make room/);
      assert.ok(kept.length > 20);
      assert.equal(await store.count({ kind: "doc" }), kept.length);
      assert.equal(await store.count({ kind: "doc", index: "rank" }), kept.length);
      for (const name of kept.slice(0, 10))
        await store.commit([{ op: "delete", kind: "doc", name }]);
      await store.commit([put("after", 20_000)]);
      assert.equal((await store.get("doc", "after"))?.value["rank"], "after");
    });

    it("is told to the log once when it begins and once when it ends", async () => {
      const lines: string[] = [];
      const logger: Logger = {
        ...silentLogger,
        error: (message, fields) => lines.push(`${message}: ${String(fields?.["reason"])}`),
        info: (message) => lines.push(message),
      };
      await using store = await yard.open(yard.fresh(), { maxBytes: 256 * 1024, logger });
      await store.commit([put("a")]);
      for (let i = 0; i < 3; i++) await refused(store.commit([put("b", 900_000)]), "unavailable");
      const taken: Write = { op: "create", kind: "doc", name: "a", value: { rank: "a" } };
      await refused(store.commit([taken]), "already_exists");
      for (let i = 0; i < 3; i++) await store.commit([put("a")]);
      assert.deepEqual(lines, [
        "the store refuses commits: the store failed: the disk or its quota is full; make room",
        "the store takes commits again",
      ]);
    });

    it("fails the commits that share a flush, and no later one", async () => {
      await using store = await yard.open(yard.fresh(), { maxBytes: 512 * 1024 });
      const outcomes = await Promise.allSettled([
        store.commit([put("small")]),
        store.commit([put("huge", 900_000)]),
      ]);
      for (const outcome of outcomes) assert.equal(outcome.status, "rejected");
      assert.equal(await store.position(), 0);
      const { position } = await store.commit([put("small")]);
      assert.equal(position, 1);
      const feed = store.watch({ after: 0, signal: new AbortController().signal });
      for await (const change of feed) {
        assert.equal(change.name, "small");
        break;
      }
    });
  });

  describe("a writer that dies", () => {
    /** Says that it is ready, and falls over the first commit. */
    const dying = new URL(
      `data:text/javascript,${encodeURIComponent(`
        import { parentPort } from "node:worker_threads";
        parentPort.on("message", () => { throw new Error("out of luck"); });
        parentPort.postMessage({ is: "ready" });
      `)}`,
    );

    it("fails what it had, and everything after, but not the reads", async () => {
      await using store = await yard.open(await yard.filled(), { workerUrl: dying });
      const commits = [put("a"), put("b")].map((write) => store.commit([write]));
      for (const commit of commits) await refused(commit, "unavailable", "out of luck", "restart");
      await refused(store.commit([put("c")]), "unavailable", "restart the program");
      assert.equal(await store.count({ kind: "doc" }), 100);
    });

    it("frees the directory when the store closes all the same", async () => {
      const directory = await yard.filled();
      const store = await yard.open(directory, { workerUrl: dying });
      await refused(store.commit([put("a")]), "unavailable");
      await store[Symbol.asyncDispose]();
      await using again = await yard.open(directory);
      await again.commit([put("a")]);
    });
  });

  it("refuses commits beyond what may wait for the disk, and answers those before", async () => {
    await using store = await yard.open(yard.fresh());
    const outcomes = await Promise.allSettled(
      Array.from({ length: 100 }, (_, i) => store.commit([put(`n${i}`, 1_000_000)])),
    );
    const refusals = outcomes.filter((outcome) => outcome.status === "rejected");
    assert.ok(refusals.length > 30 && refusals.length < 60, String(refusals.length));
    for (const { reason } of refusals) {
      assert.equal(codeOf(reason), "unavailable");
      assert.match(messageOf(reason), /already wait/);
    }
    assert.equal(await store.count({ kind: "doc" }), 100 - refusals.length);
    await store.commit([put("after")]);
  });

  it("lets the loop turn while one caller reads without end", async () => {
    await using store = await yard.open(yard.fresh());
    await store.commit(Array.from({ length: 500 }, (_, i) => put(`n${i}`)));
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 1);
    for (let i = 0; i < 50; i++) await store.list({ kind: "doc", limit: 500 });
    for (let i = 0; i < 5_000; i++) await store.get("doc", "n1");
    clearInterval(timer);
    assert.ok(turns >= 10, `${turns} turns`);
  });

  it("cuts a page of large documents by their size, and loses none", async () => {
    await using store = await yard.open(yard.fresh());
    for (let i = 0; i < 12; i++) await store.commit([put(`n${String(i).padStart(2, "0")}`, 1e6)]);
    const first = await store.list({ kind: "doc", limit: 100 });
    assert.ok(first.next && first.items.length < 12);
    const rest = await store.list({ kind: "doc", limit: 100, after: first.next });
    assert.equal(first.items.length + rest.items.length, 12);
    const names = [];
    for await (const { name } of store.watch({ after: 0, signal: new AbortController().signal })) {
      if (names.push(name) === 12) break;
    }
    assert.equal(new Set(names).size, 12);
  });
});
