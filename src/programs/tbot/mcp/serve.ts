import type { Readable, Writable } from "node:stream";
import { messageOf } from "#base/kernel";
import { serveStdio, StdioServerTransport } from "@modelcontextprotocol/server/stdio";
import { MAX_MESSAGE_BYTES } from "./limits.ts";
import { createServer, type Session } from "./server.ts";

/** Answers an agent on a pair of streams until it closes its end, or the signal aborts. */
export async function serveMcp(
  session: Session,
  streams: { readonly stdin: Readable; readonly stdout: Writable; readonly signal: AbortSignal },
): Promise<void> {
  const { stdin, stdout, signal } = streams;
  const { promise: over, resolve } = Promise.withResolvers<void>();
  stdin.once("end", resolve).once("close", resolve);
  signal.addEventListener("abort", () => resolve(), { once: true });
  const transport = new StdioServerTransport(stdin, stdout, { maxBufferSize: MAX_MESSAGE_BYTES });
  const handle = serveStdio(() => createServer(session), {
    transport,
    onerror: (error) => session.log.warn("bad message", { error: messageOf(error) }),
  });
  await over;
  await handle.close();
}
