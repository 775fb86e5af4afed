import { timedOut, type Clock } from "#base/kernel";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { UPSTREAM_CONNECT_MS } from "./limits.ts";
import { splice } from "./splice.ts";
import type { UpstreamTarget } from "./upstream.ts";

/**
 * Carries one tunnelled connection to a TCP application, byte for byte. Rejects when the application
 * cannot be reached; the stream is destroyed then, which the client sees as a reset.
 */
export async function serveTcp(
  stream: Duplex,
  target: UpstreamTarget,
  clock: Clock,
): Promise<void> {
  try {
    const socket = await dial(stream, target, clock);
    await splice(stream, socket);
  } catch (error) {
    stream.destroy();
    throw error;
  }
}

/** Connects within the deadline, or until the client leaves. */
function dial(stream: Duplex, target: UpstreamTarget, clock: Clock): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...target, allowHalfOpen: true, noDelay: true });
    const leave = (): void => void socket.destroy();
    const timer = clock.timer(UPSTREAM_CONNECT_MS, () =>
      socket.destroy(timedOut("the application did not take the connection in time")),
    );
    const settle = (act: () => void) => (): void => {
      timer[Symbol.dispose]();
      stream.off("close", leave);
      act();
    };
    stream.once("close", leave);
    socket.once(
      "connect",
      settle(() => resolve(socket)),
    );
    socket.once(
      "close",
      settle(() => reject(socket.errored ?? new Error("the client left"))),
    );
    // Its reason is read at "close"; after the connect, `splice` sees it.
    socket.on("error", () => {});
  });
}
