import { limitExceeded } from "./errors.ts";

/**
 * What was said and one reader has not taken yet. Who puts never waits; a reader that falls behind
 * by more than the limit gets what there is, and then `limit_exceeded`.
 */
export class Mailbox<T> {
  readonly #limit: number;
  #items: T[] = [];
  #overflown = false;
  #wake: () => void = () => {};

  constructor(limit: number) {
    this.#limit = limit;
  }

  put(item: T): void {
    if (this.#items.length < this.#limit) this.#items.push(item);
    else this.#overflown = true;
    this.#wake();
  }

  /** Ends when the signal aborts. For one reader. */
  async *read(signal: AbortSignal): AsyncGenerator<T, void, undefined> {
    while (!signal.aborted) {
      const items = this.#items;
      this.#items = [];
      yield* items;
      if (this.#items.length > 0) continue;
      if (this.#overflown)
        throw limitExceeded(
          `the reader fell more than ${this.#limit} messages behind, and some are lost; begin again`,
        );
      await this.#change(signal);
    }
  }

  async #change(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    signal.addEventListener("abort", () => resolve(), { once: true });
    await promise;
  }
}
