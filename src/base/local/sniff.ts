import type { Socket } from "node:net";

/** The start of HTTP/2's preface (RFC 9113, 3.4); no method of HTTP/1 is `PRI`. */
const PREFACE = "PRI";

export type Protocol = "http1" | "http2";

/**
 * Waits for the first bytes of a connection and leaves them in the socket. Undefined when the peer
 * left before it had said enough. Whoever owns the socket bounds the time.
 */
export function sniff(socket: Socket): Promise<Protocol | undefined> {
  const { promise, resolve } = Promise.withResolvers<Protocol | undefined>();
  let bytes = Buffer.alloc(0);
  const settle = (protocol: Protocol | undefined): void => {
    socket.off("readable", look).off("end", gone).off("close", gone);
    if (protocol !== undefined) socket.unshift(bytes);
    resolve(protocol);
  };
  const gone = (): void => settle(undefined);
  const look = (): void => {
    const more = socket.read() as Buffer | null;
    if (more === null) return;
    bytes = Buffer.concat([bytes, more]);
    const start = bytes.toString("latin1", 0, PREFACE.length);
    if (start === PREFACE) settle("http2");
    else if (!PREFACE.startsWith(start)) settle("http1");
  };
  socket.on("readable", look).on("end", gone).on("close", gone);
  if (socket.destroyed || socket.readableEnded) gone();
  return promise;
}
