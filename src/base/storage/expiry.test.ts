import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { silentLogger } from "#base/kernel";
import { ManualClock } from "#testing/clock";
import { Sweeper } from "./expiry.ts";

interface Sweep {
  readonly at: number;
  readonly done: PromiseWithResolvers<number | undefined>;
}

/** A sweeper whose sweeps the test ends itself, on a clock that starts at 0. */
function start(): { clock: ManualClock; sweeper: Sweeper; sweeps: Sweep[] } {
  const clock = new ManualClock(0);
  const sweeps: Sweep[] = [];
  const sweep = (at: number): Promise<number | undefined> => {
    const done = Promise.withResolvers<number | undefined>();
    sweeps.push({ at, done });
    return done.promise;
  };
  return { clock, sweeps, sweeper: new Sweeper({ clock, logger: silentLogger, sweep }) };
}

const times = (sweeps: readonly Sweep[]): number[] => sweeps.map(({ at }) => at);

describe("the sweeper", () => {
  it("waits for the earliest expiry, in whatever order they are noted", async () => {
    const { clock, sweeper, sweeps } = start();
    for (const at of [5_000, undefined, 1_000, 3_000]) sweeper.note(at);
    await clock.advance(999);
    assert.deepEqual(times(sweeps), []);
    await clock.advance(1);
    assert.deepEqual(times(sweeps), [1_000]);
    sweeps[0]!.done.resolve(3_000);
    await clock.advance(0);
    await clock.advance(2_000);
    assert.deepEqual(times(sweeps), [1_000, 3_000]);
  });

  it("does not forget an item noted while a sweep runs", async () => {
    const { clock, sweeper, sweeps } = start();
    sweeper.note(1_000);
    await clock.advance(1_000);
    sweeper.note(2_000);
    sweeps[0]!.done.resolve(undefined);
    await clock.advance(0);
    await clock.advance(1_000);
    assert.deepEqual(times(sweeps), [1_000, 2_000]);
  });

  it("runs one sweep at a time, and not one after the other without pause", async () => {
    const { clock, sweeper, sweeps } = start();
    sweeper.note(1_000);
    await clock.advance(1_000);
    sweeper.note(1_001);
    await clock.advance(500);
    assert.equal(sweeps.length, 1);
    sweeps[0]!.done.resolve(undefined);
    await clock.advance(0);
    await clock.advance(99);
    assert.equal(sweeps.length, 1);
    await clock.advance(1);
    assert.deepEqual(times(sweeps), [1_000, 1_600]);
  });

  it("tries again a second after a sweep that failed", async () => {
    const { clock, sweeper, sweeps } = start();
    sweeper.note(1_000);
    await clock.advance(1_000);
    sweeps[0]!.done.reject(new Error("disk full"));
    await clock.advance(0);
    await clock.advance(999);
    assert.equal(sweeps.length, 1);
    await clock.advance(1);
    assert.equal(sweeps.length, 2);
  });

  it("notices within a minute that the wall clock was set forward", async () => {
    const { clock, sweeper, sweeps } = start();
    sweeper.note(86_400_000);
    clock.jump(86_400_000);
    await clock.advance(60_000);
    assert.equal(sweeps.length, 1);
  });

  it("stops for good when disposed, even in the middle of a sweep", async () => {
    const { clock, sweeper, sweeps } = start();
    sweeper.note(1_000);
    await clock.advance(1_000);
    sweeper[Symbol.dispose]();
    sweeps[0]!.done.resolve(2_000);
    await clock.advance(5_000);
    assert.equal(sweeps.length, 1);
    assert.equal(clock.pending, 0);
  });
});
