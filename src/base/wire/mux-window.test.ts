import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FIRST_WINDOWS, LAST_WINDOWS, WindowEstimator } from "./mux-window.ts";

const MiB = 1024 * 1024;

/** A path that carries `bytesPerMs` with a round trip of `ms`, as one stream fills it. */
function run(estimator: WindowEstimator, path: { bytesPerMs: number; ms: number }): void {
  const { stream, session } = estimator.windows;
  const inFlight = Math.min(stream, session);
  const roundTripMs = Math.max(path.ms, inFlight / path.bytesPerMs);
  const bytes = Math.min(inFlight, path.bytesPerMs * roundTripMs);
  estimator.grow({ roundTripMs, sessionBytes: bytes, streamBytes: bytes });
}

describe("WindowEstimator", () => {
  test("grows to twice the content of a long path, in a few round trips", () => {
    const estimator = new WindowEstimator();
    for (let i = 0; i < 6; i += 1) run(estimator, { bytesPerMs: 100_000, ms: 40 });
    assert.ok(estimator.windows.stream >= 4_000_000, `${estimator.windows.stream}`);
    for (let i = 0; i < 50; i += 1) run(estimator, { bytesPerMs: 100_000, ms: 40 });
    assert.ok(estimator.windows.stream <= 10_000_000, `${estimator.windows.stream}`);
  });

  test("stays small on a short path, however fast", () => {
    const estimator = new WindowEstimator();
    estimator.grow({ roundTripMs: 0.1, sessionBytes: 0, streamBytes: 0 });
    for (let i = 0; i < 100; i += 1) run(estimator, { bytesPerMs: 600_000, ms: 0.1 });
    assert.deepEqual(estimator.windows, FIRST_WINDOWS);
  });

  test("never passes the largest", () => {
    const estimator = new WindowEstimator();
    estimator.grow({ roundTripMs: 1_000, sessionBytes: 1e10, streamBytes: 1e10 });
    assert.deepEqual(estimator.windows, LAST_WINDOWS);
  });

  test("gives streams what the busiest needs, and the session what all need", () => {
    const estimator = new WindowEstimator();
    estimator.grow({ roundTripMs: 40, sessionBytes: 8 * MiB, streamBytes: MiB });
    assert.deepEqual(estimator.windows, { stream: 2 * MiB, session: 16 * MiB });
  });

  test("a queue is no reason to grow", () => {
    const estimator = new WindowEstimator();
    estimator.grow({ roundTripMs: 10, sessionBytes: MiB, streamBytes: MiB });
    const before = estimator.windows;
    estimator.grow({ roundTripMs: 100, sessionBytes: 10 * MiB, streamBytes: 10 * MiB });
    assert.deepEqual(estimator.windows, before);
  });

  test("says nothing when the change is not worth it", () => {
    const estimator = new WindowEstimator();
    assert.ok(estimator.grow({ roundTripMs: 40, sessionBytes: MiB, streamBytes: MiB }));
    const more = 1.1 * MiB;
    assert.equal(
      estimator.grow({ roundTripMs: 40, sessionBytes: more, streamBytes: more }),
      undefined,
    );
  });

  test("forgets what one whole interval did not need", () => {
    const estimator = new WindowEstimator();
    estimator.grow({ roundTripMs: 40, sessionBytes: 8 * MiB, streamBytes: MiB });
    assert.equal(estimator.relax(), undefined);
    assert.deepEqual(estimator.relax(), FIRST_WINDOWS);
  });
});
