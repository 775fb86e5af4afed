import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import tls from "node:tls";
import { silentLogger, systemClock } from "#base/kernel";
import { LockSet } from "#domain/access";
import { LiveConnections, RouteClient } from "#services/tunnel";
import type { TestCluster } from "./cluster.ts";
import type { TestIdentity } from "./identities.ts";

/** A server of the test's own on a free port; closing it cuts what is open. */
export interface TestServer extends AsyncDisposable {
  readonly port: number;
  /** Connections that are open now. */
  readonly open: () => number;
  /** How many there have been. */
  readonly accepted: () => number;
}

/** A TCP application that does this with each connection. */
export async function tcpApplication(serve: (socket: net.Socket) => void): Promise<TestServer> {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    serve(socket);
  });
  return listen(server);
}

export const echoApplication = (): Promise<TestServer> =>
  tcpApplication((socket) => socket.pipe(socket));

export const httpApplication = (handler: http.RequestListener): Promise<TestServer> =>
  listen(http.createServer(handler));

export async function listen(server: net.Server): Promise<TestServer> {
  const sockets = new Set<net.Socket>();
  let accepted = 0;
  server.on("connection", (socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as net.AddressInfo).port,
    open: () => sockets.size,
    accepted: () => accepted,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** A port on which nothing listens. */
export async function closedPort(): Promise<number> {
  await using server = await listen(net.createServer());
  return server.port;
}

/** A TLS connection of a client's own to `https://<app>.<cluster>`. */
export function dialDirect(
  { address }: Pick<TestCluster, "address">,
  app: string,
  options: tls.ConnectionOptions = {},
): tls.TLSSocket {
  return tls.connect({
    ...address,
    servername: `${app}.example.test`,
    rejectUnauthorized: false,
    allowHalfOpen: true,
    ...options,
  } as tls.ConnectionOptions);
}

/** A bot's side of a routed session. */
export function routeClient(
  cluster: Pick<TestCluster, "address" | "identities">,
  identity: TestIdentity,
): RouteClient {
  const { address, identities } = cluster;
  const live = new LiveConnections({ clock: systemClock, locks: new LockSet() });
  return new RouteClient({
    address: () => address,
    credentials: () => ({
      cert: identity.cert,
      key: identity.key,
      ca: identities.hostCa,
      serverName: identities.serverName,
      // The proxy is to notice the end, not this side.
      expires: identity.expires + 3_600_000,
    }),
    clock: systemClock,
    logger: silentLogger,
    live,
  });
}
