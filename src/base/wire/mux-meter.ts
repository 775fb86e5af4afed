import type { Clock } from "#base/kernel";
import type { MuxStream } from "./mux-stream.ts";
import { WindowEstimator, type Windows } from "./mux-window.ts";

/** Less than this since the last measurement says nothing about the bandwidth. */
const WORTH_MEASURING = 64 * 1024;
/** A shorter look would take one burst for the bandwidth; and more pings would cost something. */
const LOOK_MS = 10;
/** In one look; an interactive stream stays far below. */
const BUSY_BYTES = 64 * 1024;
/** The first round trips of a connection meet cold code and a busy start. */
const FIRST_PINGS = 4;

export interface MeterOptions {
  readonly clock: Clock;
  /** Sends one; false when it cannot be sent now. */
  readonly ping: (answered: () => void) => boolean;
  readonly resize: (windows: Windows) => void;
}

/** Measures what a session receives, and asks for larger windows where they limit it. */
export class Meter {
  readonly estimator = new WindowEstimator();
  readonly #options: MeterOptions;
  #pings = 0;
  #measuring = false;
  #answered = false;
  #start = -Infinity;
  #unmeasured = 0;
  #round = 0;
  #bytes = 0;
  #largest = 0;
  #busy = 0;

  constructor(options: MeterOptions) {
    this.#options = options;
  }

  received(stream: MuxStream, bytes: number): void {
    if (!this.#measuring) {
      this.#unmeasured += bytes;
      if (this.#unmeasured >= WORTH_MEASURING) this.measure();
      return;
    }
    this.#count(stream, bytes);
    if (this.#answered) this.#finishIfLongEnough();
  }

  /** Sends a ping now, unless one is under way. */
  measure(): void {
    if (this.#measuring && !this.#answered) return;
    this.#start = this.#options.clock.monotonic();
    this.#measuring = this.#options.ping(() => this.#pong());
    this.#answered = false;
    this.#unmeasured = 0;
    this.#round += 1;
    this.#bytes = 0;
    this.#largest = 0;
    this.#busy = 0;
  }

  #pong(): void {
    this.#answered = true;
    this.#pings += 1;
    this.estimator.roundTrip(this.#options.clock.monotonic() - this.#start);
    this.#finishIfLongEnough();
  }

  #count(stream: MuxStream, bytes: number): void {
    if (stream.round !== this.#round) {
      stream.round = this.#round;
      stream.roundBytes = 0;
    }
    const before = stream.roundBytes;
    stream.roundBytes += bytes;
    if (before < BUSY_BYTES && stream.roundBytes >= BUSY_BYTES) this.#busy += 1;
    this.#bytes += bytes;
    if (stream.roundBytes > this.#largest) this.#largest = stream.roundBytes;
  }

  #finishIfLongEnough(): void {
    const elapsedMs = this.#options.clock.monotonic() - this.#start;
    if (elapsedMs < LOOK_MS && this.#bytes > 0) return;
    this.#measuring = false;
    const windows = this.estimator.sample({
      elapsedMs,
      sessionBytes: this.#bytes,
      streamBytes: this.#largest,
      busyStreams: this.#busy,
    });
    if (windows) this.#options.resize(windows);
    if (this.#bytes >= WORTH_MEASURING || this.#pings < FIRST_PINGS) this.measure();
  }
}
