import type { Clock } from "#base/kernel";
import type { ClientRequest, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { UPSTREAM_CONNECT_MS } from "./limits.ts";

/** Methods without a body that RFC 9110 section 9.2.2 lets a proxy send again. */
const REPEATABLE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** RFC 9112 section 6.3: a request has a body when one of these says so. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
}

/**
 * Whether a request failed only because the application closed an idle connection just as it was
 * used again: such a request never reached it.
 */
export function isRepeatable(
  request: IncomingMessage,
  upstream: ClientRequest,
  error: Error,
): boolean {
  return (
    upstream.reusedSocket &&
    "code" in error &&
    error.code === "ECONNRESET" &&
    REPEATABLE.has(request.method ?? "") &&
    !hasBody(request)
  );
}

export interface UpstreamWatch {
  readonly clock: Clock;
  readonly responseMs: number;
  /** Called at most once, and not after the answer began. */
  readonly failed: (error: Error & { code?: string }) => void;
}

/** Puts deadlines on a request to an application, and reports how it failed. */
export function watchUpstream(upstream: ClientRequest, watch: UpstreamWatch): void {
  const timers = new DisposableStack();
  let over = false;
  const end = (): void => {
    over = true;
    timers.dispose();
  };
  const fail = (error: Error): void => {
    if (over) return;
    end();
    upstream.destroy();
    watch.failed(error);
  };
  const arm = (ms: number, code: string): Disposable =>
    watch.clock.timer(ms, () => fail(Object.assign(new Error(code), { code })));
  upstream.on("error", fail);
  upstream.once("response", end).once("upgrade", end).once("close", end);
  upstream.once("socket", (socket) => {
    if (!socket.connecting) return;
    const timer = arm(UPSTREAM_CONNECT_MS, "CONNECT_TIMEOUT");
    timers.use(timer);
    socket.once(connectedEvent(socket), () => timer[Symbol.dispose]());
  });
  upstream.once("finish", () => {
    if (!over) timers.use(arm(watch.responseMs, "RESPONSE_TIMEOUT"));
  });
}

const connectedEvent = (socket: Socket): string =>
  socket instanceof TLSSocket ? "secureConnect" : "connect";
