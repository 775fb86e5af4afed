import type { Clock, Logger } from "#base/kernel";
import type { Metrics } from "#base/observe";
import type { Store } from "#base/storage";
import type { AddressLimits } from "#services/auth";
import type { AppAgent } from "#services/agent";
import type { PortLimits } from "#services/proxy";
import { join } from "node:path";
import type { Cluster } from "./cluster.ts";
import { openDataDir } from "./data-dir.ts";
import type { Diagnostics, DiagnosticsOptions, PartStatus } from "./diagnostics.ts";
import type { AgentSettings, Settings } from "./settings.ts";

export interface ContextOptions {
  readonly settings: Settings;
  /** Names a cluster that the configuration does not name. */
  readonly hostname: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** An open store to use instead of the one in the data directory; the caller closes it. */
  readonly store?: Store;
  /** The store was restored from a backup. */
  readonly restored?: boolean;
  readonly portLimits?: Partial<PortLimits>;
  readonly strangerLimits?: AddressLimits;
  /** Authorities in PEM, beside the system's, for the addresses of OIDC issuers. */
  readonly issuerCa?: readonly string[];
  /** How long open connections may go on after shutdown began. */
  readonly drainMs?: number;
}

const DRAIN_MS = 10_000;

/** Everything that one process runs, built from its settings: the composition root. */
export class Context implements AsyncDisposable {
  readonly #owned: AsyncDisposableStack;
  readonly #drainMs: number;
  readonly #stopAgent = new AbortController();
  readonly #serving: Promise<void>;
  readonly cluster: Cluster | undefined;
  readonly agent: AppAgent | undefined;
  readonly diagnostics: Diagnostics | undefined;

  private constructor(parts: Parts, owned: AsyncDisposableStack, drainMs: number) {
    this.#owned = owned;
    this.#drainMs = drainMs;
    this.cluster = parts.cluster;
    this.agent = parts.agent;
    this.diagnostics = parts.diagnostics;
    this.#serving = parts.agent?.run(this.#stopAgent.signal) ?? Promise.resolve();
  }

  static async start(options: ContextOptions): Promise<Context> {
    await using owned = new AsyncDisposableStack();
    const parts = await start(options, owned);
    return new Context(parts, owned.move(), options.drainMs ?? DRAIN_MS);
  }

  /** Ends well: nothing new is taken, and what is open gets its time. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopAgent.abort();
    await Promise.all([this.cluster?.drain(this.#drainMs), this.#serving]);
    await this.#owned.disposeAsync();
  }
}

interface Parts {
  readonly cluster: Cluster | undefined;
  readonly agent: AppAgent | undefined;
  readonly diagnostics: Diagnostics | undefined;
}

async function start(options: ContextOptions, owned: AsyncDisposableStack): Promise<Parts> {
  const { settings, metrics } = options;
  await openDataDir(settings.dataDir);
  const cluster = settings.cluster && owned.use(await startCluster(options));
  const agent = settings.agent && (await startAgent(options, settings.agent, cluster));
  const parts = (): Record<string, PartStatus> => ({
    ...(cluster ? { proxy_service: { status: "healthy" } } : {}),
    ...(agent ? { app_service: agent.status } : {}),
  });
  const { diagnostics: address } = settings;
  const diagnostics = address && owned.use(await listen({ address, metrics, parts }));
  return { cluster, agent, diagnostics };
}

// Each part is loaded only where it runs: an agent alone needs no store and no authorities.

async function startCluster(options: ContextOptions): Promise<Cluster> {
  const { Cluster } = await import("./cluster.ts");
  const { settings, hostname, ...rest } = options;
  return Cluster.start({
    ...rest,
    dataDir: settings.dataDir,
    settings: settings.cluster!,
    defaultName: clusterNameFrom(hostname),
  });
}

async function listen(options: DiagnosticsOptions): Promise<Diagnostics> {
  const { Diagnostics } = await import("./diagnostics.ts");
  return Diagnostics.listen(options);
}

/** A wildcard certificate needs a name of two labels at least: `*.example` is not matched. */
function clusterNameFrom(hostname: string): string {
  const name = hostname
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]/g, "-")
    .replaceAll(/^[^a-z0-9]+|[^a-z0-9]+$/g, "");
  if (name === "") return "tenon.internal";
  return name.includes(".") ? name : `${name}.internal`;
}

async function startAgent(
  { settings, clock, random, logger, drainMs = DRAIN_MS }: ContextOptions,
  { apps, remote }: AgentSettings,
  cluster: Cluster | undefined,
): Promise<AppAgent> {
  const [{ openAgent }, { localCluster }] = await Promise.all([
    import("./agent.ts"),
    import("./local-agent.ts"),
  ]);
  const common = {
    dataDir: join(settings.dataDir, "agent"),
    apps,
    clock,
    random,
    logger: logger.child({ service: "app" }),
    drainMs,
  };
  if (cluster)
    return openAgent({ ...common, ...localCluster(cluster, settings.cluster!.listen, clock) });
  const { token, ...rest } = remote!;
  return openAgent({ ...common, ...rest, token: async () => token });
}
