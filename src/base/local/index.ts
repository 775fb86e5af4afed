import type { LocalTransport } from "./client.ts";
import { socketPath } from "./path.ts";
import type { LocalServer, LocalServerOptions } from "./server.ts";

export type { LocalTransport } from "./client.ts";
export { detailOf, withDetail } from "./detail.ts";
export { socketPath } from "./path.ts";
export { peerOf, PURPOSE_HEADER, purposeOf, type Peer } from "./peer.ts";
export type { LocalServer, LocalServerOptions } from "./server.ts";

/*
 * The libraries beneath take memory and time to load; only who serves or calls pays for them.
 */

/**
 * Serves an API on a socket file (0600) to its owner, root and the readers: gRPC, Connect, and JSON
 * by plain HTTP POST. What handlers throw is a CodedError, `peerOf(context)` is who calls. A handler
 * that streams must stop when `context.signal` aborts: nothing else tells it that its caller left.
 * Errors: as `listenUnix` (stale socket replaced, live one refused), and `bad_parameter` for readers
 * that do not exist or cannot be granted access.
 */
export async function serveLocal(options: LocalServerOptions): Promise<LocalServer> {
  const { LocalServer } = await import("./server.ts");
  return LocalServer.open(options);
}

/**
 * For `createClient` of @connectrpc/connect. `socket` is a path, `unix:///path` or `file:///path`.
 * Calls fail with CodedErrors: `unavailable` when nobody answers there, `access_denied` when the
 * socket is not for this user, and whatever code the server's handler gave.
 */
export async function connectLocal(socket: string): Promise<LocalTransport> {
  const { openTransport } = await import("./client.ts");
  return openTransport(socketPath(socket));
}
