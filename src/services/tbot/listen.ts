import { chmod } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { alreadyExists, messageOf, unavailable } from "#base/kernel";
import { clearSocketPath } from "#base/rpc";

export interface LocalListener extends Disposable {
  /** As given, with the port that the system chose for port 0. */
  readonly address: string;
}

/**
 * Listens for local programs on `tcp://host:port`, or on `unix:///path` with mode 0600: a stale
 * socket is replaced, a live one refused. Closing stops accepting; open connections are the caller's.
 */
export async function openListener(
  address: string,
  onConnection: (socket: Socket) => void,
): Promise<LocalListener> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, onConnection);
  const path = address.startsWith("unix://") ? address.slice("unix://".length) : undefined;
  if (path !== undefined) await clearSocketPath(path);
  await listen(server, path === undefined ? tcpOptions(address) : { path }, address);
  if (path !== undefined) await chmod(path, 0o600);
  return {
    address: path === undefined ? boundAddress(server) : address,
    [Symbol.dispose]: () => void server.close(),
  };
}

async function listen(
  server: Server,
  where: { path: string } | { host: string; port: number },
  address: string,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // Later ones are of single connections (no descriptor left for one): the listener goes on.
  server.on("error", reject).listen(where, resolve);
  await promise.catch((error: unknown) => {
    const inUse = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
    if (inUse)
      throw alreadyExists(`"${address}" is in use by another listener; choose another address`);
    throw unavailable(`cannot listen on "${address}" (${messageOf(error)})`, { cause: error });
  });
}

function tcpOptions(address: string): { host: string; port: number } {
  const url = new URL(address.replace(/^tcp:/, "http:"));
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(address.slice(address.lastIndexOf(":") + 1)),
  };
}

function boundAddress(server: Server): string {
  const bound = server.address();
  if (typeof bound !== "object" || bound === null) return "";
  return `tcp://${bound.family === "IPv6" ? `[${bound.address}]` : bound.address}:${bound.port}`;
}
