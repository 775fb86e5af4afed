import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FIRST_WINDOWS, LAST_WINDOWS, WindowEstimator, type WindowSample } from "./mux-window.ts";

const MiB = 1024 * 1024;

/** A path that carries `bytesPerMs` with a round trip of `ms`, as one stream fills it. */
function run(estimator: WindowEstimator, path: { bytesPerMs: number; ms: number }): void {
  // Credit comes back by half windows, so that half a window may be all that is in flight.
  const inFlight = estimator.windows.stream / 2;
  const elapsedMs = Math.max(path.ms, inFlight / path.bytesPerMs);
  const bytes = Math.min(inFlight, path.bytesPerMs * elapsedMs);
  estimator.roundTrip(elapsedMs);
  estimator.sample({ elapsedMs, sessionBytes: bytes, streamBytes: bytes, busyStreams: 0 });
}

function estimatorAt(ms: number): WindowEstimator {
  const estimator = new WindowEstimator();
  estimator.roundTrip(ms);
  return estimator;
}

const sample = (
  elapsedMs: number,
  sessionBytes: number,
  streamBytes: number,
  busyStreams = 0,
): WindowSample => ({ elapsedMs, sessionBytes, streamBytes, busyStreams });

describe("WindowEstimator", () => {
  test("grows until a long path is full, in a few round trips, and not much further", () => {
    const content = 50_000 * 40;
    const estimator = estimatorAt(40);
    for (let i = 0; i < 5; i += 1) run(estimator, { bytesPerMs: 50_000, ms: 40 });
    assert.ok(estimator.windows.stream >= 2 * content, `${estimator.windows.stream}`);
    for (let i = 0; i < 50; i += 1) run(estimator, { bytesPerMs: 50_000, ms: 40 });
    assert.ok(estimator.windows.stream <= 5 * content, `${estimator.windows.stream}`);
  });

  test("stays small on a short path, however fast", () => {
    const estimator = estimatorAt(0.1);
    for (let i = 0; i < 100; i += 1) run(estimator, { bytesPerMs: 600_000, ms: 0.1 });
    assert.deepEqual(estimator.windows, FIRST_WINDOWS);
  });

  test("never passes the largest", () => {
    const estimator = estimatorAt(1_000);
    estimator.sample(sample(1_000, 1e10, 1e10));
    assert.deepEqual(estimator.windows, LAST_WINDOWS);
  });

  test("gives streams what the busiest needs, and the session what all need", () => {
    const estimator = estimatorAt(40);
    estimator.sample(sample(40, 8 * MiB, MiB));
    assert.deepEqual(estimator.windows, { stream: 4 * MiB, session: 32 * MiB });
  });

  test("a queue is no reason to grow", () => {
    const estimator = estimatorAt(10);
    estimator.sample(sample(10, MiB, MiB));
    const before = estimator.windows;
    estimator.roundTrip(100);
    estimator.sample(sample(100, 10 * MiB, 10 * MiB));
    assert.deepEqual(estimator.windows, before);
  });

  test("says nothing when the change is not worth it, or nothing is known", () => {
    assert.equal(new WindowEstimator().sample(sample(40, MiB, MiB)), undefined);
    const estimator = estimatorAt(40);
    assert.ok(estimator.sample(sample(40, MiB, MiB)));
    assert.equal(estimator.sample(sample(40, 1.1 * MiB, 1.1 * MiB)), undefined);
    assert.equal(estimator.sample(sample(0, MiB, MiB)), undefined);
  });

  test("a stream that is busy alone gets the share of two, until it is not alone any more", () => {
    const estimator = estimatorAt(0.1);
    const { stream } = FIRST_WINDOWS;
    assert.equal(estimator.sample(sample(10, MiB, MiB, 1))?.stream, 2 * stream);
    assert.equal(estimator.sample(sample(10, MiB, MiB, 2))?.stream, stream);
    for (let i = 0; i < 10; i += 1) estimator.sample(sample(10, MiB, MiB, 1));
    assert.equal(estimator.windows.stream, 2 * stream);
    estimator.relax();
    assert.deepEqual(estimator.windows, FIRST_WINDOWS);
  });

  test("forgets what one whole interval did not need", () => {
    const estimator = estimatorAt(40);
    estimator.sample(sample(40, 8 * MiB, MiB));
    assert.equal(estimator.relax(), undefined);
    assert.deepEqual(estimator.relax(), FIRST_WINDOWS);
  });
});
