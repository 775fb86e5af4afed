import { sleep, type Clock } from "#base/kernel";

/** Between two messages about one kind: a busy cluster must not flood who listens. */
const PAUSE_MS = 1_000;
/** With more names than this in one message, whoever listens asks for all of the kind anyway. */
const MAX_NAMES = 100;

export interface Changed {
  readonly kind: string;
  /** Empty with `all`. */
  readonly names: readonly string[];
  /** Any of the kind may have changed. */
  readonly all: boolean;
}

export interface GatheredOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly tell: (changed: Changed) => Promise<void>;
}

/** Changes by kind: the first is told at once, those of the second after it together. */
export class Gathered {
  readonly #options: GatheredOptions;
  readonly #pending = new Map<string, Set<string>>();
  readonly #telling = new Set<string>();

  constructor(options: GatheredOptions) {
    this.#options = options;
  }

  add(kind: string, name: string): void {
    const names = this.#pending.get(kind) ?? new Set();
    this.#pending.set(kind, names);
    if (names.size <= MAX_NAMES) names.add(name);
    if (!this.#telling.has(kind)) void this.#tell(kind);
  }

  async #tell(kind: string): Promise<void> {
    const { clock, signal, tell } = this.#options;
    this.#telling.add(kind);
    for (let names = this.#take(kind); names && !signal.aborted; names = this.#take(kind)) {
      const all = names.size > MAX_NAMES;
      await tell({ kind, names: all ? [] : [...names], all });
      await sleep(clock, PAUSE_MS, signal).catch(() => undefined);
    }
    this.#telling.delete(kind);
  }

  #take(kind: string): Set<string> | undefined {
    const names = this.#pending.get(kind);
    this.#pending.delete(kind);
    return names;
  }
}
