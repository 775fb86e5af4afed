import { randomToken } from "#base/crypto";
import { Recent, unauthenticated, type Clock } from "#base/kernel";
import { CHALLENGE_MS, MAX_CHALLENGES } from "./limits.ts";

export interface Challenge {
  /** Base64url, as the authenticator signs it. */
  readonly challenge: string;
  /** What it was made for: an answer to one is not an answer to another. */
  readonly purpose: string;
}

/** Challenges that wait for their answer, in memory; each is used once, and their number is bounded. */
export class Challenges {
  readonly #clock: Clock;
  readonly #open = new Recent<Challenge & { readonly expires: number }>(MAX_CHALLENGES);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The name under which the answer comes. */
  put(challenge: Challenge): string {
    const id = randomToken();
    this.#open.set(id, { ...challenge, expires: this.#clock.now() + CHALLENGE_MS });
    return id;
  }

  take(id: string, purpose: string): string {
    try {
      return this.read(id, purpose);
    } finally {
      this.#open.delete(id);
    }
  }

  /** Leaves it open: for what may be answered again. */
  read(id: string, purpose: string): string {
    const found = this.#open.get(id);
    if (found && found.purpose === purpose && this.#clock.now() < found.expires)
      return found.challenge;
    throw unauthenticated("this took too long, or was answered already; begin again");
  }
}
