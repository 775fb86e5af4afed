import { silentLogger, systemClock, type Clock } from "#base/kernel";
import { Metrics } from "#base/observe";
import { createRpcServer, RpcChannel, type RpcLimits, type RpcServer } from "#base/rpc";
import { builtinRoleWrites } from "#domain/access";
import { AuditLog, type AuditEvent } from "#domain/audit";
import type { HostClaims, UserClaims } from "#domain/authority";
import { botInstanceName, parseDocument, Resources, writeOf } from "#domain/resources";
import { createAuthServer, type AddressLimits, type AuthServer } from "#services/auth";
import { x509Pem } from "#base/crypto";
import { TestIdentities, type TestIdentity } from "#testing/identities";
import { TlsListener } from "#testing/tls";
import { until } from "#testing/wait";
import { AuthService } from "@tenon/api/tenon/auth/v1/auth";
import { JoinService } from "@tenon/api/tenon/join/v1/join";
import { ResourceService } from "@tenon/api/tenon/resource/v1/resource";
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface AuthBenchOptions {
  readonly clock?: Clock;
  readonly limits?: Partial<RpcLimits>;
  readonly strangerLimits?: AddressLimits;
}

/** The authority's services on a store in memory, behind real TLS and a real local socket. */
export class AuthBench implements AsyncDisposable {
  readonly identities: TestIdentities;
  readonly resources: Resources;
  readonly audit: AuditLog;
  readonly metrics: Metrics;
  readonly auth: AuthServer;
  readonly rpc: RpcServer;
  readonly #clock: Clock;
  readonly #listener: TlsListener;
  readonly #directory: string;
  readonly #channels: RpcChannel[] = [];

  private constructor(parts: {
    identities: TestIdentities;
    audit: AuditLog;
    metrics: Metrics;
    auth: AuthServer;
    rpc: RpcServer;
    clock: Clock;
    listener: TlsListener;
    directory: string;
  }) {
    this.identities = parts.identities;
    this.resources = new Resources(parts.identities.store);
    this.audit = parts.audit;
    this.metrics = parts.metrics;
    this.auth = parts.auth;
    this.rpc = parts.rpc;
    this.#clock = parts.clock;
    this.#listener = parts.listener;
    this.#directory = parts.directory;
  }

  /** A clock of the test's own must start now: TLS looks at the real time. */
  static async open(options: AuthBenchOptions = {}): Promise<AuthBench> {
    const { clock = systemClock } = options;
    const common = { clock, logger: silentLogger, random: () => 0.5, metrics: new Metrics() };
    const identities = await TestIdentities.open(clock);
    const { store, authorities } = identities;
    await store.commit(builtinRoleWrites());
    const audit = new AuditLog({ ...common, store });
    const auth = await createAuthServer({
      ...common,
      store,
      audit,
      authorities,
      resources: new Resources(store),
      config: { version: "0.0.0-test", proxyPublicAddr: "proxy.example.test:3080" },
      // The store in memory has none: this one only says that it was asked.
      backup: async () => ({ bytes: 0 }),
      ...(options.strangerLimits ? { strangerLimits: options.strangerLimits } : {}),
    });
    const rpc = await createRpcServer({
      ...common,
      services: auth.services,
      ...(options.limits ? { limits: options.limits } : {}),
    });
    const server = identities.host({ roles: ["Proxy"] });
    const { hostX509, userX509 } = identities.trust;
    const ca = [...hostX509, ...userX509].map((der) => x509Pem(der));
    const tls = { cert: server.cert, key: server.key, ca };
    const listener = await TlsListener.open(tls, (socket) => rpc.injectTls(socket));
    const directory = await mkdtemp(join(tmpdir(), "tenon-auth-"));
    await rpc.listenUnix(join(directory, "admin.sock"));
    return new AuthBench({ ...common, identities, audit, auth, rpc, listener, directory });
  }

  /** A caller with this certificate, or a stranger. */
  as(identity?: Pick<TestIdentity, "cert" | "key">): Services {
    const { hostCa, serverName } = this.identities;
    const certificate = identity ? { cert: identity.cert, key: identity.key } : {};
    return this.#services(
      new RpcChannel({
        target: { host: "127.0.0.1", port: this.#listener.port },
        tls: { ca: hostCa, serverName, ...certificate },
        clock: this.#clock,
      }),
    );
  }

  /** A stranger on a connection of its own, who may close it. */
  stranger(): { readonly services: Services; readonly close: () => void } {
    const { hostCa, serverName } = this.identities;
    const channel = new RpcChannel({
      target: { host: "127.0.0.1", port: this.#listener.port },
      tls: { ca: hostCa, serverName },
      clock: this.#clock,
    });
    return { services: servicesOf(channel), close: () => channel.close() };
  }

  admin(): Services {
    const unix = join(this.#directory, "admin.sock");
    return this.#services(new RpcChannel({ target: { unix }, clock: this.#clock }));
  }

  /** Writes documents as the local administrator. */
  async create(...documents: readonly object[]): Promise<void> {
    await this.admin().resources.upsert({
      documents: documents.map((document) => ({ json: JSON.stringify(document) })),
    });
  }

  /** Puts documents into the store, past every rule. */
  async put(...documents: readonly object[]): Promise<void> {
    const writes = documents.map((document) => writeOf(parseDocument(document), "put"));
    await this.identities.store.commit(writes);
  }

  /** A role that opens applications with any label, or what `allow` says. */
  async createRole(name: string, allow: object = { app_labels: { "*": ["*"] } }): Promise<void> {
    await this.create({ kind: "role", version: "v1", metadata: { name }, spec: { allow } });
  }

  async createUser(name: string, roles: readonly string[]): Promise<void> {
    await this.create({ kind: "user", version: "v1", metadata: { name }, spec: { roles } });
  }

  /** A bot that may impersonate the roles, and one instance of it; gives the claims of its identity. */
  async createBot(name: string, roles: readonly string[]): Promise<UserClaims> {
    await this.create({ kind: "bot", version: "v1", metadata: { name }, spec: { roles } });
    const botInstanceId = randomUUID();
    const instance = parseDocument({
      kind: "bot_instance",
      version: "v1",
      metadata: { name: botInstanceName(name, botInstanceId) },
      spec: { bot_name: name, instance_id: botInstanceId },
      status: { generation: 1 },
    });
    await this.identities.store.commit([writeOf(instance, "create")]);
    const user = `bot-${name}`;
    const own = { user, roles: [user], traits: {}, logins: [], botName: name, botInstanceId };
    return { ...own, generation: 1, joinToken: `${name}-token`, allowReissue: true };
  }

  user(claims: Partial<UserClaims>, ttlMs?: number): Services {
    return this.as(this.identities.user(claims, ttlMs));
  }

  host(claims: Partial<HostClaims>, ttlMs?: number): Services {
    return this.as(this.identities.host(claims, ttlMs));
  }

  /** Locks, and waits until the authority knows. */
  async lock(target: object, message = "under suspicion"): Promise<string> {
    const name = randomUUID();
    await this.create({
      kind: "lock",
      version: "v2",
      metadata: { name },
      spec: { target, message },
    });
    await until("the lock is known", () =>
      this.auth.locks.all().some((lock) => lock.metadata.name === name),
    );
    return name;
  }

  /** Events of one type, oldest first, after everything told so far was written. */
  async events(type: AuditEvent["type"]): Promise<readonly AuditEvent[]> {
    await this.audit.flush();
    return (await this.audit.search({ type, ascending: true })).events;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const channel of this.#channels) channel.close();
    await this.rpc.shutdown(0);
    await this.#listener[Symbol.asyncDispose]();
    await this.auth[Symbol.asyncDispose]();
    await this.audit[Symbol.asyncDispose]();
    await this.identities.store[Symbol.asyncDispose]();
    await rm(this.#directory, { recursive: true });
  }

  #services(channel: RpcChannel): Services {
    this.#channels.push(channel);
    return servicesOf(channel);
  }
}

/** Every service of the authority, as one caller. */
export type Services = ReturnType<typeof servicesOf>;

const servicesOf = (channel: RpcChannel) => ({
  auth: channel.client(AuthService),
  join: channel.client(JoinService),
  resources: channel.client(ResourceService),
});
