import { compareFailed, unavailable } from "#base/kernel";
import { changeOf, sizeOf, type FeedEntry } from "./entries.ts";
import type { Change } from "./store.ts";

/** What a store has beyond the feed's own memory. */
export interface FeedHistory {
  /** The position of the newest durable change: a reader cannot resume beyond it. */
  newest(): number;
  /** The first `limit` changes after `position`; `undefined` when some of them are gone. */
  after(position: number, limit: number): Promise<readonly FeedEntry[] | undefined>;
}

export interface FeedLimits {
  readonly entries: number;
  readonly bytes: number;
}

/** How many changes a reader takes at once before the others get their turn. */
const PAGE = 500;

/**
 * The newest changes, in memory, and the readers that follow them. A reader has no queue of its
 * own: it asks for what comes after its position, here first and then in the history, so a slow one
 * costs nothing and slows nobody.
 */
export class Feed {
  readonly #limits: FeedLimits;
  readonly #history: FeedHistory | undefined;
  readonly #waiting = new Set<() => void>();
  #entries: FeedEntry[] = [];
  #bytes = 0;
  /** Entries at or before this position are no longer here. */
  #forgotten: number;
  #newest: number;
  #closed = false;

  constructor(options: { position: number; limits: FeedLimits; history?: FeedHistory }) {
    this.#newest = options.position;
    this.#forgotten = options.position;
    this.#limits = options.limits;
    this.#history = options.history;
  }

  get position(): number {
    return this.#newest;
  }

  /** Takes the changes of one commit, which ended at `position`, and wakes the readers. */
  append(entries: readonly FeedEntry[], position: number): void {
    for (const entry of entries) {
      this.#entries.push(entry);
      this.#bytes += sizeOf(entry);
    }
    this.#newest = position;
    this.#trim();
    for (const wake of this.#waiting) wake();
  }

  /** Readers end when they have seen all that was appended; new ones are refused. */
  close(): void {
    this.#closed = true;
    for (const wake of this.#waiting) wake();
  }

  /** The position from which an absent `after` starts is taken now, not at the first `next()`. */
  watch(options: {
    readonly kinds?: readonly string[];
    readonly after?: number;
    readonly signal: AbortSignal;
  }): AsyncIterable<Change> {
    const kinds = options.kinds && new Set(options.kinds);
    return this.#follow(options.after ?? this.#newest, kinds, options.signal);
  }

  async *#follow(
    after: number,
    kinds: ReadonlySet<string> | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<Change, void, undefined> {
    if (this.#closed) throw unavailable("the store is closed");
    this.#checkStart(after);
    while (!signal.aborted) {
      const page = await this.#read(after);
      for (const entry of page) {
        after = entry.position;
        if (kinds && !kinds.has(entry.kind)) continue;
        yield changeOf(entry);
        if (signal.aborted) return;
      }
      if (page.length > 0 || after < this.#lastHere()) continue;
      if (this.#closed) return;
      await this.#changed(signal);
    }
  }

  #checkStart(after: number): void {
    if (after <= this.#newest) return;
    const newest = this.#history?.newest() ?? this.#newest;
    if (after <= newest) return;
    throw compareFailed(
      `position ${after} is ahead of this store, which is at ${newest}; list again, then watch`,
    );
  }

  async #read(after: number): Promise<readonly FeedEntry[]> {
    if (after >= this.#forgotten) return this.#pageAfter(after);
    if (this.#closed) throw unavailable("the store is closed");
    const page = await this.#history?.after(after, PAGE);
    if (page) return page;
    throw compareFailed(
      `the changes after position ${after} are no longer all kept; list again, then watch from there`,
    );
  }

  #pageAfter(after: number): readonly FeedEntry[] {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#entries[middle]!.position <= after) low = middle + 1;
      else high = middle;
    }
    return this.#entries.slice(low, low + PAGE);
  }

  #lastHere(): number {
    return this.#entries.at(-1)?.position ?? this.#forgotten;
  }

  #changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener("abort", wake, { once: true });
      if (signal.aborted || this.#closed) wake();
    });
  }

  /** Drops the oldest in one go when a quarter too many have gathered: `splice` moves all others. */
  #trim(): void {
    const { entries, bytes } = this.#limits;
    if (this.#entries.length <= entries * 1.25 && this.#bytes <= bytes) return;
    let drop = 0;
    while (
      this.#entries.length - drop > entries ||
      (this.#bytes > bytes && drop < this.#entries.length)
    ) {
      this.#bytes -= sizeOf(this.#entries[drop]!);
      drop += 1;
    }
    this.#forgotten = this.#entries[drop - 1]!.position;
    this.#entries.splice(0, drop);
  }
}
