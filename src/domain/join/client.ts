import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { HostFactsSchema, InitSchema, type Init } from "@tenon/api/tenon/join/v1/join";
import { privateKeyFromPem, spkiDer, sshPublicKeyLine, type KeyStore } from "#base/crypto";
import {
  accessDenied,
  badParameter,
  codeOf,
  deadline,
  messageOf,
  type Clock,
  type Logger,
} from "#base/kernel";
import type { SystemRole } from "#domain/resources";
import { ClientCeremony, type JoinTransport } from "./client-ceremony.ts";
import { boundKey } from "./client-keys.ts";
import { answerWith, type IdTokenSource } from "./client-id-token.ts";
import {
  emptyJoinState,
  identityOf,
  newAttempt,
  type JoinedIdentity,
  type JoinState,
  type JoinStorage,
  type PendingAttempt,
} from "./client-state.ts";
import { CEREMONY_MS } from "./protocol.ts";
import type { JoinMethod } from "./uri.ts";

/** What a machine joins with: from its configuration or a join URI. */
export interface JoinSettings {
  readonly method: JoinMethod;
  readonly token: string;
  /** `bound_keypair`, for the first join; ignored afterwards. */
  readonly registrationSecret?: string;
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
    readonly clock: Clock;
    readonly logger: Logger;
  };
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: {
    settings: JoinSettings;
    storage: JoinStorage;
    /** Holds the bound key; only `bound_keypair` uses it. */
    keys: KeyStore;
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
    const run = this.#last.then(() => this.#join(connect, signal));
    this.#last = run.catch(() => {});
    return run;
  }

  async #join(connect: ConnectToJoin, signal: AbortSignal): Promise<JoinOutcome> {
    const state = await this.#prepare();
    const identity = this.#usable(state);
    if (!identity) return await this.#recover({ state, connect, signal });
    try {
      return await this.#attempt({ state, connect, signal, identity });
    } catch (error) {
      if (!this.#shouldRecover(error)) throw error;
      this.#options.logger.warn("the refresh was refused, trying to recover", { error });
      return await this.#attempt({ state: await this.#prepare(), connect, signal });
    }
  }

  /** The certificate was not accepted: it is expired by the server's clock, or its instance is gone. */
  #shouldRecover(error: unknown): boolean {
    const refused = ["access_denied", "unauthenticated"].includes(codeOf(error));
    return refused && this.#options.settings.method !== "token";
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
  async #prepare(): Promise<Prepared> {
    const { storage, settings, keys } = this.#options;
    const stored = (await storage.load()) ?? emptyJoinState();
    const bound_keys =
      settings.method === "bound_keypair" ? await boundKey(keys, stored) : stored.bound_keys;
    const repeated = stored.pending?.token === settings.token ? stored.pending : undefined;
    const state = { ...stored, bound_keys, pending: repeated ?? newAttempt(settings.token) };
    await storage.save(state);
    return state;
  }

  #usable(state: JoinState): JoinedIdentity | undefined {
    if (state.joined?.token !== this.#options.settings.token) return undefined;
    const identity = identityOf(state.joined);
    return identity.expires > this.#options.clock.now() ? identity : undefined;
  }

  async #attempt({ state, connect, signal, identity }: AttemptOptions): Promise<JoinOutcome> {
    const { clock, storage, keys, logger } = this.#options;
    using time = deadline(clock, CEREMONY_MS, signal);
    const options = { signal: time.signal, ...(identity ? { identity } : {}) };
    await using transport = await connect(options);
    const init = await this.#init(state, time.signal);
    const ceremony = new ClientCeremony({
      transport,
      storage,
      keys,
      logger,
      state,
      answer: answerWith(this.#options.settings.idToken, state.pending, time.signal),
    });
    const conclusion = await ceremony.run(init, time.signal);
    return { ...conclusion, refreshed: identity !== undefined };
  }

  async #init(state: Prepared, signal: AbortSignal): Promise<Init> {
    const { settings } = this.#options;
    const { pending } = state;
    return create(InitSchema, {
      attemptId: pending.attempt_id,
      token: settings.token,
      tlsPublicKey: spkiDer(privateKeyFromPem(pending.tls_private_key)),
      sshPublicKey: sshPublicKeyLine(privateKeyFromPem(pending.ssh_private_key)),
      host: create(HostFactsSchema, settings.host),
      role: settings.role,
      ttlSeconds: Math.ceil((settings.ttlMs ?? 0) / 1000),
      method: await this.#block[settings.method](state, signal),
    });
  }

  /** What each method adds to the Init. */
  readonly #block: Record<JoinMethod, (state: Prepared, signal: AbortSignal) => Promise<Block>> = {
    token: async () => ({ case: "tokenMethod", value: {} }),
    bound_keypair: async ({ bound_keys, joined }) => {
      const { settings, keys } = this.#options;
      const publicKey = sshPublicKeyLine(await keys.public(bound_keys[0]!));
      const value =
        joined?.token === settings.token
          ? { publicKey, previousJoinState: joined.join_state }
          : { publicKey, registrationSecret: settings.registrationSecret ?? "" };
      return { case: "boundKeypair", value };
    },
    oidc: (...about) => this.#idTokenBlock(...about),
    github: (...about) => this.#idTokenBlock(...about),
    gitlab: (...about) => this.#idTokenBlock(...about),
    kubernetes: (...about) => this.#idTokenBlock(...about),
  };

  async #idTokenBlock({ joined }: Prepared, signal: AbortSignal): Promise<Block> {
    const { method, token, idToken: source } = this.#options.settings;
    if (!source)
      throw badParameter(`join method "${method}" needs an ID token, and none was configured`);
    const before = joined?.token === token ? joined.tls_certificate : "";
    const previousCertificate = Buffer.from(before, "base64");
    const idToken = source.kind === "held" ? await source.read(signal) : "";
    return { case: "oidc", value: { idToken, previousCertificate } };
  }
}

type Block = NonNullable<MessageInitShape<typeof InitSchema>["method"]>;

type Prepared = JoinState & { readonly pending: PendingAttempt };

interface AttemptOptions {
  readonly state: Prepared;
  readonly connect: ConnectToJoin;
  readonly signal: AbortSignal;
  readonly identity?: JoinedIdentity;
}
