import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { CodedError } from "#base/kernel";
import { LockSet } from "#domain/access";
import { lockKind, type Lock } from "#domain/resources";
import { ManualClock } from "#testing/clock";
import { LiveConnections } from "./live-connections.ts";

const lock = (name: string, target: Lock["spec"]["target"], expires?: string): Lock => ({
  kind: lockKind.kind,
  version: lockKind.version,
  metadata: { name, labels: {}, revision: "1" },
  spec: { target, message: "", ...(expires ? { expires } : {}) },
});

describe("LiveConnections", () => {
  let clock: ManualClock;
  let locks: LockSet;
  let live: LiveConnections;
  let cuts: string[];

  beforeEach(() => {
    clock = new ManualClock();
    locks = new LockSet();
    live = new LiveConnections({ clock, locks });
    cuts = [];
  });

  const track = (name: string, options: { targets?: string[]; expiresIn?: number } = {}) =>
    live.track(
      {
        targets: options.targets ?? [`user:${name}`],
        expires: clock.now() + (options.expiresIn ?? 3_600_000),
      },
      (reason) => cuts.push(`${name}: ${reason.code}`),
    );

  test("a lock cuts those it matches, within the same turn, and only them, once", () => {
    track("alice");
    track("bob", { targets: ["user:bob", "role:access"] });
    track("carol", { targets: ["user:carol", "role:editor"] });
    locks.put(lock("one", { user: "alice" }));
    locks.put(lock("two", { role: "access" }));
    assert.deepEqual(cuts, ["alice: access_denied", "bob: access_denied"]);
    locks.put(lock("three", { user: "alice" }));
    assert.equal(cuts.length, 2);
    assert.equal(live.size, 1);
  });

  test("a lock that has ended cuts nothing", () => {
    track("alice");
    locks.put(lock("old", { user: "alice" }, new Date(clock.now() - 1).toISOString()));
    assert.deepEqual(cuts, []);
  });

  test("who is locked or expired is refused before anything is granted", () => {
    locks.put(lock("one", { user: "alice" }));
    const denied = (error: unknown): boolean =>
      error instanceof CodedError && error.code === "access_denied";
    assert.throws(() => track("alice"), denied);
    assert.throws(() => track("bob", { expiresIn: 0 }), denied);
    assert.equal(live.size, 0);
  });

  test("the end of a certificate cuts within half a second, not before", async () => {
    track("alice", { expiresIn: 10_000 });
    track("bob", { expiresIn: 20_000 });
    await clock.advance(9_999);
    assert.deepEqual(cuts, []);
    await clock.advance(501);
    assert.deepEqual(cuts, ["alice: access_denied"]);
    await clock.advance(10_000);
    assert.deepEqual(cuts, ["alice: access_denied", "bob: access_denied"]);
  });

  test("a jump of the clock over the end is noticed within half a second", async () => {
    track("alice", { expiresIn: 7 * 86_400_000 });
    clock.jump(8 * 86_400_000);
    await clock.advance(500);
    assert.deepEqual(cuts, ["alice: access_denied"]);
  });

  test("holds a timer only while there is something to watch", async () => {
    assert.equal(clock.pending, 0);
    const alice = track("alice");
    assert.equal(clock.pending, 1);
    alice[Symbol.dispose]();
    await clock.advance(1_000);
    assert.equal(clock.pending, 0);
    track("bob", { expiresIn: 2_000 });
    await clock.advance(3_000);
    assert.deepEqual(cuts, ["bob: access_denied"]);
  });

  test("what is no longer tracked is not cut", () => {
    track("alice")[Symbol.dispose]();
    locks.put(lock("one", { user: "alice" }));
    assert.deepEqual(cuts, []);
  });

  test("disposed, it cuts nothing more", async () => {
    track("alice", { expiresIn: 1_000 });
    live[Symbol.dispose]();
    locks.put(lock("one", { user: "alice" }));
    await clock.advance(5_000);
    assert.deepEqual(cuts, []);
    assert.equal(clock.pending, 0);
  });

  test("looks through 20,000 connections in a few milliseconds", () => {
    for (let i = 0; i < 20_000; i += 1) track(`user-${i}`, { targets: [`user:${i}`, "role:a"] });
    const start = performance.now();
    locks.put(lock("one", { user: "777" }));
    assert.ok(performance.now() - start < 250, `${performance.now() - start} ms`);
    assert.deepEqual(cuts, ["user-777: access_denied"]);
  });
});
