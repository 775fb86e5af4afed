import { limitExceeded, Recent, type Clock } from "#base/kernel";

/** The first few failures cost nothing: people mistype. */
const FREE_FAILURES = 5;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15 * 60_000;
/** Failures are forgotten after a quiet hour. */
const MEMORY_MS = 3_600_000;
/** Accounts and addresses that are remembered; beyond that the one that was quiet longest goes. */
const MAX_KEYS = 20_000;

interface Record {
  readonly failures: number;
  readonly at: number;
  readonly until: number;
}

/**
 * Slows down whoever guesses: after a few failures each doubles the wait, by account and by address.
 * In memory: a restart forgives, which is worth less than one more guess.
 */
export class Throttle {
  readonly #clock: Clock;
  /** In order of last failure. */
  readonly #records = new Recent<Record>(MAX_KEYS);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `limit_exceeded`, with the seconds that are left, while any of the keys must wait. */
  check(keys: readonly string[]): void {
    const now = this.#clock.monotonic();
    const left = Math.max(...keys.map((key) => (this.#of(key)?.until ?? 0) - now));
    if (left <= 0) return;
    throw limitExceeded(
      `too many failed attempts to sign in; try again in ${Math.ceil(left / 1_000)} s`,
    );
  }

  failed(keys: readonly string[]): void {
    const now = this.#clock.monotonic();
    for (const key of keys) {
      const failures = (this.#of(key)?.failures ?? 0) + 1;
      this.#records.set(key, { failures, at: now, until: now + waitAfter(failures) });
    }
  }

  /** Whoever got in may mistype again; the address of others keeps its record. */
  succeeded(key: string): void {
    this.#records.delete(key);
  }

  #of(key: string): Record | undefined {
    const record = this.#records.get(key);
    if (!record || this.#clock.monotonic() - record.at < MEMORY_MS) return record;
    this.#records.delete(key);
    return undefined;
  }
}

function waitAfter(failures: number): number {
  if (failures < FREE_FAILURES) return 0;
  return Math.min(FIRST_WAIT_MS * 2 ** (failures - FREE_FAILURES), LONGEST_WAIT_MS);
}
