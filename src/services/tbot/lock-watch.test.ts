import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { accessDenied, canceled, silentLogger, unavailable } from "#base/kernel";
import { LockSet } from "#domain/access";
import type { Enrolment } from "#services/enrolment";
import { ManualClock } from "#testing/clock";
import { BotIdentity } from "./identity.ts";
import { watchLocks } from "./lock-watch.ts";

/** A cluster whose stream of locks does what the test says. */
function setUp() {
  const clock = new ManualClock();
  const stop = new AbortController();
  const said: string[] = [];
  const told = { reached: 0, pardons: 0, calls: 0 };
  let refusal: Error | undefined;
  const open = (): PromiseWithResolvers<never> => {
    const made = Promise.withResolvers<never>();
    // Nobody waits for it while the cluster refuses.
    made.promise.catch(() => {});
    return made;
  };
  let current = open();
  const client = {
    auth: {
      async *watchLocks() {
        told.calls += 1;
        if (refusal) throw refusal;
        yield { locks: [] };
        await current.promise;
      },
    },
  };
  const identity = new BotIdentity({ current: {}, client } as unknown as Enrolment);
  identity.onReached(() => (told.reached += 1));
  const ended = watchLocks({
    identity,
    clock,
    locks: new LockSet(),
    random: () => 1,
    log: silentLogger,
    signal: stop.signal,
    report: (state, reason) => said.push(reason === undefined ? state : `${state}: ${reason}`),
    onPardon: () => (told.pardons += 1),
  });
  return {
    clock,
    said,
    told,
    /** Ends the stream, and refuses others for this reason until it is mended. */
    fail: async (error: Error): Promise<void> => {
      refusal = error;
      current.reject(error);
      current = open();
      await clock.advance(0);
    },
    mend: (): void => void (refusal = undefined),
    finish: async (): Promise<void> => {
      stop.abort();
      current.reject(canceled("done"));
      await ended;
    },
  };
}

suite("the watch over locks", () => {
  test("is good as soon as the cluster is heard", async () => {
    const { clock, said, told, finish } = setUp();
    await clock.advance(0);
    assert.deepEqual(said, ["healthy"]);
    assert.equal(told.reached, 0);
    await finish();
  });

  test("says nothing of a cluster that is away for a moment, but that it is back", async () => {
    const { clock, said, told, fail, mend, finish } = setUp();
    await clock.advance(60_000);
    await fail(unavailable("gone"));
    await clock.advance(9_000);
    mend();
    await clock.advance(1_000);
    assert.deepEqual(said, ["healthy", "healthy"]);
    assert.equal(told.reached, 1);
    await finish();
  });

  test("says that nothing is heard from a cluster that is away for longer", async () => {
    const { clock, said, fail, mend, finish } = setUp();
    await clock.advance(60_000);
    await fail(unavailable("gone"));
    await clock.advance(12_000);
    assert.equal(said.at(-1), "unhealthy: nothing heard from the cluster: gone");
    mend();
    await clock.advance(1_000);
    assert.equal(said.at(-1), "healthy");
    await finish();
  });

  test("says at once that the bot is locked, and asks for a renewal when it is pardoned", async () => {
    const { clock, said, told, fail, mend, finish } = setUp();
    await clock.advance(0);
    await fail(accessDenied("user is locked"));
    assert.equal(said.at(-1), "unhealthy: user is locked");
    assert.equal(told.pardons, 0);
    mend();
    await clock.advance(1_000);
    assert.equal(said.at(-1), "healthy");
    assert.equal(told.pardons, 1);
    await finish();
  });

  test("asks once a second at most", async () => {
    const { clock, told, fail, finish } = setUp();
    await clock.advance(0);
    await fail(unavailable("gone"));
    await clock.advance(10_000);
    assert.ok(told.calls <= 12, `${told.calls} calls`);
    await finish();
  });
});
