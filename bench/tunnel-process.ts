// One process of the chain that bench/tunnel.ts measures: bot, proxy, agent or the delaying relay.
// It gets its configuration in its first message and answers with its port when it is ready.
import { connect, createServer, type AddressInfo, type Server } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { once } from "node:events";
import { systemClock } from "#base/kernel";
import { createLogger } from "#base/observe";
import { pipeDuplex } from "#base/wire";
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

export interface ProcessConfiguration {
  readonly role: "bot" | "proxy" | "agent" | "relay";
  /** The port of the next in the chain; of the proxy for the agent, too. */
  readonly next: number;
  /** The application's port, for the agent. */
  readonly app: number;
  /** Delay of each direction, for the relay. */
  readonly delayMs: number;
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  readonly serverName: string;
}

const HOST = "127.0.0.1";
const HOST_ID = "6b2a3a1e-0000-4000-8000-000000000001";
const clock = systemClock;
const logger = createLogger({
  level: "warn",
  format: "text",
  sink: { write: (line) => process.stderr.write(line) },
});
const live = new LiveConnections({ clock, locks: new LockSet() });
const identity: ConnectionIdentity = {
  targets: ["user:bot-bench", "role:access"],
  expires: Date.now() + 3_600_000,
};

process.once("message", (message) => void start(message as ProcessConfiguration));
process.on("message", (message) => {
  if (message !== "memory") return;
  collectAll();
  process.send!({ rss: process.memoryUsage().rss });
});
process.once("disconnect", () => process.exit());

/** Also what V8 keeps ready for the next objects: what stays is what the connections hold. */
function collectAll(): void {
  const collect = globalThis.gc as ((options: object) => void) | undefined;
  collect?.({ type: "major", execution: "sync", flavor: "last-resort" });
}

async function start(configuration: ProcessConfiguration): Promise<void> {
  const port = await roles[configuration.role](configuration);
  process.send!({ port });
}

const roles = { bot, proxy, agent, relay };

async function bot(configuration: ProcessConfiguration): Promise<number> {
  const client = new RouteClient({
    address: () => ({ host: HOST, port: configuration.next }),
    credentials: () => credentials(configuration),
    clock,
    logger,
    live,
  });
  return listening(
    createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      client
        .connect({ early: true })
        .then((stream) => pipeDuplex(socket, stream))
        .catch(() => socket.destroy());
    }),
  );
}

async function proxy(configuration: ProcessConfiguration): Promise<number> {
  const pool = new ReverseTunnelPool({ clock, logger, live });
  const routes = new RouteServer({ clock, logger, live });
  const { cert, key, ca } = configuration;
  const server = createTlsServer({
    cert,
    key,
    ca,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: "TLSv1.3",
    ALPNProtocols: [REVERSE_ALPN, ROUTE_ALPN],
  });
  server.on("secureConnection", (socket) => {
    socket.on("error", () => {});
    if (socket.alpnProtocol === REVERSE_ALPN) pool.register({ socket, hostId: HOST_ID, identity });
    else routes.accept({ socket, identity, dial: dialer(pool, socket) });
  });
  return listening(server);
}

function dialer(pool: ReverseTunnelPool, socket: TLSSocket) {
  const certificate = socket.getPeerCertificate().raw;
  return (signal: AbortSignal) =>
    pool.dial({
      appName: "bench",
      certificate,
      remoteAddr: HOST,
      hostIds: [HOST_ID],
      signal,
    });
}

async function agent(configuration: ProcessConfiguration): Promise<number> {
  const connected = Promise.withResolvers<void>();
  const tunnel = new ReverseTunnelAgent({
    address: () => ({ host: HOST, port: configuration.next }),
    credentials: () => credentials(configuration),
    serve: (connection) => serve(connection, configuration.app),
    clock,
    random: Math.random,
    logger,
    onStatus: (status) => status.connected === status.wanted && connected.resolve(),
  });
  void tunnel.run(new AbortController().signal);
  await connected.promise;
  return 0;
}

async function serve(connection: TunnelConnection, port: number): Promise<void> {
  const stream = connection.accept();
  using _tracked = live.track(identity, (reason) => stream.destroy(reason));
  const socket = connect({ port, host: HOST, allowHalfOpen: true, noDelay: true });
  await pipeDuplex(stream, socket).catch(() => {});
}

/** A line with a long way: every byte arrives `delayMs` later; it holds any amount under way. */
function relay({ next, delayMs }: ProcessConfiguration): Promise<number> {
  const delay = (act: () => void): void => void setTimeout(act, delayMs);
  return listening(
    createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
      const far = connect({ port: next, host: HOST, allowHalfOpen: true, noDelay: true });
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        from.on("data", (chunk) => delay(() => to.writable && to.write(chunk)));
        from.on("end", () => delay(() => to.end()));
        from.on("error", () => to.destroy());
      }
    }),
  );
}

async function listening(server: Server): Promise<number> {
  server.listen({ port: 0, host: HOST, backlog: 4_096 });
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

function credentials({ cert, key, ca, serverName }: ProcessConfiguration): TlsCredentials {
  return { cert, key, ca: [ca], serverName, expires: identity.expires };
}
