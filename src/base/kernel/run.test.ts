import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { ManualClock } from "#testing/clock";
import { until } from "#testing/wait";
import { Bell, runRepeatedly } from "./run.ts";

interface Watched {
  runs: number;
  failing: boolean;
  delays: number[];
}

function start(clock: ManualClock, bell = new Bell()): Watched & AsyncDisposable {
  const watched: Watched = { runs: 0, failing: false, delays: [] };
  const controller = new AbortController();
  const ended = runRepeatedly({
    clock,
    bell,
    random: () => 1,
    signal: controller.signal,
    intervalMs: 60_000,
    retry: { firstMs: 1_000, maxMs: 4_000 },
    run: async () => {
      watched.runs++;
      if (watched.failing) throw new Error("no");
    },
    onFailure: (_error, delay) => watched.delays.push(delay),
  });
  return Object.assign(watched, {
    [Symbol.asyncDispose]: async () => {
      controller.abort();
      await ended;
    },
  });
}

suite("the run loop", () => {
  test("runs at once and then at each interval", async () => {
    const clock = new ManualClock();
    await using loop = start(clock);
    await until("first", () => clock.pending === 1);
    await clock.advance(59_999);
    assert.equal(loop.runs, 1);
    await clock.advance(1);
    assert.equal(loop.runs, 2);
  });

  test("backs off after failures, up to the cap, and recovers", async () => {
    const clock = new ManualClock();
    await using loop = start(clock);
    await until("first", () => clock.pending === 1);
    loop.failing = true;
    await clock.advance(60_000 + 1_000 + 2_000 + 4_000 + 4_000);
    assert.deepEqual(loop.delays, [1_000, 2_000, 4_000, 4_000, 4_000]);
    loop.failing = false;
    await clock.advance(4_000);
    const runs = loop.runs;
    await clock.advance(59_999);
    assert.equal(loop.runs, runs);
  });

  test("an interval that follows from the run is asked after it", async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    let [runs, interval] = [0, 1];
    const ended = runRepeatedly({
      clock,
      random: () => 1,
      signal: controller.signal,
      intervalMs: () => interval,
      retry: { firstMs: 1, maxMs: 1 },
      run: async () => {
        runs++;
        interval = 60_000;
      },
    });
    await until("first", () => clock.pending === 1);
    await clock.advance(59_999);
    assert.equal(runs, 1);
    controller.abort();
    await ended;
  });

  test("a bell runs it now", async () => {
    const clock = new ManualClock();
    const bell = new Bell();
    await using loop = start(clock, bell);
    await until("first", () => clock.pending === 1);
    bell.ring();
    await until("second", () => loop.runs === 2);
  });

  test("a ring while it works is not lost", async () => {
    const bell = new Bell();
    bell.ring();
    let heard = 0;
    using _listening = bell.listen(() => heard++);
    assert.equal(heard, 1);
  });

  test("a machine that slept past the time runs soon after it wakes", async () => {
    const clock = new ManualClock();
    await using loop = start(clock);
    await until("first", () => clock.pending === 1);
    clock.jump(3_600_000);
    await clock.advance(15_000);
    assert.equal(loop.runs, 2);
  });

  test("a clock set back by a year does not stop it", async () => {
    const clock = new ManualClock();
    await using loop = start(clock);
    await until("first", () => clock.pending === 1);
    clock.jump(-365 * 86_400_000);
    await clock.advance(60_000);
    assert.equal(loop.runs, 2);
  });
});
