import { VERSION, type Clock, type Logger } from "#base/kernel";
import type { Metrics } from "#base/observe";
import { createRpcServer, LocalCalls, type RpcServer } from "#base/rpc";
import type { BackedUpStore, Store } from "#base/storage";
import { AuditLog, systemActor } from "#domain/audit";
import type { Authorities } from "#domain/authority";
import { openResync } from "#domain/join";
import { Resources, userKind, writeOf } from "#domain/resources";
import type { SignIn } from "#domain/sign-in";
import { createAuthServer, type AddressLimits, type AuthServer } from "#services/auth";
import { parseAddress } from "#services/enrolment";
import { Proxy, type PortLimits } from "#services/proxy";
import { webHandler, type WebHandler } from "#services/web";
import { openAuthorities, openStore, requireStore } from "./bootstrap.ts";
import { hostIdOf } from "./host-id.ts";
import { adminSocketPath, webRoot } from "./paths.ts";
import { PROXY_PORT } from "./remote.ts";
import type { ClusterSettings } from "./settings.ts";

export interface ClusterOptions {
  readonly dataDir: string;
  readonly settings: ClusterSettings;
  /** For a first start that was given no name. */
  readonly defaultName: string;
  /** An open store to use instead of the one in the data directory; the caller closes it. */
  readonly store?: Store;
  /** The store was restored from a backup: machines may be ahead of it. */
  readonly restored?: boolean;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly portLimits?: Partial<PortLimits>;
  readonly strangerLimits?: AddressLimits;
  /** Authorities in PEM, beside the system's, for the addresses of OIDC issuers. */
  readonly issuerCa?: readonly string[];
}

/** A cluster in one process: store, authorities, RPCs, the administrator's socket and the proxy. */
export class Cluster implements AsyncDisposable {
  readonly #owned: AsyncDisposableStack;
  readonly #rpc: RpcServer;
  readonly #signIn: SignIn;
  readonly store: Store;
  readonly authorities: Authorities;
  readonly audit: AuditLog;
  readonly proxy: Proxy;
  readonly adminSocket: string;
  /** Whether this start created the cluster. */
  readonly isNew: boolean;

  private constructor(parts: Parts) {
    this.#owned = parts.owned;
    this.#rpc = parts.rpc;
    this.#signIn = parts.signIn;
    this.store = parts.store;
    this.authorities = parts.authorities;
    this.audit = parts.audit;
    this.proxy = parts.proxy;
    this.adminSocket = parts.adminSocket;
    this.isNew = parts.isNew;
  }

  static async start(options: ClusterOptions): Promise<Cluster> {
    await using owned = new AsyncDisposableStack();
    const parts = await start(options, owned);
    return new Cluster({ ...parts, owned: owned.move() });
  }

  /** Makes a person who may do everything, and a link with which to sign in; a secret. */
  async inviteFirstUser(name: string): Promise<string> {
    const spec = { roles: ["access", "editor", "auditor"], created_by: "system" };
    const user = userKind.schema.parse({ kind: "user", version: "v1", metadata: { name }, spec });
    const event = { type: "user.create", actor: systemActor, fields: { name } } as const;
    await this.store.commit([writeOf(user, "create"), this.audit.write(event)]);
    return (await this.#signIn.invite({ user: name, purpose: "invitation" })).url;
  }

  /** Takes nothing new, and lets what is under way end for `graceMs`. */
  async drain(graceMs: number): Promise<void> {
    await Promise.all([this.proxy.drain(graceMs), this.#rpc.shutdown(graceMs)]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}

interface Parts {
  readonly owned: AsyncDisposableStack;
  readonly rpc: RpcServer;
  readonly signIn: SignIn;
  readonly store: Store;
  readonly authorities: Authorities;
  readonly audit: AuditLog;
  readonly proxy: Proxy;
  readonly adminSocket: string;
  readonly isNew: boolean;
}

/** What is started later is stopped earlier. */
async function start(options: ClusterOptions, owned: AsyncDisposableStack): Promise<Parts> {
  const { dataDir, clock, random, logger } = options;
  if (options.restored && !options.store) requireStore(dataDir);
  const embedded = options.store ? undefined : owned.use(await openStore(options));
  const store = options.store ?? embedded!;
  const { name } = options.settings;
  const { authorities, isNew } = await openAuthorities({ ...options, store, name });
  const audit = owned.use(new AuditLog({ store, clock, logger, random }));
  // Before anything listens: the first machine that comes may be ahead.
  if (options.restored) await noteRestore({ store, audit, clock }, logger);
  const address = { text: "" };
  const carried: Carried = {};
  const opened = { options, store, authorities, audit, address, carried };
  const backup = embedded && ((file: string) => embedded.backup(file));
  const auth = owned.use(await openAuth({ ...opened, backup }));
  const rpc = owned.use(await createRpcServer({ services: auth.services, clock, logger }));
  const proxy = owned.use(await openProxy({ ...opened, rpc, auth }));
  address.text = proxy.publicAddr;
  carried.proxy = proxy;
  const adminSocket = adminSocketPath(dataDir);
  await rpc.listenUnix(adminSocket);
  audit.emit({
    type: "cluster.start",
    actor: systemActor,
    fields: { version: VERSION, cluster_name: authorities.clusterName },
  });
  const { signIn } = auth;
  return { owned, rpc, signIn, store, authorities, audit, proxy, adminSocket, isNew };
}

async function noteRestore(parts: Parameters<typeof openResync>[0], logger: Logger): Promise<void> {
  const { until } = await openResync(parts);
  logger.warn("a resync window is open: tokens may be moved forward to what machines prove", {
    until: new Date(until).toISOString(),
  });
}

/** Known once the proxy runs; before that it carries nothing. */
interface Carried {
  proxy?: Proxy;
}

function openAuth(about: {
  options: ClusterOptions;
  store: Store;
  authorities: Authorities;
  audit: AuditLog;
  address: { readonly text: string };
  carried: Carried;
  backup: BackedUpStore["backup"] | undefined;
}): Promise<AuthServer> {
  const { options, store, authorities, audit, address, carried, backup } = about;
  const { clock, random, logger, metrics, strangerLimits, issuerCa = [] } = options;
  return createAuthServer({
    store,
    resources: new Resources(store),
    authorities,
    audit,
    clock,
    random,
    logger,
    metrics,
    backup,
    openSessions: () => carried.proxy?.sessions ?? [],
    config: {
      version: VERSION,
      // Known once the proxy listens; no call comes before.
      get proxyPublicAddr() {
        return address.text;
      },
    },
    issuerCa,
    ...(strangerLimits ? { strangerLimits } : {}),
  });
}

async function openProxy(about: {
  options: ClusterOptions;
  store: Store;
  authorities: Authorities;
  audit: AuditLog;
  rpc: RpcServer;
  auth: AuthServer;
  address: { readonly text: string };
}): Promise<Proxy> {
  const { options, store, authorities, audit, rpc, auth } = about;
  const { listen, publicAddr, keyPairs } = options.settings;
  return Proxy.start({
    ...options,
    web: webOf(about),
    store,
    authorities,
    audit,
    rpc,
    locks: auth.locks,
    hostId: await hostIdOf(options.dataDir),
    listen,
    publicAddr: publicAddress(publicAddr, authorities.clusterName),
    keyPairs,
    ...(options.portLimits ? { limits: options.portLimits } : {}),
  });
}

function webOf(about: {
  options: ClusterOptions;
  store: Store;
  authorities: Authorities;
  auth: AuthServer;
  address: { readonly text: string };
}): WebHandler {
  const { options, store, authorities, auth } = about;
  const parts = {
    calls: new LocalCalls(auth.services),
    signIn: auth.signIn,
    resources: new Resources(store),
    authorities,
    publicAddr: () => about.address.text,
    version: VERSION,
    clock: options.clock,
    logger: options.logger.child({ service: "web" }),
  };
  return webHandler(parts, webRoot());
}

/** Without a port of its own it has the one that the proxy listens on. */
function publicAddress(
  text: string | undefined,
  clusterName: string,
): { host: string; port: number | undefined } {
  if (text === undefined) return { host: clusterName, port: undefined };
  const { host, port } = parseAddress(text, PROXY_PORT);
  return { host, port: /:\d+$/.test(text) && !text.endsWith("]") ? port : undefined };
}
