import { siteOf } from "#base/kernel";

/** Counts what goes on at the same time, in all and for each address. */
export class Slots {
  readonly #max: number;
  readonly #maxPerAddress: number;
  readonly #taken = new Map<string, number>();
  #total = 0;

  constructor(max: number, maxPerAddress: number) {
    this.#max = max;
    this.#maxPerAddress = maxPerAddress;
  }

  get taken(): number {
    return this.#total;
  }

  /** Dispose it when done; nothing when all are taken. */
  take(address: string): Disposable | undefined {
    const site = siteOf(address);
    const taken = this.#taken.get(site) ?? 0;
    if (this.#total >= this.#max || taken >= this.#maxPerAddress) return undefined;
    this.#total += 1;
    this.#taken.set(site, taken + 1);
    return { [Symbol.dispose]: () => this.#leave(site) };
  }

  #leave(site: string): void {
    this.#total -= 1;
    const left = this.#taken.get(site)! - 1;
    if (left > 0) this.#taken.set(site, left);
    else this.#taken.delete(site);
  }
}
