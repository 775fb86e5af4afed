import { systemClock, type Clock, type Logger } from "#base/kernel";
import { createLogger } from "#base/observe";
import { cut, pipeDuplex } from "#base/wire";
import { LockSet } from "#domain/access";
import {
  LiveConnections,
  REVERSE_ALPN,
  ReverseTunnelAgent,
  ReverseTunnelPool,
  ROUTE_ALPN,
  RouteClient,
  RouteServer,
  type ConnectionIdentity,
  type TlsCredentials,
  type TunnelConnection,
} from "#services/tunnel";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { once } from "node:events";
import type { TLSSocket } from "node:tls";
import { TestAuthority, TlsListener } from "#testing/tls";
import { until } from "#testing/wait";

const SERVER_NAME = "proxy.test.tenon.internal";
const HOUR_MS = 3_600_000;

export interface ChainOptions {
  readonly clock?: Clock;
  /** What the application does with each of its connections; default an echo. */
  readonly app?: (socket: Socket) => void;
  /** Sessions of the agent; default 1. */
  readonly sessions?: number;
  readonly agent?: (connection: TunnelConnection) => void | Promise<void>;
}

/** Bot, proxy, agent and application in one process, joined by real TLS over real sockets. */
export class TunnelChain implements AsyncDisposable {
  readonly clock: Clock;
  readonly authority = new TestAuthority();
  readonly hostId = "6b2a3a1e-0000-4000-8000-000000000001";
  readonly log: string[] = [];
  readonly logger: Logger = createLogger({
    level: "debug",
    format: "text",
    sink: { write: (line) => this.log.push(line) },
  });
  /** Each process hears of locks for itself. */
  readonly locks = { bot: new LockSet(), proxy: new LockSet(), agent: new LockSet() };
  readonly live: { bot: LiveConnections; proxy: LiveConnections; agent: LiveConnections };
  /** What the proxy and the agent read in the client's certificate. */
  identity: ConnectionIdentity;
  /** What the proxy reads in the agent's. */
  agentIdentity: ConnectionIdentity;
  /** How often each side's credentials were asked for. */
  readonly asked = { bot: 0, agent: 0 };
  /** What the proxy threw at sessions. */
  readonly refused: unknown[] = [];
  readonly appSockets = new Set<Socket>();
  readonly #options: ChainOptions;
  #app: Server | undefined;
  #proxyPort = 0;
  proxy!: { listener: TlsListener; pool: ReverseTunnelPool; routes: RouteServer };
  agent!: { tunnel: ReverseTunnelAgent; stop: AbortController; done: Promise<void> };
  client!: RouteClient;

  constructor(options: ChainOptions = {}) {
    this.#options = options;
    this.clock = options.clock ?? systemClock;
    this.identity = { targets: ["user:bot-robot"], expires: this.clock.now() + HOUR_MS };
    this.agentIdentity = { targets: [`server_id:${this.hostId}`], expires: this.identity.expires };
    const live = (locks: LockSet): LiveConnections =>
      new LiveConnections({ clock: this.clock, locks });
    this.live = {
      bot: live(this.locks.bot),
      proxy: live(this.locks.proxy),
      agent: live(this.locks.agent),
    };
  }

  static async open(options: ChainOptions = {}): Promise<TunnelChain> {
    const chain = new TunnelChain(options);
    await chain.startApp();
    await chain.startProxy();
    chain.startAgent();
    chain.startBot();
    await chain.ready();
    return chain;
  }

  ready(): Promise<unknown> {
    const wanted = this.#options.sessions ?? 1;
    return until(
      "the agent is connected",
      () => this.agent.tunnel.status.connected === wanted && this.proxy.pool.has(this.hostId),
    );
  }

  async startApp(): Promise<void> {
    const behave = this.#options.app ?? ((socket: Socket) => void socket.pipe(socket));
    this.#app = createServer({ allowHalfOpen: true }, (socket) => {
      this.appSockets.add(socket);
      socket.on("error", () => {}).once("close", () => this.appSockets.delete(socket));
      behave(socket);
    });
    this.#app.listen(0, "127.0.0.1");
    await once(this.#app, "listening");
  }

  async startProxy(): Promise<void> {
    const { clock, logger } = this;
    const pool = new ReverseTunnelPool({ clock, logger, live: this.live.proxy });
    const routes = new RouteServer({ clock, logger, live: this.live.proxy });
    const listener = await TlsListener.open(
      {
        ...this.authority.issue("serverAuth", { name: SERVER_NAME }),
        ca: this.authority.ca,
        rejectUnauthorized: true,
        ALPNProtocols: [REVERSE_ALPN, ROUTE_ALPN],
      },
      (socket) => this.#route(socket),
      this.#proxyPort,
    );
    this.#proxyPort = listener.port;
    this.proxy = { listener, pool, routes };
  }

  startAgent(): void {
    const stop = new AbortController();
    const tunnel = new ReverseTunnelAgent({
      address: () => ({ host: "127.0.0.1", port: this.#proxyPort }),
      credentials: () => this.#credentials("agent"),
      serve: this.#options.agent ?? ((connection) => this.serve(connection)),
      clock: this.clock,
      random: () => 0,
      logger: this.logger,
      sessions: this.#options.sessions ?? 1,
    });
    this.agent = { tunnel, stop, done: tunnel.run(stop.signal) };
  }

  startBot(): void {
    this.client = new RouteClient({
      address: () => ({ host: "127.0.0.1", port: this.#proxyPort }),
      credentials: () => this.#credentials("bot"),
      clock: this.clock,
      logger: this.logger,
      live: this.live.bot,
      targets: () => this.identity.targets,
    });
  }

  /** What an agent does: checks with its own eyes, dials, accepts, pipes. */
  async serve(connection: TunnelConnection): Promise<void> {
    const abort = new AbortController();
    using _tracked = this.live.agent.track(this.identity, (reason) => abort.abort(reason));
    const socket = connect({
      port: (this.#app!.address() as AddressInfo).port,
      host: "127.0.0.1",
      allowHalfOpen: true,
      noDelay: true,
    });
    await once(socket, "connect", { signal: abort.signal });
    const stream = connection.accept();
    abort.signal.addEventListener("abort", () => cut(stream, abort.signal.reason as Error));
    await pipeDuplex(stream, socket);
  }

  async stopProxy(): Promise<void> {
    const { listener, pool, routes } = this.proxy;
    await Promise.all([
      listener[Symbol.asyncDispose](),
      pool[Symbol.asyncDispose](),
      routes[Symbol.asyncDispose](),
    ]);
  }

  async stopAgent(): Promise<void> {
    this.agent.stop.abort();
    await this.agent.done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.appSockets) socket.destroy();
    await this.client[Symbol.asyncDispose]();
    this.agent.stop.abort();
    await this.stopProxy();
    await this.agent.done;
    // Some may have been in the queue of the listener until now.
    const closed = new Promise((resolve) => this.#app?.close(resolve));
    this.#app?.on("connection", (socket) => socket.destroy());
    for (const socket of this.appSockets) socket.destroy();
    await closed;
    for (const live of Object.values(this.live)) live[Symbol.dispose]();
  }

  #route(socket: TLSSocket): void {
    socket.on("error", () => {});
    try {
      if (socket.alpnProtocol !== REVERSE_ALPN) this.#acceptRoute(socket, this.proxy.pool);
      else this.proxy.pool.register({ socket, hostId: this.hostId, identity: this.agentIdentity });
    } catch (error) {
      this.refused.push(error);
    }
  }

  #acceptRoute(socket: TLSSocket, pool: ReverseTunnelPool): void {
    const certificate = socket.getPeerCertificate().raw;
    this.proxy.routes.accept({
      socket,
      identity: this.identity,
      dial: (signal) =>
        pool.dial({
          appName: "web",
          certificate,
          remoteAddr: "192.0.2.7",
          hostIds: [this.hostId],
          signal,
        }),
    });
  }

  #credentials(who: "bot" | "agent"): TlsCredentials {
    this.asked[who] += 1;
    const { expires } = who === "bot" ? this.identity : this.agentIdentity;
    return {
      ...this.authority.issue("clientAuth"),
      ca: [this.authority.ca],
      serverName: SERVER_NAME,
      expires,
    };
  }
}
