import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HostFactsSchema } from "@tenon/api/tenon/join/v1/join";
import type { BoundKeySuite, KeyStore } from "#base/crypto";
import {
  accessDenied,
  codeOf,
  deadline,
  messageOf,
  unavailable,
  type Clock,
  type Logger,
} from "#base/kernel";
import type { Trust } from "#domain/authority";
import type { SystemRole } from "#domain/resources";
import { ClientCeremony, type JoinTransport } from "./client-ceremony.ts";
import { answerWith, type IdTokenSource } from "./client-id-token.ts";
import { initOf } from "./client-init.ts";
import { beginningWith, boundKey } from "./client-keys.ts";
import {
  emptyJoinState,
  identityOf,
  newAttempt,
  type JoinedIdentity,
  type JoinState,
  type JoinStorage,
  type Prepared,
} from "./client-state.ts";
import { withTrust } from "./client-trust.ts";
import { asWished, type RotationWish } from "./client-wish.ts";
import { CEREMONY_MS } from "./protocol.ts";
import { isToStranger } from "./refusal.ts";
import type { JoinMethod } from "./uri.ts";

/** What a machine joins with: from its configuration or a join URI. */
export interface JoinSettings {
  readonly method: JoinMethod;
  readonly token: string;
  /** `bound_keypair`, for the first join; ignored afterwards. */
  readonly registrationSecret?: string;
  /** Of new bound keys; without it, what the key store prefers and the server proposes. */
  readonly keySuite?: BoundKeySuite;
  /** `oidc`, `github`, `gitlab` and `kubernetes`: where the machine gets its ID token. */
  readonly idToken?: IdTokenSource;
  readonly role: SystemRole;
  readonly host: MessageInitShape<typeof HostFactsSchema>;
  /** Lifetime to ask for; without it the cluster's default. */
  readonly ttlMs?: number;
}

/**
 * Opens a stream to the cluster. With an identity the connection presents its certificate, which
 * makes the attempt a refresh; without one it must present none.
 */
export type ConnectToJoin = (options: {
  readonly identity?: JoinedIdentity;
  readonly signal: AbortSignal;
}) => Promise<JoinTransport>;

export interface JoinOutcome {
  readonly identity: JoinedIdentity;
  /** Whether the server took it for a refresh; otherwise a first join or a recovery. */
  readonly refreshed: boolean;
  /** Sentences for the log and the readiness page. */
  readonly notices: readonly string[];
}

/** The client's half of joining: one machine, one storage, one attempt at a time. */
export class JoinClient {
  readonly #options: {
    readonly settings: JoinSettings;
    readonly storage: JoinStorage;
    readonly keys: KeyStore;
    readonly wish?: RotationWish;
    readonly clock: Clock;
    readonly logger: Logger;
  };
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: {
    settings: JoinSettings;
    storage: JoinStorage;
    /** Holds the bound key; only `bound_keypair` uses it. */
    keys: KeyStore;
    /** Only for `bound_keypair`. */
    wish?: RotationWish;
    clock: Clock;
    logger: Logger;
  }) {
    this.#options = options;
  }

  /** The stored identity, if it is from this token and has not expired. */
  async current(): Promise<JoinedIdentity | undefined> {
    return this.#usable((await this.#options.storage.load()) ?? emptyJoinState());
  }

  /**
   * Refreshes with the stored identity, or joins or recovers without. Calls wait for each other, for
   * two attempts at once from one storage would look like a copy. Rejects with the server's code;
   * whatever happens, calling again is safe: an attempt without an answer is repeated as it was.
   */
  join(connect: ConnectToJoin, signal: AbortSignal): Promise<JoinOutcome> {
    return this.#inTurn(() => this.#join(connect, signal));
  }

  /**
   * Stores other authorities with the identity, which then knows them; nothing before the first join.
   * Waits for a join under way, whose own result may be older.
   */
  keepTrust(trust: Trust): Promise<JoinedIdentity | undefined> {
    return this.#inTurn(async () => {
      const { storage } = this.#options;
      const stored = await storage.load();
      if (!stored?.joined) return undefined;
      const state = withTrust(stored, trust);
      await storage.save(state);
      return identityOf(state.joined!);
    });
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const run = this.#last.then(act);
    this.#last = run.catch(() => {});
    return run;
  }

  async #join(connect: ConnectToJoin, signal: AbortSignal): Promise<JoinOutcome> {
    const turn: Turn = { connect, signal, cluster: { restored: false } };
    try {
      return await this.#joinWith(turn);
    } catch (error) {
      if (!turn.cluster.restored || !isToStranger(error)) throw error;
      this.#options.logger.warn(
        "the cluster was restored from a backup and refuses this machine; trying its older keys",
        { error },
      );
      return await this.#resync(turn, error);
    }
  }

  /**
   * join.md section 5: "The client keeps its last ten keys for the same purpose." Another key is only
   * tried where the cluster says that it was restored: elsewhere a former key looks like a copy.
   */
  async #resync(turn: Turn, first: unknown): Promise<JoinOutcome> {
    const { bound_keys } = await this.#prepare();
    const keys = this.#options.settings.registrationSecret ? bound_keys : bound_keys.slice(1);
    for (const keyId of keys) {
      try {
        return await this.#joinWith({ ...turn, keyId });
      } catch (error) {
        if (!isToStranger(error)) throw error;
      }
    }
    throw first;
  }

  async #joinWith(turn: Turn): Promise<JoinOutcome> {
    const state = await this.#prepare(turn.keyId);
    const identity = this.#usable(state);
    if (!identity) return await this.#recover({ ...turn, state });
    try {
      return await this.#attempt({ ...turn, state, identity });
    } catch (error) {
      if (!this.#shouldRecover(error)) throw this.#orStranded(error);
      this.#options.logger.warn("the refresh was refused, trying to recover", { error });
      return await this.#attempt({ ...turn, state: await this.#prepare(turn.keyId) });
    }
  }

  /** The certificate was not accepted: it is expired by the server's clock, or its instance is gone. */
  #shouldRecover(error: unknown): boolean {
    const refused = ["access_denied", "unauthenticated"].includes(codeOf(error));
    return refused && this.#options.settings.method !== "token";
  }

  /** A machine without a second proof of who it is, whose certificate means nothing to the cluster. */
  #orStranded(error: unknown): unknown {
    if (this.#options.settings.method !== "token" || !isToStranger(error)) return error;
    return accessDenied(
      `the cluster does not accept the certificate of this machine (were its authorities rotated while it was away?), and a token of method "token" works only once; give it a new token and an empty storage directory`,
      { cause: error },
    );
  }

  async #recover(options: Omit<AttemptOptions, "identity">): Promise<JoinOutcome> {
    try {
      return await this.#attempt(options);
    } catch (error) {
      const { method, token } = this.#options.settings;
      if (method !== "token" || options.state.joined?.token !== token) throw error;
      if (codeOf(error) !== "access_denied") throw error;
      throw accessDenied(
        `the identity has expired, and a token of method "token" works only once; give a new one: ${messageOf(error)}`,
        { cause: error },
      );
    }
  }

  /** Everything that the attempt needs is on disk before anything is sent. */
  async #prepare(keyId?: string): Promise<Prepared> {
    const { storage, settings, keys } = this.#options;
    const stored = (await storage.load()) ?? emptyJoinState();
    const bound_keys =
      settings.method === "bound_keypair"
        ? await boundKey(keys, stored, settings.keySuite)
        : stored.bound_keys;
    const repeated = stored.pending?.token === settings.token ? stored.pending : undefined;
    const attempt = { ...stored, bound_keys, pending: repeated ?? newAttempt(settings.token) };
    const state = await asWished(attempt, this.#options);
    await storage.save(state);
    return keyId === undefined ? state : { ...state, bound_keys: beginningWith(keyId, bound_keys) };
  }

  #usable(state: JoinState): JoinedIdentity | undefined {
    if (state.joined?.token !== this.#options.settings.token) return undefined;
    const identity = identityOf(state.joined);
    return identity.expires > this.#options.clock.now() ? identity : undefined;
  }

  async #attempt(options: AttemptOptions): Promise<JoinOutcome> {
    const { state, connect, signal, identity, cluster, keyId } = options;
    const { clock, storage, keys, logger } = this.#options;
    using time = deadline(clock, CEREMONY_MS, signal);
    const toConnect = { signal: time.signal, ...(identity ? { identity } : {}) };
    await using transport = await connect(toConnect);
    const { settings } = this.#options;
    const about = { settings, keys, state, signal: time.signal, resyncs: keyId !== undefined };
    const init = await initOf(about);
    const ceremony = new ClientCeremony({
      transport,
      storage,
      keys,
      logger,
      state,
      keySuite: settings.keySuite,
      answer: answerWith(settings.idToken, state.pending, time.signal),
      onChallenge: ({ resync }) => {
        cluster.restored = resync;
        if (keyId !== undefined && !resync)
          throw unavailable("the cluster no longer takes older keys; not signed");
      },
    });
    const conclusion = await ceremony.run(init, time.signal);
    return { ...conclusion, refreshed: identity !== undefined };
  }
}

/** One call of `join`. */
interface Turn {
  readonly connect: ConnectToJoin;
  readonly signal: AbortSignal;
  /** What the last challenge said of it. */
  readonly cluster: { restored: boolean };
  /** An older bound key that is tried. */
  readonly keyId?: string;
}

interface AttemptOptions extends Turn {
  readonly state: Prepared;
  readonly identity?: JoinedIdentity;
}
