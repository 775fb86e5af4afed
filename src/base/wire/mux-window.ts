/** How many bytes the peer may send before it must wait for us. */
export interface Windows {
  /** On each stream: what a reader that stalls holds in memory. */
  readonly stream: number;
  /** On all together: what a small message waits behind. */
  readonly session: number;
}

/**
 * What every session starts with. A stream's window is what others wait behind: with 256 KiB each,
 * four busy ones hold up a small message for 3 to 5 ms.
 */
export const FIRST_WINDOWS: Windows = { stream: 256 * 1024, session: 4 * 1024 * 1024 };
/** 400 MB/s on one stream over 40 ms; beyond it the memory of stalled readers costs more. */
export const LAST_WINDOWS: Windows = { stream: 16 * 1024 * 1024, session: 64 * 1024 * 1024 };
/**
 * Larger batches cost a tenth less CPU, so a stream that is busy alone gets what two together have:
 * a small message waits no longer for it.
 */
const BUSY_SHARE = 2 * FIRST_WINDOWS.stream;
/** Of the streams that were busy, this part is remembered from one sample to the next. */
const BUSY_MEMORY = 0.9;

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
  /** Streams that got more than a little. */
  readonly busyStreams: number;
}

/**
 * Sizes the windows to bandwidth × round trip, measured like gRPC's estimator with pings, but with
 * the shortest round trip seen: a longer one is a queue, and a larger window would only lengthen it.
 * A window that limits doubles with each round trip; `relax` forgets what the last interval did not
 * need.
 */
export class WindowEstimator {
  #windows = FIRST_WINDOWS;
  /** By bandwidth × round trip, since the last `relax` but one. */
  #grown = FIRST_WINDOWS;
  #needed = FIRST_WINDOWS;
  #busy = 0;
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

  /** The windows that the sample asks for, if they should change. */
  sample(sample: WindowSample): Windows | undefined {
    if (sample.elapsedMs <= 0 || this.#shortestMs === Infinity) return undefined;
    const factor = GAIN * (this.#shortestMs / sample.elapsedMs);
    const stream = clamp(sample.streamBytes * factor, FIRST_WINDOWS.stream, LAST_WINDOWS.stream);
    const session = clamp(
      sample.sessionBytes * factor,
      FIRST_WINDOWS.session,
      LAST_WINDOWS.session,
    );
    this.#needed = larger(this.#needed, { stream, session });
    this.#grown = larger(this.#grown, this.#needed);
    this.#busy = Math.max(sample.busyStreams, this.#busy * BUSY_MEMORY);
    return this.#move();
  }

  /** Call once in a while: the smaller windows that the time since the last call needed, if so. */
  relax(): Windows | undefined {
    this.#grown = this.#needed;
    this.#needed = FIRST_WINDOWS;
    this.#busy = 0;
    return this.#move();
  }

  #move(): Windows | undefined {
    const busy = Math.round(this.#busy);
    const share = busy === 0 ? FIRST_WINDOWS.stream : Math.floor(BUSY_SHARE / busy);
    const target = larger(this.#grown, { stream: share, session: 0 });
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
