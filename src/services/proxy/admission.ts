import type { PortLimits } from "./limits.ts";

/** Counts what strangers hold: handshakes under way, and connections without a certificate by address. */
export class Admission {
  readonly #limits: Pick<PortLimits, "handshakes" | "perAddress">;
  readonly #strangers = new Map<string, number>();
  #handshakes = 0;

  constructor(limits: Pick<PortLimits, "handshakes" | "perAddress">) {
    this.#limits = limits;
  }

  /** A ticket for one new connection, or the limit that refuses it. */
  enter(address: string): Ticket | "handshakes" | "address" {
    if (this.#handshakes >= this.#limits.handshakes) return "handshakes";
    const held = this.#strangers.get(address) ?? 0;
    if (held >= this.#limits.perAddress) return "address";
    this.#handshakes += 1;
    this.#strangers.set(address, held + 1);
    return this.#ticket(address);
  }

  get handshakes(): number {
    return this.#handshakes;
  }

  get strangers(): number {
    let total = 0;
    for (const held of this.#strangers.values()) total += held;
    return total;
  }

  #ticket(address: string): Ticket {
    const handshakeDone = once(() => {
      this.#handshakes -= 1;
    });
    const known = once(() => {
      const held = this.#strangers.get(address)! - 1;
      if (held > 0) this.#strangers.set(address, held);
      else this.#strangers.delete(address);
    });
    return {
      handshakeDone,
      known,
      leave: () => {
        handshakeDone();
        known();
      },
    };
  }
}

export interface Ticket {
  /** The handshake is over, well or not. */
  readonly handshakeDone: () => void;
  /** The peer showed a verified certificate: it no longer counts as a stranger. */
  readonly known: () => void;
  /** The connection is closed; safe to call after the others. */
  readonly leave: () => void;
}

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    act();
  };
}
