import { messageOf, type Clock, type Logger } from "#base/kernel";

/** So that many items that expire one after the other are swept together. */
const MIN_GAP_MS = 100;
/** The wall clock may be set forward, which no timer notices: look again at least this often. */
const MAX_WAIT_MS = 60_000;
/** After a sweep that failed (a full disk): soon, but not in a tight loop. */
const RETRY_MS = 1_000;

/** Deletes expired items soon after their time; a timer runs only while some item expires at all. */
export class Sweeper implements Disposable {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #sweep: (now: number) => Promise<number | undefined>;
  #next: number | undefined;
  #timer: Disposable | undefined;
  #sweeping = false;
  #earliest = -Infinity;
  #closed = false;

  /** `sweep` deletes what expired by `now` and gives the time of the next expiry, if there is one. */
  constructor(options: {
    clock: Clock;
    logger: Logger;
    sweep: (now: number) => Promise<number | undefined>;
  }) {
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#sweep = options.sweep;
  }

  /** An item that expires at `at` was written. */
  note(at: number | undefined): void {
    if (at === undefined || at >= (this.#next ?? Infinity)) return;
    this.#next = at;
    this.#arm();
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#timer?.[Symbol.dispose]();
  }

  #arm(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    if (this.#next === undefined || this.#sweeping || this.#closed) return;
    const gap = Math.max(0, this.#earliest - this.#clock.monotonic());
    const wait = Math.min(Math.max(this.#next - this.#clock.now(), gap), MAX_WAIT_MS);
    this.#timer = this.#clock.timer(wait, () => void this.#fire());
  }

  async #fire(): Promise<void> {
    const now = this.#clock.now();
    if (this.#next !== undefined && this.#next <= now) await this.#run(now);
    this.#arm();
  }

  /** Items noted while the sweep runs may be earlier than what it found: the smaller one counts. */
  async #run(now: number): Promise<void> {
    this.#sweeping = true;
    const before = this.#next;
    this.#next = undefined;
    try {
      const left = await this.#sweep(now);
      this.#next = earlier(this.#next, left);
      this.#earliest = this.#clock.monotonic() + MIN_GAP_MS;
    } catch (error) {
      this.#next = earlier(this.#next, before);
      this.#earliest = this.#clock.monotonic() + RETRY_MS;
      if (!this.#closed)
        this.#logger.warn("expired items stay for now", { error: messageOf(error) });
    } finally {
      this.#sweeping = false;
    }
  }
}

const earlier = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
