import type { Store } from "#base/storage";
import { readAuthoritySet } from "./bootstrap.ts";
import { hold, sameRevisions, type Held } from "./held.ts";

/** A rotation takes at least two commits before keys go, so that a second reading is whole. */
const READ_ATTEMPTS = 3;

/** Keeps what the store holds of the authorities, exchanged whole when that changes. */
export class Keeper {
  readonly #store: Store;
  readonly #changed = new Set<() => void>();
  #held: Held;
  #reloading: Promise<void> = Promise.resolve();

  constructor(store: Store, held: Held) {
    this.#store = store;
    this.#held = held;
  }

  get held(): Held {
    return this.#held;
  }

  /** Called after each change. */
  onChange(changed: () => void): Disposable {
    this.#changed.add(changed);
    return { [Symbol.dispose]: () => void this.#changed.delete(changed) };
  }

  /** Until the signal aborts; rejects when the store does, and keeps what it has. */
  async follow({ signal, onReady }: { signal: AbortSignal; onReady?: () => void }): Promise<void> {
    const after = await this.#store.position();
    await this.reload();
    onReady?.();
    for await (const _change of this.#store.watch({ kinds: ["cert_authority"], after, signal }))
      await this.reload();
  }

  /** Takes in what the store holds now, and tells those who listen if it is something else. */
  reload(): Promise<void> {
    const run = this.#reloading.then(() => this.#reload());
    this.#reloading = run.catch(() => {});
    return run;
  }

  /** What `act` has written is known when it is done; where it fails, perhaps only its answer was lost. */
  async after<T>(act: () => Promise<T>): Promise<T> {
    try {
      const result = await act();
      await this.reload();
      return result;
    } catch (error) {
      await this.reload().catch(() => {});
      throw error;
    }
  }

  async #reload(): Promise<void> {
    const held = await this.#read();
    if (!held) return;
    this.#held = held;
    for (const changed of this.#changed) changed();
  }

  /** Nothing when the store holds what we hold. Keys may be exchanged between two readings of it. */
  async #read(): Promise<Held | undefined> {
    for (let attempt = 1; ; attempt++) {
      const authorities = await readAuthoritySet(this.#store);
      if (sameRevisions(authorities, this.#held.authorities)) return undefined;
      try {
        return await hold(this.#store, authorities, this.#held);
      } catch (error) {
        if (attempt === READ_ATTEMPTS) throw error;
      }
    }
  }
}
