import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { accessDenied, badParameter, silentLogger, unavailable } from "#base/kernel";
import { Metrics } from "#base/observe";
import type { Enrolment } from "#services/enrolment";
import { ManualClock } from "#testing/clock";
import { BotIdentity } from "./identity.ts";
import { createBotMetrics } from "./metrics.ts";
import { renew } from "./renewal.ts";

const MINUTE = 60_000;

interface World {
  readonly oneshot?: boolean;
  /** What each attempt does, from the first; the last one goes on. */
  readonly prepare?: readonly (Error | undefined)[];
  readonly run?: readonly (Error | undefined)[];
  readonly lifeMs?: number;
}

async function setUp({
  oneshot = false,
  prepare = [],
  run = [],
  lifeMs = 60 * MINUTE,
}: World = {}) {
  const clock = new ManualClock();
  const identity = new BotIdentity({ current: undefined } as unknown as Enrolment);
  const metrics = new Metrics();
  const { tasks, expiry } = createBotMetrics(metrics, clock);
  const stop = new AbortController();
  const said: string[] = [];
  const ranAt: number[] = [];
  let prepared = 0;
  const fail = (errors: readonly (Error | undefined)[], count: number): void => {
    const error = errors[Math.min(count, errors.length - 1)];
    if (error) throw error;
  };
  const ended = renew({
    configuration: { type: "test", name: "test-1" },
    dependencies: {
      identity,
      clock,
      random: () => 1,
      log: silentLogger,
      tasks,
      expiry,
      oneshot,
      defaults: { credentialTtlMs: 60 * MINUTE, renewalIntervalMs: 20 * MINUTE },
    },
    signal: stop.signal,
    report: (state, reason) => said.push(reason === undefined ? state : `${state}: ${reason}`),
    task: "renew",
    prepare: async () => fail(prepare, prepared++),
    run: async () => {
      ranAt.push(clock.monotonic());
      fail(run, ranAt.length - 1);
      return clock.now() + lifeMs;
    },
  });
  ended.catch(() => {});
  const finish = async (): Promise<void> => {
    stop.abort();
    await ended;
  };
  await clock.advance(0);
  return { clock, identity, metrics, said, ranAt, ended, finish };
}

suite("a renewal", () => {
  test("runs at once and then at its interval", async () => {
    const { clock, ranAt, said, finish } = await setUp();
    await clock.advance(61 * MINUTE);
    assert.deepEqual(ranAt, [0, 20 * MINUTE, 40 * MINUTE, 60 * MINUTE]);
    assert.deepEqual(new Set(said), new Set(["healthy"]));
    await finish();
  });

  test("runs at half of the certificate's life where the cluster gave less", async () => {
    const { clock, ranAt, finish } = await setUp({ lifeMs: 2 * MINUTE });
    await clock.advance(3.5 * MINUTE);
    assert.deepEqual(ranAt, [0, MINUTE, 2 * MINUTE, 3 * MINUTE]);
    await finish();
  });

  test("does not spin where it gave nearly nothing", async () => {
    const { clock, ranAt, finish } = await setUp({ lifeMs: 100 });
    await clock.advance(5_500);
    assert.deepEqual(ranAt, [0, 1_000, 2_000, 3_000, 4_000, 5_000]);
    await finish();
  });

  test("runs when it is asked to, also right after a run", async () => {
    const { clock, identity, ranAt, finish } = await setUp();
    await clock.advance(MINUTE);
    identity.askRenewal();
    await clock.advance(0);
    assert.deepEqual(ranAt, [0, MINUTE]);
    await finish();
  });

  test("tries again soon, ever less often, and is unhealthy meanwhile", async () => {
    const { clock, ranAt, said, metrics, finish } = await setUp({ run: [unavailable("gone")] });
    await clock.advance(2 * MINUTE);
    const waits = ranAt.slice(1).map((at, index) => at - ranAt[index]!);
    assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    assert.deepEqual(new Set(said), new Set(["unhealthy: gone"]));
    assert.match(await metrics.text(), /^tbot_task_iterations_failed\{.*"test-1".*\} 8$/m);
    await finish();
  });

  test("does not wait when the cluster is heard again", async () => {
    const gone = unavailable("gone");
    const { clock, identity, ranAt, said, finish } = await setUp({
      run: [gone, gone, gone, undefined],
    });
    await clock.advance(4_000);
    assert.deepEqual(ranAt, [0, 1_000, 3_000]);
    identity.reached();
    await clock.advance(0);
    assert.equal(ranAt.at(-1), 4_000);
    assert.equal(said.at(-1), "healthy");
    identity.reached();
    await clock.advance(MINUTE);
    assert.equal(ranAt.length, 4);
    await finish();
  });

  test("waits for what it needs here, and asks the cluster for nothing before", async () => {
    const blocked = unavailable("cannot write");
    const { clock, ranAt, said, finish } = await setUp({ prepare: [blocked, blocked, undefined] });
    await clock.advance(10_000);
    assert.deepEqual(ranAt, [3_000]);
    assert.deepEqual(said, ["unhealthy: cannot write", "unhealthy: cannot write", "healthy"]);
    await finish();
  });

  test("gives up where only another configuration can help", async () => {
    const { ended } = await setUp({ prepare: [badParameter("too long")] });
    await assert.rejects(ended, { code: "bad_parameter", message: "too long" });
  });

  test("goes on when the cluster calls it bad, for that may change", async () => {
    const { clock, ranAt, finish } = await setUp({
      run: [badParameter("no such role"), undefined],
    });
    await clock.advance(2_000);
    assert.equal(ranAt.length, 2);
    await finish();
  });
});

suite("a renewal of a one-shot bot", () => {
  test("runs once", async () => {
    const { ended, said, ranAt } = await setUp({ oneshot: true });
    await ended;
    assert.deepEqual([said, ranAt.length], [["healthy"], 1]);
  });

  test("tries three times what may pass", async () => {
    const { clock, ended, ranAt } = await setUp({ oneshot: true, run: [unavailable("gone")] });
    await clock.advance(MINUTE);
    await assert.rejects(ended, { code: "unavailable" });
    assert.deepEqual(ranAt, [0, 1_000, 3_000]);
  });

  test("tries once what is refused", async () => {
    const { ended, ranAt } = await setUp({ oneshot: true, run: [accessDenied("no")] });
    await assert.rejects(ended, { code: "access_denied" });
    assert.equal(ranAt.length, 1);
  });

  test("asks for nothing when it cannot write", async () => {
    const { ended, ranAt } = await setUp({ oneshot: true, prepare: [unavailable("cannot write")] });
    await assert.rejects(ended, { code: "unavailable" });
    assert.equal(ranAt.length, 0);
  });
});
