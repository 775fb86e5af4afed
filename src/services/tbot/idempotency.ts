import { createHash } from "node:crypto";
import { alreadyExists, badParameter, limitExceeded } from "#base/kernel";

/** As many answers are kept; the oldest that are finished make room. */
const MAX_KEYS = 1_000;
const MAX_KEY_BYTES = 256;

interface Kept<T> {
  readonly digest: string;
  readonly answer: Promise<T>;
  finished: boolean;
}

/** Answers by the key of their request, so that a request that is made again is not done again. */
export class IdempotencyKeys<T> {
  readonly #kept = new Map<string, Kept<T>>();

  /**
   * The answer to the request of this key, made now if there is none yet. Throws `already_exists`
   * when the key was used for another request; what throws is not kept.
   */
  once(key: string, request: unknown, make: () => Promise<T>): Promise<T> {
    if (Buffer.byteLength(key) > MAX_KEY_BYTES)
      throw badParameter(`the idempotency key has over ${MAX_KEY_BYTES} bytes; use a shorter one`);
    const digest = createHash("sha256").update(JSON.stringify(request)).digest("base64");
    const kept = this.#kept.get(key);
    if (kept && kept.digest !== digest)
      throw alreadyExists(
        `the idempotency key "${key}" was used for another list; use a new key for a new list`,
      );
    return kept?.answer ?? this.#keep(key, digest, make);
  }

  #keep(key: string, digest: string, make: () => Promise<T>): Promise<T> {
    this.#makeRoom();
    const kept: Kept<T> = { digest, answer: make(), finished: false };
    this.#kept.set(key, kept);
    kept.answer.then(
      () => (kept.finished = true),
      () => this.#kept.delete(key),
    );
    return kept.answer;
  }

  #makeRoom(): void {
    if (this.#kept.size < MAX_KEYS) return;
    for (const [key, { finished }] of this.#kept) {
      if (finished) return void this.#kept.delete(key);
    }
    throw limitExceeded(
      `${MAX_KEYS} requests with idempotency keys are under way; try again later`,
    );
  }
}
