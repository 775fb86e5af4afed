import { backoffDelay, codeOf, sleep, type Clock, type Logger } from "#base/kernel";
import type { Store, Write } from "#base/storage";

/** At some KiB an event, what a store that is away for a while may cost in memory. */
export const MAX_QUEUED = 10_000;
/** Events of one commit: half a batch of the store. */
const MAX_BATCH = 500;
const RETRY = { firstMs: 100, maxMs: 10_000 };
/** A commit that fails with one of these would fail again: it is the event, not the store. */
const HOPELESS: ReadonlySet<string> = new Set(["bad_parameter", "limit_exceeded"]);

export interface EventQueueOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  /** Counts what becomes of events: for a metric. */
  readonly count?: (outcome: "written" | "refused", events: number) => void;
}

/** Brings writes to the store in order, in batches, and waits while the store fails. */
export class EventQueue implements AsyncDisposable {
  readonly #options: EventQueueOptions;
  readonly #closing = new AbortController();
  readonly #queue: Write[] = [];
  #draining: Promise<void> | undefined;

  constructor(options: EventQueueOptions) {
    this.#options = options;
  }

  /** False when the queue is full or closed. */
  push(...writes: readonly Write[]): boolean {
    const full = this.#queue.length + writes.length > MAX_QUEUED;
    if (full || this.#closing.signal.aborted) return false;
    this.#queue.push(...writes);
    this.#draining ??= this.#drain();
    return true;
  }

  /** Resolves when all that was pushed is durable; waits as long as the store fails. */
  async flush(): Promise<void> {
    await this.#draining;
  }

  /** What the store still refuses when the queue closes is lost, and logged. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#draining;
  }

  async #drain(): Promise<void> {
    // Events of one turn of the event loop share a commit.
    await Promise.resolve();
    let [failures, size] = [0, MAX_BATCH];
    while (this.#queue.length > 0) {
      const batch = this.#queue.slice(0, size);
      const failure = await this.#commit(batch);
      if (!failure || (HOPELESS.has(codeOf(failure)) && batch.length === 1)) {
        this.#done(batch, failure);
        [failures, size] = [0, failure ? 1 : MAX_BATCH];
      } else if (HOPELESS.has(codeOf(failure))) {
        size = 1;
      } else {
        if (this.#closing.signal.aborted) break;
        await this.#wait(failures++);
      }
    }
    this.#draining = undefined;
    this.#giveUp();
  }

  async #commit(batch: readonly Write[]): Promise<Error | undefined> {
    try {
      await this.#options.store.commit(batch);
      return undefined;
    } catch (error) {
      const events = this.#queue.length;
      this.#options.logger.warn("the audit log cannot be written", { error, events });
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  #done(batch: readonly Write[], failure: Error | undefined): void {
    this.#queue.splice(0, batch.length);
    this.#options.count?.(failure ? "refused" : "written", batch.length);
    if (failure) this.#options.logger.error("the store refused an event", { error: failure });
  }

  async #wait(failures: number): Promise<void> {
    const { clock, random } = this.#options;
    const delay = backoffDelay(RETRY, failures, random);
    // Closing cuts the wait short: then one try is left.
    await sleep(clock, delay, this.#closing.signal).catch(() => undefined);
  }

  #giveUp(): void {
    const events = this.#queue.length;
    if (events === 0) return;
    this.#options.logger.error("events were lost: the store failed until the end", { events });
    this.#options.count?.("refused", events);
    this.#queue.length = 0;
  }
}
