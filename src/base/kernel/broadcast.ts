import { limitExceeded } from "./errors.ts";

/**
 * One producer, many consumers, each with its own bounded queue. A consumer that falls `limit`
 * messages behind is ended with `limit_exceeded` and must start again from a fresh state; it never
 * slows the others down.
 */
export class Broadcast<T> {
  readonly #consumers = new Set<Consumer<T>>();
  #closed = false;

  send(message: T): void {
    for (const consumer of this.#consumers) consumer.push(message);
  }

  /** Subscribes at once: messages sent before the first `next()` are kept. */
  subscribe(options: { signal: AbortSignal; limit?: number }): AsyncIterableIterator<T> {
    const consumer = new Consumer<T>(options.limit ?? 10_000, () =>
      this.#consumers.delete(consumer),
    );
    if (this.#closed || options.signal.aborted) consumer.end();
    else this.#consumers.add(consumer);
    options.signal.addEventListener("abort", () => consumer.end(), { once: true });
    return consumer;
  }

  close(): void {
    this.#closed = true;
    for (const consumer of this.#consumers) consumer.end();
  }
}

class Consumer<T> implements AsyncIterableIterator<T> {
  readonly #queue: T[] = [];
  readonly #limit: number;
  readonly #leave: () => void;
  #waiting: PromiseWithResolvers<IteratorResult<T>> | undefined;
  #ended = false;
  #failure: Error | undefined;

  constructor(limit: number, leave: () => void) {
    this.#limit = limit;
    this.#leave = leave;
  }

  push(message: T): void {
    if (this.#waiting) {
      this.#waiting.resolve({ done: false, value: message });
      this.#waiting = undefined;
      return;
    }
    if (this.#queue.length >= this.#limit) {
      this.#failure = limitExceeded(
        `the reader fell ${this.#limit} messages behind; read the state again and subscribe anew`,
      );
      this.#queue.length = 0;
      this.end();
      return;
    }
    this.#queue.push(message);
  }

  end(): void {
    this.#ended = true;
    this.#leave();
    this.#waiting?.resolve({ done: true, value: undefined });
    this.#waiting = undefined;
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#queue.length > 0)
      return Promise.resolve({ done: false, value: this.#queue.shift()! });
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  return(): Promise<IteratorResult<T>> {
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
