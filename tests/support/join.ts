// A cluster's half of joining on the memory store, and an administrator's hands on it.
import { CodedError, silentLogger, unavailable } from "#base/kernel";
import { openMemoryStore, type Store } from "#base/storage";
import { followLocks, LockSet } from "#domain/access";
import { AuditLog, eventIndexes, type AuditEvent, type EventType } from "#domain/audit";
import {
  Authorities,
  ClientVerifier,
  type Trust,
  type VerifiedCertificate,
} from "#domain/authority";
import {
  JoinServer,
  KeySet,
  type Ceremony,
  type IssuerKeys,
  type JoinedIdentity,
} from "#domain/join";
import {
  expiryOf,
  parseDocument,
  Resources,
  storeIndexes,
  writeOf,
  type ClusterConfig,
  type Lock,
  type Token,
} from "#domain/resources";
import { signInIndexes } from "#domain/sign-in";
import { ManualClock } from "./clock.ts";
import { until } from "./wait.ts";

type OpenStore = (options: Parameters<typeof openMemoryStore>[0]) => Promise<Store>;

const authoritiesOf = (store: Store, clock: ManualClock): Promise<Authorities> =>
  Authorities.open({ store, clock, logger: silentLogger, clusterName: "test.example" });

export type BoundKeypairSpec = NonNullable<Token["spec"]["bound_keypair"]>;

/** The server's half, and an administrator's hands on its resources. */
export class JoinCluster implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly store: Store;
  readonly resources: Resources;
  readonly audit: AuditLog;
  authorities: Authorities;
  server: JoinServer;
  locks = new LockSet();
  #process = new AbortController();

  private constructor(parts: { clock: ManualClock; store: Store; authorities: Authorities }) {
    this.clock = parts.clock;
    this.store = parts.store;
    this.authorities = parts.authorities;
    this.resources = new Resources(parts.store);
    this.audit = new AuditLog({ ...parts, logger: silentLogger, random: () => 0.5 });
    this.server = this.#serve(parts.store);
  }

  #serve(store: Store): JoinServer {
    const { clock, authorities, audit, issuers } = this;
    const config = async (): Promise<ClusterConfig["spec"]> => this.config;
    const inForce: LockSet["inForce"] = (targets, now) =>
      this.lagging ? undefined : this.locks.inForce(targets, now);
    const resources = new Resources(store);
    const rest = { resources, audit, issuers, locks: { inForce }, config, logger: silentLogger };
    return new JoinServer({ clock, store, authorities, ...rest });
  }

  /** Key sets by issuer; one that is not there does not answer. */
  readonly published = new Map<string, unknown>();
  readonly issuers: IssuerKeys = {
    find: async (issuer) => {
      const jwks = this.published.get(issuer);
      if (jwks === undefined) throw unavailable("no answer");
      return KeySet.read(jwks);
    },
  };
  /** Joining does not hear of new locks. */
  lagging = false;
  config: ClusterConfig["spec"] = {
    cluster_name: "test.example",
    default_credential_ttl: "1h",
    max_credential_ttl: "24h",
    max_bot_identity_ttl: "168h",
    recovery_alert_threshold: 0,
    audit_retention: "2160h",
  };

  /** `wrap` puts something between joining and the store, which `openStore` gives. */
  static async open(
    wrap: (store: Store) => Store = (store) => store,
    openStore: OpenStore = async (options) => openMemoryStore(options),
  ): Promise<JoinCluster> {
    const clock = new ManualClock();
    const indexes = [...storeIndexes, ...eventIndexes, ...signInIndexes];
    const store = wrap(await openStore({ clock, indexes }));
    const cluster = new JoinCluster({
      clock,
      store,
      authorities: await authoritiesOf(store, clock),
    });
    await cluster.#followLocks();
    await cluster.put({
      kind: "bot",
      version: "v1",
      metadata: { name: "robo" },
      spec: { roles: ["access"] },
    });
    return cluster;
  }

  /** The auth server is another process from now on, which knows what `store` holds, and no more. */
  async restart(store: Store): Promise<void> {
    this.#process.abort();
    this.#process = new AbortController();
    this.authorities = await authoritiesOf(store, this.clock);
    this.locks = new LockSet();
    this.server = this.#serve(store);
    await this.#followLocks();
  }

  async #followLocks(): Promise<void> {
    const ready = Promise.withResolvers<void>();
    const { store, locks } = this;
    const { signal } = this.#process;
    void followLocks(locks, { store, signal, onReady: ready.resolve }).catch(() => {});
    await ready.promise;
  }

  async put(document: unknown): Promise<void> {
    await this.store.commit([writeOf(parseDocument(document), "put")]);
  }

  /** A bound_keypair token; its secret is `s3cret` unless `onboarding` says otherwise. */
  async addBoundToken(
    name: string,
    spec: {
      onboarding?: Partial<BoundKeypairSpec["onboarding"]>;
      recovery?: Partial<BoundKeypairSpec["recovery"]>;
      rotate_after?: string;
    } = {},
  ): Promise<void> {
    const onboarding = spec.onboarding ?? { registration_secret: "s3cret" };
    await this.put({
      kind: "token",
      version: "v2",
      metadata: { name },
      spec: {
        roles: ["Bot"],
        bot_name: "robo",
        join_method: "bound_keypair",
        bound_keypair: { ...spec, onboarding },
      },
    });
  }

  async addToken(name: string, spec: Partial<Token["spec"]> = {}, expires?: string): Promise<void> {
    const { roles = ["Bot"] } = spec;
    const bot = roles.includes("Bot") ? { bot_name: "robo" } : {};
    await this.put({
      kind: "token",
      version: "v2",
      metadata: { name, ...(expires ? { expires } : {}) },
      spec: { roles, join_method: "token", ...bot, ...spec },
    });
  }

  /** An administrator's edit, which keeps the status. */
  async editToken(name: string, edit: (token: Token) => Token): Promise<void> {
    const token = await this.resources.require("token", name);
    await this.store.commit([writeOf(edit(token), "update")]);
  }

  async editBound(name: string, edit: (spec: BoundKeypairSpec) => BoundKeypairSpec): Promise<void> {
    await this.editToken(name, (token) => ({
      ...token,
      spec: { ...token.spec, bound_keypair: edit(token.spec.bound_keypair!) },
    }));
  }

  async bound(name: string): Promise<NonNullable<NonNullable<Token["status"]>["bound_keypair"]>> {
    return (await this.resources.require("token", name)).status!.bound_keypair!;
  }

  async lock(target: Lock["spec"]["target"], name = "by-admin"): Promise<void> {
    const metadata = { name };
    await this.put({ kind: "lock", version: "v2", metadata, spec: { target, message: "stolen" } });
    await this.settled();
  }

  async remove(kind: string, name: string): Promise<void> {
    await this.store.commit([{ op: "delete", kind, name }]);
    await this.settled();
  }

  /** Names of all locks, sorted, once the set in memory has them. */
  async lockNames(): Promise<string[]> {
    return (await this.settled()).map(({ metadata }) => metadata.name);
  }

  /** The set of locks in memory has what the store has. */
  async settled(): Promise<readonly Lock[]> {
    const stored: Lock[] = [];
    for await (const lock of this.resources.all("lock")) stored.push(lock);
    const now = this.clock.now();
    const inForce = (): readonly Lock[] =>
      this.locks.all().filter((lock) => (expiryOf(lock) ?? Infinity) > now);
    const wanted = revisionsOf(stored);
    // The feed of the memory store needs no more than a turn.
    for (let turn = 0; turn < 20 && revisionsOf(inForce()) !== wanted; turn++)
      await new Promise((resolve) => setImmediate(resolve));
    await until("the lock set follows the store", () => revisionsOf(inForce()) === wanted);
    return stored;
  }

  async events(type: EventType): Promise<readonly AuditEvent[]> {
    const page = await this.audit.search({ type, ascending: true });
    return page.events;
  }

  async reasons(): Promise<string[]> {
    const events = [
      ...(await this.events("bot.join.failed")),
      ...(await this.events("agent.join.failed")),
    ];
    return events.map((event) => textOf(event, "reason"));
  }

  /** What TLS would have made of the client's certificate. */
  verified(identity: JoinedIdentity): VerifiedCertificate | undefined {
    try {
      const now = this.clock.now();
      return this.#verifier().verify(identity.tlsCertificate, now);
    } catch {
      return undefined;
    }
  }

  #verifying: { readonly trust: Trust; readonly verifier: ClientVerifier } | undefined;

  #verifier(): ClientVerifier {
    const trust = this.authorities.trust();
    if (this.#verifying?.trust !== trust)
      this.#verifying = { trust, verifier: new ClientVerifier(trust) };
    return this.#verifying.verifier;
  }

  begin(identity?: JoinedIdentity, remoteAddr = "192.0.2.1:1"): Ceremony {
    const certificate = identity && this.verified(identity);
    return this.server.begin({ remoteAddr, ...(certificate ? { certificate } : {}) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.abort();
    await this.audit[Symbol.asyncDispose]();
    await this.store[Symbol.asyncDispose]();
  }
}

const revisionsOf = (locks: readonly Lock[]): string =>
  locks
    .map(({ metadata }) => `${metadata.name} ${metadata.revision}`)
    .sort()
    .join();

/** A field of an event that holds a text. */
export function textOf(event: AuditEvent | undefined, field: string): string {
  const value = event?.fields[field];
  if (typeof value !== "string") throw new TypeError(`the event has no text "${field}"`);
  return value;
}

/** The error of a promise that must reject with a code. */
export async function refusal(promise: Promise<unknown>): Promise<CodedError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof CodedError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}
