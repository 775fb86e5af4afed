import { sha256Hex } from "#base/crypto";
import { limitExceeded, Recent, type Clock } from "#base/kernel";
import type { Store } from "#base/storage";
import * as z from "zod";

/** The first few failures cost nothing: people mistype. */
const FREE_FAILURES = 5;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15 * 60_000;
/** Failures are forgotten after a quiet hour. */
const MEMORY_MS = 3_600_000;
/** Accounts and addresses that are remembered; beyond that the one that was quiet longest goes. */
const MAX_KEYS = 20_000;
/** Waits that are written down; beyond that they are kept in memory only. */
const MAX_STORED = 20_000;

interface Record {
  readonly failures: number;
  readonly at: number;
  readonly until: number;
}

const KIND = "sign_in_wait";
/** `until` is in milliseconds since the epoch. */
const stored = z.strictObject({ failures: z.int(), until: z.number() });

/**
 * Slows down whoever guesses: after a few failures each doubles the wait, by account and by address.
 * A wait is written down when it begins, and not the failures before: so a restart does not forgive,
 * and a stranger costs one write for each wait that was sat out. What is written ends by itself.
 */
export class Throttle {
  readonly #store: Store;
  readonly #clock: Clock;
  /** In order of last failure. */
  readonly #records = new Recent<Record>(MAX_KEYS);

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** `limit_exceeded`, with the seconds that are left, while any of the keys must wait. */
  async check(keys: readonly string[]): Promise<void> {
    const records = await Promise.all(keys.map(async (key) => await this.#of(key)));
    const now = this.#clock.monotonic();
    const left = Math.max(...records.map((record) => (record?.until ?? 0) - now));
    if (left <= 0) return;
    throw limitExceeded(
      `too many failed attempts to sign in; try again in ${Math.ceil(left / 1_000)} s`,
    );
  }

  async failed(keys: readonly string[]): Promise<void> {
    await Promise.all(keys.map(async (key) => await this.#failed(key)));
  }

  /** Whoever got in may mistype again; the address of others keeps its record. */
  async succeeded(key: string): Promise<void> {
    const waited = waitAfter(this.#records.get(key)?.failures ?? 0) > 0;
    this.#records.delete(key);
    if (waited)
      await this.#store.commit([{ op: "delete", kind: KIND, name: nameOf(key) }]).catch(gone);
  }

  async #failed(key: string): Promise<void> {
    const failures = ((await this.#of(key))?.failures ?? 0) + 1;
    const wait = waitAfter(failures);
    const at = this.#clock.monotonic();
    this.#records.set(key, { failures, at, until: at + wait });
    if (wait > 0) await this.#write(key, { failures, until: this.#clock.now() + wait });
  }

  async #write(key: string, value: z.infer<typeof stored>): Promise<void> {
    if ((await this.#store.count({ kind: KIND })) >= MAX_STORED) return;
    const expires = this.#clock.now() + MEMORY_MS;
    await this.#store.commit([{ op: "put", kind: KIND, name: nameOf(key), value, expires }]);
  }

  async #of(key: string): Promise<Record | undefined> {
    const record = this.#records.get(key) ?? (await this.#read(key));
    const now = this.#clock.monotonic();
    if (!record || now - record.at < MEMORY_MS) return record;
    const forgiven = { failures: 0, at: now, until: now };
    this.#records.set(key, forgiven);
    return forgiven;
  }

  /** Of an earlier life of this process. */
  async #read(key: string): Promise<Record | undefined> {
    const item = await this.#store.get(KIND, nameOf(key));
    if (!item) return undefined;
    const { failures, until } = stored.parse(item.value);
    const at = this.#clock.monotonic();
    const left = Math.min(until - this.#clock.now(), LONGEST_WAIT_MS);
    const record = { failures, at, until: at + left };
    this.#records.set(key, record);
    return record;
  }
}

/** What strangers type is no name of an item, which is short. */
const nameOf = sha256Hex;
const gone = (): undefined => undefined;

function waitAfter(failures: number): number {
  if (failures < FREE_FAILURES) return 0;
  return Math.min(FIRST_WAIT_MS * 2 ** (failures - FREE_FAILURES), LONGEST_WAIT_MS);
}
