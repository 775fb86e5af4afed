import { privateKeyPem, x509Pem } from "#base/crypto";
import { unavailable, type Clock } from "#base/kernel";
import { isUntrustedServer } from "#base/rpc";
import { sameTrust, type Trust } from "#domain/authority";
import {
  emptyJoinState,
  identityOf,
  type JoinClient,
  type JoinedIdentity,
  type JoinOutcome,
  type JoinStorage,
  type JoinTransport,
} from "#domain/join";
import type { Address } from "./address.ts";
import { ClusterClient } from "./cluster-client.ts";
import { contactAgain } from "./contact-again.ts";
import { firstContact } from "./first-contact.ts";

/** Calls under way on the connection of the identity before have this long to end. */
const OLD_CONNECTION_MS = 30_000;

export interface EnrolmentOptions {
  readonly address: Address;
  /** Pins of the host authority for the first contact; none: the system's trust. */
  readonly caPins: readonly string[];
  readonly join: JoinClient;
  /** The storage that `join` uses: its trust is known also when its identity has expired. */
  readonly storage: JoinStorage;
  readonly clock: Clock;
}

/** A machine's standing with a cluster: how it joins, and a connection as what it joined as. */
export class Enrolment implements Disposable {
  readonly address: Address;
  readonly #options: EnrolmentOptions;
  #current: JoinedIdentity | undefined;
  #client: ClusterClient | undefined;
  /** Connections of identities before, each with the timer that will close it. */
  readonly #retired = new Map<ClusterClient, Disposable>();

  private constructor(options: EnrolmentOptions) {
    this.address = options.address;
    this.#options = options;
  }

  /** Takes up what the storage holds; nothing is sent. */
  static async open(options: EnrolmentOptions): Promise<Enrolment> {
    const enrolment = new Enrolment(options);
    const stored = await options.join.current();
    if (stored) enrolment.#use(stored);
    return enrolment;
  }

  /** The identity in use, which may have expired since; none before the first join. */
  get current(): JoinedIdentity | undefined {
    return this.#current;
  }

  /** Calls the cluster as that identity. */
  get client(): ClusterClient {
    if (this.#client) return this.#client;
    throw unavailable("this machine has not joined the cluster yet");
  }

  /** Joins, refreshes or recovers, whichever is due. */
  async join(signal: AbortSignal): Promise<JoinOutcome> {
    const outcome = await this.#join(signal);
    this.#use(outcome.identity);
    return outcome;
  }

  /** Stores other authorities, and uses them from now on; false when they are those known already. */
  async keepTrust(trust: Trust): Promise<boolean> {
    if (!this.#current || sameTrust(this.#current.trust, trust)) return false;
    const identity = await this.#options.join.keepTrust(trust);
    if (identity) this.#use(identity);
    return identity !== undefined;
  }

  [Symbol.dispose](): void {
    this.#client?.[Symbol.dispose]();
    for (const before of this.#retired.keys()) this.#close(before);
  }

  /** Where the authorities that are stored do not do, the pins of the configuration may. */
  async #join(signal: AbortSignal): Promise<JoinOutcome> {
    try {
      return await this.#joinTrusting(undefined, signal);
    } catch (cause) {
      if (!isUntrustedServer(cause)) throw cause;
      const { storage, address, caPins } = this.#options;
      const state = (await storage.load()) ?? emptyJoinState();
      const found = await contactAgain({ address, caPins, state, cause, signal });
      return await this.#joinTrusting(found, signal);
    }
  }

  #joinTrusting(trust: Trust | undefined, signal: AbortSignal): Promise<JoinOutcome> {
    return this.#options.join.join(
      async (attempt) => await this.#connect({ ...attempt, trust }),
      signal,
    );
  }

  #use(identity: JoinedIdentity): void {
    const before = this.#client;
    this.#current = identity;
    this.#client = this.#clientOf(identity.trust, identity);
    if (!before) return;
    const timer = this.#options.clock.timer(OLD_CONNECTION_MS, () => this.#close(before));
    this.#retired.set(before, timer);
  }

  #close(before: ClusterClient): void {
    this.#retired.get(before)?.[Symbol.dispose]();
    this.#retired.delete(before);
    before[Symbol.dispose]();
  }

  async #connect({ identity, signal, trust: found }: Connecting): Promise<JoinTransport> {
    await using owned = new AsyncDisposableStack();
    const trust = found ?? identity?.trust ?? (await this.#trust(signal));
    const client = owned.use(this.#clientOf(trust, identity));
    const call = owned.use(await client.join.join({ signal }));
    const connection = owned.move();
    return {
      send: async (message) => await call.send(message),
      receive: async () => await call.receive(),
      [Symbol.asyncDispose]: async () => await connection.disposeAsync(),
    };
  }

  /** What is known of the cluster from before, or else from a first contact. */
  async #trust(signal: AbortSignal): Promise<Trust> {
    const { storage, address, caPins } = this.#options;
    const stored = (await storage.load())?.joined;
    return stored ? identityOf(stored).trust : await firstContact({ address, caPins, signal });
  }

  #clientOf(trust: Trust, identity: JoinedIdentity | undefined): ClusterClient {
    const { address, clock } = this.#options;
    if (!identity) return new ClusterClient({ address, trust, clock });
    const certificate = {
      cert: x509Pem(identity.tlsCertificate),
      key: privateKeyPem(identity.tlsPrivateKey),
    };
    return new ClusterClient({ address, trust, certificate, clock });
  }
}

interface Connecting {
  readonly identity?: JoinedIdentity;
  readonly signal: AbortSignal;
  /** Instead of what is stored. */
  readonly trust: Trust | undefined;
}
