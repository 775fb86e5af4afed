// A cluster's half of joining on the memory store, and an administrator's hands on it.
import { CodedError, silentLogger, unavailable } from "#base/kernel";
import { openMemoryStore, type Store } from "#base/storage";
import { followLocks, LockSet } from "#domain/access";
import { AuditLog, eventIndexes, type AuditEvent, type EventType } from "#domain/audit";
import { Authorities, verifyClientCertificate, type VerifiedCertificate } from "#domain/authority";
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

export type BoundKeypairSpec = NonNullable<Token["spec"]["bound_keypair"]>;

/** The server's half, and an administrator's hands on its resources. */
export class JoinCluster implements AsyncDisposable {
  readonly clock = new ManualClock();
  readonly store: Store;
  readonly resources: Resources;
  readonly authorities: Authorities;
  readonly locks = new LockSet();
  readonly audit: AuditLog;
  readonly server: JoinServer;
  readonly #closing = new AbortController();

  private constructor(parts: { clock: ManualClock; store: Store; authorities: Authorities }) {
    this.clock = parts.clock;
    this.store = parts.store;
    this.authorities = parts.authorities;
    this.resources = new Resources(parts.store);
    this.audit = new AuditLog({ ...parts, logger: silentLogger, random: () => 0.5 });
    const { resources, audit } = this;
    const config = async (): Promise<ClusterConfig["spec"]> => this.config;
    const inForce: LockSet["inForce"] = (targets, now) =>
      this.lagging ? undefined : this.locks.inForce(targets, now);
    const { issuers } = this;
    const rest = { resources, audit, issuers, locks: { inForce }, config, logger: silentLogger };
    this.server = new JoinServer({ ...parts, ...rest });
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

  /** `wrap` puts something between joining and the store. */
  static async open(wrap: (store: Store) => Store = (store) => store): Promise<JoinCluster> {
    const clock = new ManualClock();
    const indexes = [...storeIndexes, ...eventIndexes, ...signInIndexes];
    const store = wrap(openMemoryStore({ clock, indexes }));
    const options = { store, clock, logger: silentLogger, clusterName: "test.example" };
    const cluster = new JoinCluster({ clock, store, authorities: await Authorities.open(options) });
    const ready = Promise.withResolvers<void>();
    const { signal } = cluster.#closing;
    void followLocks(cluster.locks, { store, signal, onReady: ready.resolve }).catch(() => {});
    await ready.promise;
    await cluster.put({
      kind: "bot",
      version: "v1",
      metadata: { name: "robo" },
      spec: { roles: ["access"] },
    });
    return cluster;
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
    await this.settled();
    const names: string[] = [];
    for await (const lock of this.resources.all("lock")) names.push(lock.metadata.name);
    return names;
  }

  /** The set of locks in memory has what the store has. */
  async settled(): Promise<void> {
    const stored = await this.store.count({ kind: "lock" });
    const now = this.clock.now();
    const known = (): number =>
      this.locks.all().filter((lock) => (expiryOf(lock) ?? Infinity) > now).length;
    await until("the lock set follows the store", () => known() === stored, 2_000);
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
      return verifyClientCertificate(identity.tlsCertificate, this.authorities.trust(), now);
    } catch {
      return undefined;
    }
  }

  begin(identity?: JoinedIdentity, remoteAddr = "192.0.2.1:1"): Ceremony {
    const certificate = identity && this.verified(identity);
    return this.server.begin({ remoteAddr, ...(certificate ? { certificate } : {}) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.audit[Symbol.asyncDispose]();
    await this.store[Symbol.asyncDispose]();
  }
}

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
