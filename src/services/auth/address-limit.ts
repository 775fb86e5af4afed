import { Recent, siteOf, type Clock } from "#base/kernel";

export interface AddressLimits {
  /** Calls without a certificate that one address may make at once … */
  readonly burst: number;
  /** … and after that, per second. */
  readonly perSecond: number;
  /** Addresses that are remembered; beyond that the one that was quiet longest is forgotten. */
  readonly addresses: number;
}

/** A site behind one address restarts hundreds of bots at once; a flood comes in thousands a second. */
export const STRANGER_LIMITS: AddressLimits = { burst: 300, perSecond: 20, addresses: 10_000 };

interface Bucket {
  tokens: number;
  at: number;
}

/** Token buckets by address, an IPv6 site (/64) counting as one; their memory is bounded. */
export class AddressLimit {
  readonly #limits: AddressLimits;
  readonly #clock: Clock;
  /** In order of last use. */
  readonly #buckets: Recent<Bucket>;

  constructor(clock: Clock, limits: AddressLimits = STRANGER_LIMITS) {
    this.#clock = clock;
    this.#limits = limits;
    this.#buckets = new Recent(limits.addresses);
  }

  /** How many addresses are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Takes one call of this address; false when it has none left. */
  take(address: string): boolean {
    const site = siteOf(address);
    const bucket = this.#refilled(site);
    this.#buckets.set(site, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  #refilled(site: string): Bucket {
    const { burst, perSecond } = this.#limits;
    const now = this.#clock.monotonic();
    const { tokens, at } = this.#buckets.get(site) ?? { tokens: burst, at: now };
    return { tokens: Math.min(burst, tokens + ((now - at) / 1_000) * perSecond), at: now };
  }
}
