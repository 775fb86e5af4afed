import { unavailable } from "#base/kernel";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import { YoungGarbage } from "./young-garbage.ts";

/** Bytes so far; read it at any time. */
export interface PipeCounts {
  aToB: number;
  bToA: number;
}

/**
 * Carries bytes both ways until both directions have ended. An end of one direction is passed on
 * alone (both sides must allow half-open), a reader's slowness reaches the writer, and an error or a
 * loss of either side cuts the other: a local TCP socket by RST, so that nobody takes a part for the
 * whole. Rejects with that error; both sides are destroyed then.
 */
export function pipeDuplex(
  a: Duplex,
  b: Duplex,
  counts: PipeCounts = { aToB: 0, bToA: 0 },
): Promise<PipeCounts> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      cut(a, error);
      cut(b, error);
      reject(error);
    };
    let closed = 0;
    const done = (): void => {
      closed += 1;
      if (closed === 2) resolve(counts);
    };
    watch(a, done, fail);
    watch(b, done, fail);
    pump(a, b, (size) => (counts.aToB += size));
    pump(b, a, (size) => (counts.bToA += size));
  });
}

/**
 * Destroys at once; on a TCP socket with RST instead of FIN, which would look like a good end. Only
 * other duplexes keep the error, so of a pipe's two sides cut the tunnel's.
 */
export function cut(duplex: Duplex, error: Error): void {
  if (duplex.destroyed) return;
  duplex.on("error", () => {});
  if (duplex instanceof Socket && !(duplex instanceof TLSSocket)) resetOnDestroy(duplex);
  duplex.destroy(error);
}

function resetOnDestroy(socket: Socket): void {
  // Nothing was sent yet: there is no part to take for a whole.
  if (socket.connecting) return;
  try {
    socket.resetAndDestroy();
  } catch {
    // A Unix socket knows no RST.
  }
}

function watch(duplex: Duplex, done: () => void, fail: (error: Error) => void): void {
  const onClose = (): void => {
    const whole = duplex.readableEnded && duplex.writableFinished;
    if (whole && !duplex.errored) done();
    else fail(duplex.errored ?? unavailable("the connection was closed before its end"));
  };
  duplex.on("error", fail);
  if (duplex.destroyed) onClose();
  else duplex.once("close", onClose);
}

/** The one heap of the process, so the one counter of what is dropped into it. */
const garbage = new YoungGarbage();

/**
 * From here on a chunk is part of a larger flow: TLS hands out its 16 KiB records one by one, and
 * written together they cost one system call and one callback instead of four.
 */
const FLOW_BYTES = 8 * 1024;

function pump(from: Duplex, to: Duplex, count: (size: number) => void): void {
  const uncork = (): void => to.uncork();
  from.on("data", (chunk: Buffer) => {
    count(chunk.length);
    garbage.dropped(chunk.length);
    if (chunk.length >= FLOW_BYTES && to.writableCorked === 0) {
      to.cork();
      setImmediate(uncork);
    }
    if (!to.write(chunk)) from.pause();
  });
  // A stream that was opened and ended in one frame has told so before anybody could listen.
  if (from.readableEnded) to.end();
  else from.on("end", () => to.end());
  to.on("drain", () => from.resume());
}
