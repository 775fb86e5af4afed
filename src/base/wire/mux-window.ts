/** How many bytes the peer may send before it must wait for us. */
export interface Windows {
  /** On each stream: what a reader that stalls holds in memory. */
  readonly stream: number;
  /** On all together: what a small message waits behind. */
  readonly session: number;
}

/** Enough for full speed within one data centre; small enough that others wait 3 ms at most. */
export const FIRST_WINDOWS: Windows = { stream: 256 * 1024, session: 1024 * 1024 };
/** 400 MB/s on one stream over 40 ms; beyond it the memory of stalled readers costs more. */
export const LAST_WINDOWS: Windows = { stream: 16 * 1024 * 1024, session: 64 * 1024 * 1024 };

/**
 * HTTP/2 receivers give credit back when half a window is consumed, so a sender may be left with
 * half a window in flight: twice the path's content is what keeps it busy, and twice that lets the
 * window double while it limits.
 */
const GAIN = 4;
/** Changes smaller than this are not worth a frame. */
const WORTH_IT = 1.25;

/** What came in during one measurement: a round trip, and longer where that is very short. */
export interface WindowSample {
  readonly elapsedMs: number;
  /** On all streams. */
  readonly sessionBytes: number;
  /** On the stream that got most. */
  readonly streamBytes: number;
}

/**
 * Sizes the windows to bandwidth × round trip, measured like gRPC's estimator with pings, but with
 * the shortest round trip seen: a longer one is a queue, and a larger window would only lengthen it.
 * A window that limits doubles with each round trip; `relax` forgets what the last interval did not
 * need.
 */
export class WindowEstimator {
  #windows = FIRST_WINDOWS;
  #needed = FIRST_WINDOWS;
  #shortestMs = Infinity;

  get windows(): Windows {
    return this.#windows;
  }

  get shortestRoundTripMs(): number {
    return this.#shortestMs;
  }

  roundTrip(ms: number): void {
    this.#shortestMs = Math.min(this.#shortestMs, ms);
  }

  /** The larger windows that the sample asks for, if any. */
  grow(sample: WindowSample): Windows | undefined {
    if (sample.elapsedMs <= 0 || this.#shortestMs === Infinity) return undefined;
    const factor = GAIN * (this.#shortestMs / sample.elapsedMs);
    const stream = clamp(sample.streamBytes * factor, FIRST_WINDOWS.stream, LAST_WINDOWS.stream);
    const session = clamp(
      sample.sessionBytes * factor,
      FIRST_WINDOWS.session,
      LAST_WINDOWS.session,
    );
    this.#needed = larger(this.#needed, { stream, session });
    return this.#moveTo(larger(this.#windows, this.#needed));
  }

  /** Call once in a while: the smaller windows that the time since the last call needed, if so. */
  relax(): Windows | undefined {
    const needed = this.#needed;
    this.#needed = FIRST_WINDOWS;
    return this.#moveTo(needed);
  }

  #moveTo(target: Windows): Windows | undefined {
    const changed =
      differs(target.stream, this.#windows.stream) ||
      differs(target.session, this.#windows.session);
    if (!changed) return undefined;
    this.#windows = target;
    return target;
  }
}

const clamp = (value: number, low: number, high: number): number =>
  Math.round(Math.min(Math.max(value, low), high));

const larger = (a: Windows, b: Windows): Windows => ({
  stream: Math.max(a.stream, b.stream),
  session: Math.max(a.session, b.session),
});

const differs = (a: number, b: number): boolean => Math.max(a, b) > Math.min(a, b) * WORTH_IT;
