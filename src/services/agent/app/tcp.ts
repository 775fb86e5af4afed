import { canceled, CodedError, timedOut, unavailable, type Clock } from "#base/kernel";
import { pipeDuplex } from "#base/wire";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { failureOf } from "./failures.ts";
import { UPSTREAM_CONNECT_MS } from "./limits.ts";
import type { UpstreamTarget } from "./upstream.ts";

export interface TcpDial {
  readonly target: UpstreamTarget;
  readonly clock: Clock;
  /** The client gave up. */
  readonly signal: AbortSignal;
}

/** Connects to a TCP application: `unavailable` or `timed_out` when it does not take the connection. */
export function dialTcp({ target, clock, signal }: TcpDial): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const { host, port } = target;
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true, signal });
    const timer = clock.timer(UPSTREAM_CONNECT_MS, () =>
      socket.destroy(timedOut("the application did not take the connection in time")),
    );
    const settle = (act: () => void) => (): void => {
      timer[Symbol.dispose]();
      act();
    };
    socket.once(
      "connect",
      settle(() => resolve(socket)),
    );
    socket.once(
      "close",
      settle(() => reject(dialError(socket))),
    );
    // Its reason is read at "close"; once connected, the pipe sees it.
    socket.on("error", () => {});
  });
}

/** Carries bytes both ways until both have ended; if either breaks off, the other sees a reset. */
export function joinTcp(stream: Duplex, socket: Socket): void {
  pipeDuplex(stream, socket).catch(() => {});
}

function dialError({ errored }: Socket): Error {
  if (errored instanceof CodedError) return errored;
  if (!errored || errored.name === "AbortError")
    return canceled("the client left before the application answered");
  const code = "code" in errored ? String(errored.code) : undefined;
  return unavailable(`the application ${failureOf(code).text}`, { cause: errored });
}
