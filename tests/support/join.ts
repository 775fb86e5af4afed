// A cluster's half of joining on the memory store, and clients whose line the test can cut.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  JoinRequestSchema,
  JoinResponseSchema,
  type JoinRequest,
  type JoinResponse,
} from "@tenon/api/tenon/join/v1/join";
import { MemoryKeyStore, type KeyStore } from "#base/crypto";
import { CodedError, silentLogger, unavailable } from "#base/kernel";
import { openMemoryStore, type Store } from "#base/storage";
import { followLocks, LockSet } from "#domain/access";
import { AuditLog, eventIndexes, type AuditEvent, type EventType } from "#domain/audit";
import { Authorities, verifyClientCertificate, type VerifiedCertificate } from "#domain/authority";
import {
  JoinClient,
  JoinServer,
  MemoryJoinStorage,
  type Ceremony,
  type JoinedIdentity,
  type JoinMessage,
  type JoinReply,
  type JoinSettings,
  type JoinState,
  type JoinStorage,
  type JoinTransport,
  type ConnectToJoin,
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
    const rest = { resources, audit, locks: { inForce }, config, logger: silentLogger };
    this.server = new JoinServer({ ...parts, ...rest });
  }

  /** Joining does not hear of new locks. */
  lagging = false;
  config: ClusterConfig["spec"] = {
    cluster_name: "test.example",
    default_credential_ttl: "1h",
    max_credential_ttl: "24h",
    max_bot_identity_ttl: "168h",
    audit_retention: "2160h",
  };

  /** `wrap` puts something between joining and the store. */
  static async open(wrap: (store: Store) => Store = (store) => store): Promise<JoinCluster> {
    const clock = new ManualClock();
    const indexes = [...storeIndexes, ...eventIndexes];
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

/**
 * Which message never arrives: one that the client sent, or one that the server answered. `patience`:
 * the client leaves as soon as its solution is sent, while the server still works on it.
 */
export type Lost = JoinMessage["case"] | JoinReply["case"] | "patience";

/** A client with its storage; `lose` cuts the next ceremony at a message. */
export class Machine {
  readonly storage: JoinStorage;
  readonly keys: KeyStore;
  readonly client: JoinClient;
  readonly cluster: JoinCluster;
  readonly settings: JoinSettings;
  lose: Lost | undefined;
  /** Never shows its certificate: every join is a recovery. */
  anonymous = false;
  /** Changes what the client says, as a hostile one would. */
  tamper: (message: JoinMessage) => JoinMessage = (message) => message;
  /** Everything that went over the line, by name. */
  readonly log: string[] = [];
  /** What the server refused, one for each ceremony that it ended. */
  readonly refused: CodedError[] = [];

  constructor(
    cluster: JoinCluster,
    settings: Partial<JoinSettings> & Pick<JoinSettings, "token">,
    parts: { storage?: JoinStorage; keys?: KeyStore } = {},
  ) {
    this.cluster = cluster;
    this.settings = {
      method: "bound_keypair",
      registrationSecret: "s3cret",
      role: "Bot",
      host: { hostname: "machine-1", os: "linux", architecture: "x64", version: "1.0.0" },
      ...settings,
    };
    this.storage = parts.storage ?? new MemoryJoinStorage();
    this.keys = parts.keys ?? new MemoryKeyStore();
    const { storage, keys } = this;
    const options = { settings: this.settings, storage, keys, clock: cluster.clock };
    this.client = new JoinClient({ ...options, logger: silentLogger });
  }

  readonly connect: ConnectToJoin = async ({ identity }) => {
    const { lose, log, refused, tamper } = this;
    this.lose = undefined;
    return new Line(this.cluster.begin(this.anonymous ? undefined : identity), {
      lose,
      log,
      refused,
      tamper,
    });
  };

  join(signal = new AbortController().signal): ReturnType<JoinClient["join"]> {
    return this.client.join(this.connect, signal);
  }

  /** The same disk in a second machine. */
  async copy(): Promise<Machine> {
    const storage = new MemoryJoinStorage();
    const state = await this.storage.load();
    if (state) await storage.save(state);
    return new Machine(this.cluster, this.settings, { storage, keys: this.keys });
  }

  /** Its disk as it is when an attempt has been prepared, and nothing was sent. */
  async prepared(): Promise<JoinState | undefined> {
    this.lose = "init";
    await refusal(this.join());
    return await this.storage.load();
  }

  /** Changes what is on its disk. */
  async edit(edit: (state: JoinState) => JoinState): Promise<void> {
    await this.storage.save(edit((await this.storage.load())!));
  }

  /** Throws its certificate away: the next join is a recovery. */
  async loseCertificate(): Promise<void> {
    const past = await this.identity();
    await this.cluster.clock.advance(past.expires - this.cluster.clock.now());
  }

  /** The number of the certificate, as the cluster has it now. */
  async instanceId(): Promise<string> {
    const verified = this.cluster.verified(await this.identity());
    return verified?.kind === "user" ? verified.identity.botInstanceId! : "";
  }

  async identity(): Promise<JoinedIdentity> {
    return (await this.client.current())!;
  }
}

type Faults = Pick<Machine, "lose" | "log" | "refused" | "tamper">;

/** The bytes of both directions, as a stream would carry them. */
class Line implements JoinTransport {
  readonly #ceremony: Ceremony;
  readonly #faults: Faults;
  readonly #replies: Promise<JoinReply | undefined>[] = [];
  #last: JoinMessage["case"] | undefined;

  constructor(ceremony: Ceremony, faults: Faults) {
    this.#ceremony = ceremony;
    this.#faults = faults;
  }

  async send(request: JoinRequest): Promise<void> {
    const { message } = fromBinary(JoinRequestSchema, toBinary(JoinRequestSchema, request));
    if (message.case === undefined) throw new TypeError("an empty message was sent");
    const { lose, log, tamper } = this.#faults;
    log.push(message.case);
    this.#last = message.case;
    if (message.case === lose) throw unavailable("the line was cut");
    const reply = this.#ceremony.receive(tamper(message));
    reply.catch((error: unknown) => {
      if (error instanceof CodedError) this.#faults.refused.push(error);
    });
    this.#replies.push(reply);
  }

  async receive(): Promise<JoinResponse | undefined> {
    if (this.#faults.lose === "patience" && this.#last === "solution")
      throw unavailable("the client did not wait");
    const message = await this.#replies.shift();
    if (!message) return undefined;
    if (message.case === this.#faults.lose) throw unavailable("the line was cut");
    this.#faults.log.push(message.case);
    const bytes = toBinary(JoinResponseSchema, create(JoinResponseSchema, { message }));
    return fromBinary(JoinResponseSchema, bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ceremony.close("the client has left");
  }
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
