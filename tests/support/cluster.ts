import { randomToken } from "#base/crypto";
import { silentLogger, systemClock, type Clock, type Logger } from "#base/kernel";
import { Metrics } from "#base/observe";
import { RpcChannel } from "#base/rpc";
import type { Store } from "#base/storage";
import { caPins, type Authorities, type Trust } from "#domain/authority";
import { parseDocument, Resources, writeOf } from "#domain/resources";
import type { AgentApp, AppAgent } from "#services/agent";
import type { AddressLimits } from "#services/auth";
import type { PortLimits } from "#services/proxy";
import { AuthService } from "@tenon/api/tenon/auth/v1/auth";
import { ResourceService } from "@tenon/api/tenon/resource/v1/resource";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openAgent, type AgentOptions } from "../../src/programs/tenon/agent.ts";
import type { Cluster } from "../../src/programs/tenon/cluster.ts";
import { Context } from "../../src/programs/tenon/context.ts";
import { IdentityMaker } from "./identities.ts";
import { until } from "./wait.ts";

export interface TestClusterOptions {
  readonly clock?: Clock;
  /** Instead of the SQLite store in the data directory; the caller closes it. */
  readonly store?: Store;
  /** An existing one, which is kept: for restarts. */
  readonly dataDir?: string;
  /** The port to listen on: for restarts. */
  readonly port?: number;
  readonly name?: string;
  readonly publicAddr?: string;
  readonly keyPairs?: readonly { readonly cert: string; readonly key: string }[];
  readonly logger?: Logger;
  readonly portLimits?: Partial<PortLimits>;
  readonly strangerLimits?: AddressLimits;
  readonly issuerCa?: readonly string[];
  readonly drainMs?: number;
}

/** Tests do not wait for connections that they left open. */
const DRAIN_MS = 200;

/** A whole cluster in this process, from the same composition root as `tenon start`. */
export class TestCluster implements AsyncDisposable {
  readonly dataDir: string;
  readonly identities: IdentityMaker;
  readonly admin: AdminClients;
  readonly #context: Context;
  readonly #options: TestClusterOptions;
  readonly #channel: RpcChannel;
  readonly #owned = new AsyncDisposableStack();

  static async start(options: TestClusterOptions = {}): Promise<TestCluster> {
    const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), "tenon-cluster-")));
    const context = await Context.start({
      settings: {
        dataDir,
        log: { level: "error", format: "text" },
        cluster: {
          name: options.name ?? "example.test",
          listen: { host: "127.0.0.1", port: options.port ?? 0 },
          publicAddr: options.publicAddr,
          keyPairs: options.keyPairs ?? [],
        },
        agent: undefined,
        diagnostics: undefined,
      },
      hostname: "test",
      clock: systemClock,
      random: Math.random,
      logger: silentLogger,
      metrics: new Metrics(),
      drainMs: DRAIN_MS,
      ...options,
    });
    return new TestCluster(context, dataDir, options);
  }

  private constructor(context: Context, dataDir: string, options: TestClusterOptions) {
    this.#context = context;
    this.#options = options;
    this.dataDir = dataDir;
    this.identities = new IdentityMaker(this.authorities);
    this.#channel = new RpcChannel({
      target: { unix: this.cluster.adminSocket },
      clock: this.#clock,
    });
    this.admin = adminClients(this.#channel);
  }

  get cluster(): Cluster {
    return this.#context.cluster!;
  }

  get address(): { readonly host: string; readonly port: number } {
    return { host: "127.0.0.1", port: this.cluster.proxy.port };
  }

  get authorities(): Authorities {
    return this.cluster.authorities;
  }

  get trust(): Trust {
    return this.authorities.trust();
  }

  get caPins(): readonly string[] {
    return caPins(this.trust);
  }

  get store(): Store {
    return this.cluster.store;
  }

  get resources(): Resources {
    return new Resources(this.store);
  }

  /** Writes documents (envelope defaults are filled in) as the administrator. */
  async put(...documents: readonly object[]): Promise<void> {
    await this.store.commit(documents.map((document) => writeOf(parseDocument(document), "put")));
  }

  /** A role that opens applications with these labels; by default all. */
  async role(name: string, appLabels: Record<string, string[]> = { "*": ["*"] }): Promise<void> {
    const spec = { allow: { app_labels: appLabels } };
    await this.put({ kind: "role", version: "v1", metadata: { name }, spec });
  }

  /** Gives the lock's name. */
  async lock(target: Record<string, string>, message = ""): Promise<string> {
    const name = randomToken();
    await this.put({ kind: "lock", version: "v2", metadata: { name }, spec: { target, message } });
    return name;
  }

  /** A single-use join token for an application agent. */
  async agentToken(): Promise<string> {
    const name = randomToken();
    const spec = { roles: ["App"], join_method: "token" };
    await this.put({ kind: "token", version: "v2", metadata: { name }, spec });
    return name;
  }

  /** Starts an agent that serves these, and waits until it is ready. */
  async serve(apps: readonly Partial<AgentApp>[], options: ServeOptions = {}): Promise<TestAgent> {
    const agent = await TestAgent.start({
      cluster: this,
      apps: apps.map(completeApp),
      clock: this.#clock,
      logger: this.#options.logger ?? silentLogger,
      ...options,
    });
    if (!options.keep) this.#owned.use(agent);
    return agent;
  }

  /** Events of a type, oldest first, once they are written. */
  async events(type: string): Promise<readonly Record<string, unknown>[]> {
    await this.cluster.audit.flush();
    const found = await this.admin.auth.searchEvents({ type, ascending: true });
    return found.events.map((json) => JSON.parse(json) as Record<string, unknown>);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
    this.#channel.close();
    await this.#context[Symbol.asyncDispose]();
    if (!this.#options.dataDir) await rm(this.dataDir, { recursive: true, force: true });
  }

  get #clock(): Clock {
    return this.#options.clock ?? systemClock;
  }
}

type AdminClients = ReturnType<typeof adminClients>;

/** The services as the local administrator calls them. */
const adminClients = (channel: RpcChannel) => ({
  auth: channel.client(AuthService),
  resources: channel.client(ResourceService),
});

export const startCluster = (options?: TestClusterOptions): Promise<TestCluster> =>
  TestCluster.start(options);

const completeApp = (app: Partial<AgentApp>): AgentApp => ({
  name: "web",
  uri: "http://127.0.0.1:1",
  description: "",
  labels: {},
  publicAddr: undefined,
  ca: undefined,
  insecureSkipVerify: false,
  preserveHost: false,
  responseTimeoutMs: 10_000,
  ...app,
});

interface TestAgentOptions extends ServeOptions {
  readonly cluster: TestCluster;
  readonly apps: readonly AgentApp[];
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface ServeOptions {
  /** An existing one, which is kept: for restarts. */
  readonly dataDir?: string;
  readonly hostId?: string;
  readonly drainMs?: number;
  /** Leaves it to the caller to stop the agent. */
  readonly keep?: boolean;
  /** Joins by bound_keypair with this token, and not by a token of its own. */
  readonly bound?: { readonly token: string; readonly registrationSecret?: string };
}

function joining({ cluster, bound }: TestAgentOptions): Pick<AgentOptions, "token" | "method"> {
  if (!bound) return { token: () => cluster.agentToken() };
  const { token, ...rest } = bound;
  return { ...rest, method: "bound_keypair", token: async () => token };
}

/** An application agent in this process, which reaches the cluster over the wire. */
export class TestAgent implements AsyncDisposable {
  readonly agent: AppAgent;
  readonly dataDir: string;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  readonly #keep: boolean;

  static async start(options: TestAgentOptions): Promise<TestAgent> {
    const { cluster, apps, clock, logger } = options;
    const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), "tenon-agent-")));
    if (options.hostId) await writeFile(join(dataDir, "host_id"), options.hostId);
    const agent = await openAgent({
      dataDir,
      address: cluster.address,
      caPins: cluster.caPins,
      ...joining(options),
      apps,
      clock,
      random: Math.random,
      logger,
      drainMs: options.drainMs ?? DRAIN_MS,
    });
    const started = new TestAgent(agent, dataDir, options.dataDir !== undefined);
    await until("the agent is ready", () => {
      if (agent.status.status === "healthy") return true;
      return undefined;
    });
    return started;
  }

  private constructor(agent: AppAgent, dataDir: string, keep: boolean) {
    this.agent = agent;
    this.dataDir = dataDir;
    this.#keep = keep;
    this.#running = agent.run(this.#stop.signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
    if (!this.#keep) await rm(this.dataDir, { recursive: true, force: true });
  }
}
