import { CodedError, limitExceeded, unavailable, type Clock, type Logger } from "#base/kernel";
import type { IssuerKeys, KeySet } from "#domain/join";

/** How long a key that the issuer withdrew may still be taken. */
const FRESH_MS = 10 * 60_000;
/** How long an issuer may be out of reach before its keys are no longer believed. */
const STALE_MS = 60 * 60_000;
/** Strangers can name key ids that do not exist: so often they make us ask. */
const ROTATION_MS = 60_000;
/** So often an issuer that failed is asked again. */
const RETRY_MS = 10_000;
/** Issuers stand in tokens, which administrators write. */
const MAX_ISSUERS = 1_000;
/** Requests at the same time, one for each issuer at most. */
const MAX_REQUESTS = 32;

interface Known {
  keys?: KeySet;
  /** Of `keys`; monotonic milliseconds, as the others. */
  fetchedAt: number;
  askedAt: number;
  failure?: CodedError | undefined;
  asking?: Promise<KeySet> | undefined;
}

/** Asks an issuer for its keys; rejects with a code. */
export type FetchKeys = (issuer: string, signal: AbortSignal) => Promise<KeySet>;

/**
 * The keys of issuers, in memory. However many machines join at once, and whatever strangers send, an
 * issuer is asked by one request at a time, and no more often than the constants above say.
 */
export class Issuers implements IssuerKeys, Disposable {
  readonly #options: {
    readonly fetchKeys: FetchKeys;
    readonly clock: Clock;
    readonly logger: Logger;
  };
  readonly #known = new Map<string, Known>();
  readonly #closing = new AbortController();
  #requests = 0;

  constructor(options: { fetchKeys: FetchKeys; clock: Clock; logger: Logger }) {
    this.#options = options;
  }

  async find(issuer: string, kid: string | undefined): Promise<KeySet> {
    const known = this.#knownOf(issuer);
    if (known.asking) return await known.asking;
    const now = this.#options.clock.monotonic();
    if (!isDue(known, kid, now)) return answerFrom(known, now);
    known.asking = this.#ask(issuer, known);
    try {
      return await known.asking;
    } finally {
      known.asking = undefined;
    }
  }

  [Symbol.dispose](): void {
    this.#closing.abort();
  }

  #knownOf(issuer: string): Known {
    const found = this.#known.get(issuer);
    if (found) return found;
    const known = { fetchedAt: -Infinity, askedAt: -Infinity };
    this.#known.set(issuer, known);
    this.#forgetOldest();
    return known;
  }

  #forgetOldest(): void {
    if (this.#known.size <= MAX_ISSUERS) return;
    const [oldest] = this.#known.keys();
    if (oldest !== undefined) this.#known.delete(oldest);
  }

  async #ask(issuer: string, known: Known): Promise<KeySet> {
    const { clock, logger } = this.#options;
    known.askedAt = clock.monotonic();
    try {
      known.keys = await this.#fetch(issuer);
      known.fetchedAt = clock.monotonic();
      known.failure = undefined;
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      known.failure = error;
      logger.warn("an issuer of ID tokens did not give its keys", { issuer, error });
    }
    return answerFrom(known, clock.monotonic());
  }

  async #fetch(issuer: string): Promise<KeySet> {
    if (this.#requests >= MAX_REQUESTS)
      throw limitExceeded("too many issuers are being asked for their keys; try again");
    this.#requests++;
    try {
      return await this.#options.fetchKeys(issuer, this.#closing.signal);
    } finally {
      this.#requests--;
    }
  }
}

/** Whether the issuer is to be asked before it is answered for. */
function isDue(
  { keys, fetchedAt, askedAt, failure }: Known,
  kid: string | undefined,
  now: number,
): boolean {
  const asked = now - askedAt;
  if (failure) return asked >= RETRY_MS;
  if (!keys || now - fetchedAt >= FRESH_MS) return true;
  return !keys.has(kid) && asked >= ROTATION_MS;
}

/** Keys that are not too old serve while their issuer fails. */
function answerFrom({ keys, fetchedAt, failure }: Known, now: number): KeySet {
  if (keys && (!failure || now - fetchedAt < STALE_MS)) return keys;
  throw failure ?? unavailable("the issuer was not asked yet");
}
