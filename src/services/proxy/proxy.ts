import {
  messageOf,
  runRepeatedly,
  unavailable,
  VERSION,
  type Clock,
  type Logger,
  type Metrics,
} from "#base/kernel";
import type { RpcServer } from "#base/rpc";
import type { Store } from "#base/storage";
import type { LockSet } from "#domain/access";
import type { AuditLog } from "#domain/audit";
import type { Authorities } from "#domain/authority";
import { LiveConnections, ReverseTunnelPool, RouteServer } from "#services/tunnel";
import { isIP } from "node:net";
import { AppAccess } from "./app-access.ts";
import { AppGate } from "./app-gate.ts";
import { ClusterView, followCluster } from "./cluster-view.ts";
import { HostCertificate } from "./host-certificate.ts";
import type { KeyPairFiles } from "./key-pair-files.ts";
import { portLimits, type PortLimits } from "./limits.ts";
import { measure } from "./measure.ts";
import { Names } from "./names.ts";
import { pages } from "./pages.ts";
import { TlsPort } from "./port.ts";
import { RefusalLog } from "./refusal-log.ts";
import { routes } from "./routes.ts";
import { WebCertificate } from "./web-certificate.ts";
import { WebServer } from "./web.ts";

export interface ProxyOptions {
  readonly store: Store;
  readonly authorities: Authorities;
  readonly audit: Pick<AuditLog, "emit">;
  /** Kept in step with the store by its owner. */
  readonly locks: LockSet;
  readonly rpc: RpcServer;
  /** UUID of this proxy. */
  readonly hostId: string;
  readonly dataDir: string;
  readonly listen: { readonly host: string; readonly port: number };
  /** How clients reach it. Its port is the one that it listens on, when it has none. */
  readonly publicAddr: { readonly host: string; readonly port: number | undefined };
  readonly keyPairs: readonly KeyPairFiles[];
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly limits?: Partial<PortLimits>;
}

/** What keeps the store from answering passes, or the operator sees it in the log. */
const FOLLOW_RETRY = { firstMs: 200, maxMs: 5_000 };

/** The cluster's one TLS port and everything behind it. */
export class Proxy implements AsyncDisposable {
  readonly #owned: AsyncDisposableStack;
  readonly #parts: Parts;
  /** Where it listens. */
  readonly port: number;
  /** `host:port` for clients outside. */
  readonly publicAddr: string;

  private constructor(owned: AsyncDisposableStack, parts: Parts, about: Listening) {
    this.#owned = owned;
    this.#parts = parts;
    this.port = about.port;
    this.publicAddr = about.publicAddr;
  }

  static async start(options: ProxyOptions): Promise<Proxy> {
    await using starting = new AsyncDisposableStack();
    const view = await followed(options, starting);
    const address: Listening = { port: 0, publicAddr: "" };
    const parts = await build({ options, view, address, owned: starting });
    Object.assign(address, await listen(parts.port, options));
    return new Proxy(starting.move(), parts, address);
  }

  /** What is open: for metrics, and for tests that look for leaks. */
  get open(): { connections: number; handshakes: number; strangers: number; tunnelled: number } {
    return { ...this.#parts.port.open, tunnelled: this.#parts.pool.openConnections };
  }

  /** Host ids of the agents that are connected. */
  get agents(): readonly string[] {
    return this.#parts.pool.hostIds;
  }

  /** Takes nothing new, and lets what is open end for `graceMs`. */
  async drain(graceMs: number): Promise<void> {
    const { port, web, routes, pool, apps } = this.#parts;
    port.stopListening();
    web.drain();
    await Promise.all([routes.drain(graceMs), within(this.#parts.clock, graceMs, apps.idle())]);
    await pool.drain(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}

interface Listening {
  port: number;
  publicAddr: string;
}

interface Parts {
  readonly clock: Clock;
  readonly port: TlsPort;
  readonly web: WebServer;
  readonly pool: ReverseTunnelPool;
  readonly routes: RouteServer;
  readonly apps: AppAccess;
}

interface Building {
  readonly options: ProxyOptions;
  readonly view: ClusterView;
  readonly address: Listening;
  readonly owned: AsyncDisposableStack;
}

async function build({ options, view, address, owned }: Building): Promise<Parts> {
  const { clock, logger, locks, audit, authorities } = options;
  const { clusterName } = authorities;
  const live = owned.use(new LiveConnections({ clock, locks }));
  const pool = owned.use(new ReverseTunnelPool({ clock, logger, live }));
  const routeServer = owned.use(new RouteServer({ clock, logger, live }));
  const gate = new AppGate({ view, locks, clock });
  const apps = new AppAccess({ gate, view, pool, routes: routeServer, live, audit, clock, logger });
  const web = owned.use(
    new WebServer({
      logger,
      pages: pages({
        clusterName,
        version: VERSION,
        publicAddr: () => address.publicAddr,
        trust: () => authorities.trust(),
      }),
    }),
  );
  const publicHost = options.publicAddr.host;
  const names = new Names({ clusterName, publicHost, appAt: (host) => view.appAt(host) });
  const log = new RefusalLog(audit, clock);
  const count = measure(options.metrics, {
    port: () => port.open,
    agents: () => pool.hostIds.length,
    tunnelled: () => pool.openConnections,
  });
  const port: TlsPort = owned.use(
    new TlsPort({
      routes: routes({ clusterName, names, rpc: options.rpc, pool, apps, web }),
      certificates: await certificates(options, owned),
      trust: () => authorities.trust(),
      limits: { ...portLimits, ...options.limits },
      clock,
      logger,
      refused: (refusal) => {
        count(refusal);
        log.refused(refusal);
      },
    }),
  );
  return { clock, port, web, pool, routes: routeServer, apps };
}

async function certificates(
  options: ProxyOptions,
  owned: AsyncDisposableStack,
): Promise<{ host: HostCertificate; web: WebCertificate }> {
  const host = owned.use(new HostCertificate(options));
  const web = owned.use(await WebCertificate.open({ ...options, names: webNames(options) }));
  return { host, web };
}

/** What a self-signed web certificate is for. */
function webNames({ authorities: { clusterName }, publicAddr }: ProxyOptions): string[] {
  const publicNames = isIP(publicAddr.host)
    ? [publicAddr.host]
    : [publicAddr.host, `*.${publicAddr.host}`];
  const always = [clusterName, `*.${clusterName}`, "localhost", "127.0.0.1", "::1"];
  return [...new Set([...always, ...publicNames])];
}

/** The roles and applications, complete before the first connection is judged. */
async function followed(
  { store, clock, random, logger }: ProxyOptions,
  owned: AsyncDisposableStack,
): Promise<ClusterView> {
  const view = new ClusterView();
  const stop = new AbortController();
  const ready = Promise.withResolvers<void>();
  const following = runRepeatedly({
    clock,
    random,
    signal: stop.signal,
    intervalMs: FOLLOW_RETRY.maxMs,
    retry: FOLLOW_RETRY,
    run: (signal) => followCluster(view, { store, signal, onReady: ready.resolve }),
    onFailure: (error) =>
      logger.warn("cannot follow the cluster's roles and applications", { error }),
  });
  owned.defer(async () => {
    stop.abort();
    await following;
  });
  await ready.promise;
  return view;
}

async function listen(port: TlsPort, { listen, publicAddr }: ProxyOptions): Promise<Listening> {
  try {
    const bound = await port.listen(listen);
    const host = publicAddr.host.includes(":") ? `[${publicAddr.host}]` : publicAddr.host;
    return { port: bound.port, publicAddr: `${host}:${publicAddr.port ?? bound.port}` };
  } catch (error) {
    throw unavailable(
      `cannot listen on "${listen.host}:${listen.port}" (${messageOf(error)}); stop what uses the port, or choose another with --listen`,
      { cause: error },
    );
  }
}

async function within(clock: Clock, ms: number, done: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<void>();
  using _timer = clock.timer(ms, late.resolve);
  await Promise.race([done, late.promise]);
}
