import { accessDenied, CodedError, internal, messageOf, type Clock } from "#base/kernel";
import type { MuxSession } from "#base/wire";
import { lockedError, type LockSet } from "#domain/access";

/** What decides how long a connection may live. */
export interface ConnectionIdentity {
  /** Locks on any of these cut it: `user:alice`, as `lockTargetsOf` gives them. */
  readonly targets: readonly string[];
  /** End of the certificate, milliseconds since the epoch. */
  readonly expires: number;
}

export interface LiveConnectionsOptions {
  readonly clock: Clock;
  readonly locks: Pick<LockSet, "inForce" | "onChange">;
}

/** A certificate's end is noticed this late at most; also after a suspend or a jump of the clock. */
const LOOK_EVERY_MS = 500;

interface Entry {
  readonly identity: ConnectionIdentity;
  readonly cut: (reason: CodedError) => void;
}

/**
 * The open connections and sessions of one process, with the identity behind each. Cuts them when a
 * lock that matches is added, at once, and when the certificate expires, within half a second.
 */
export class LiveConnections implements Disposable {
  readonly #options: LiveConnectionsOptions;
  readonly #entries = new Set<Entry>();
  readonly #subscription: Disposable;
  #timer: Disposable | undefined;

  constructor(options: LiveConnectionsOptions) {
    this.#options = options;
    this.#subscription = options.locks.onChange(() => this.#cutUnfit());
  }

  get size(): number {
    return this.#entries.size;
  }

  /**
   * Watches over one connection until disposed. Throws the refusal when it may not live even now, so
   * call it before anything is granted; no lock falls between two checks then.
   */
  track(identity: ConnectionIdentity, cut: (reason: CodedError) => void): Disposable {
    const refusal = this.#refusal(identity);
    if (refusal) throw refusal;
    const entry = { identity, cut };
    this.#entries.add(entry);
    this.#timer ??= this.#arm();
    return { [Symbol.dispose]: () => void this.#entries.delete(entry) };
  }

  /** Stops watching; cuts nothing. */
  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
    this.#timer?.[Symbol.dispose]();
    this.#entries.clear();
  }

  #arm(): Disposable {
    return this.#options.clock.timer(LOOK_EVERY_MS, () => {
      this.#cutUnfit();
      this.#timer = this.#entries.size > 0 ? this.#arm() : undefined;
    });
  }

  #cutUnfit(): void {
    for (const entry of this.#entries) {
      const refusal = this.#refusal(entry.identity);
      if (!refusal) continue;
      this.#entries.delete(entry);
      entry.cut(refusal);
    }
  }

  #refusal({ targets, expires }: ConnectionIdentity): CodedError | undefined {
    const { clock, locks } = this.#options;
    if (expires <= clock.now())
      return accessDenied(`the certificate expired at ${new Date(expires).toISOString()}`);
    const lock = locks.inForce(targets, clock.now());
    return lock && lockedError(lock);
  }
}

/** Tracks a session as long as it lives. One that may not live is told so, and the refusal thrown. */
export function watch(
  live: LiveConnections,
  identity: ConnectionIdentity,
  session: Pick<MuxSession, "closed" | "destroy">,
): void {
  try {
    const tracked = live.track(identity, (reason) => session.destroy(reason));
    void session.closed.then(() => tracked[Symbol.dispose]());
  } catch (error) {
    session.destroy(error instanceof CodedError ? error : internal(messageOf(error)));
    throw error;
  }
}
