import type { CodedError } from "#base/kernel";
import type { Http2Stream } from "node:http2";
import { Duplex } from "node:stream";
import { errorOfReset, lostError, resetCodeOf } from "./mux-errors.ts";

/** What a session wants to know of each of its streams. */
export interface StreamOwner {
  /** Whether the connection beneath is gone. */
  readonly lost: boolean;
  readonly failure: CodedError | undefined;
  received(stream: MuxStream, bytes: number): void;
  left(stream: MuxStream): void;
}

export type MuxStream = Http2Stream & {
  owner: StreamOwner;
  /** Bytes received during the owner's measurement `round`. */
  roundBytes: number;
  round: number;
};

/**
 * Makes an HTTP/2 stream say the truth about its end, as a socket does: Node shows a stream that was
 * cancelled, or whose session was lost, as one that ended well, and a truncated body would pass for
 * a whole one. From now on:
 *
 * - an `end` is the peer's own `end()`; everything else is an `error` with a CodedError;
 * - `destroy(error)` tells the peer the error's code; `destroy()` tells it `canceled`.
 *
 * Three overridden methods of the instance do this; a wrapping Duplex would double the memory of each
 * connection and add a queue.
 */
export function adoptStream(raw: Http2Stream, owner: StreamOwner): MuxStream {
  const stream = Object.assign(raw, { owner, roundBytes: 0, round: 0 });
  stream.destroy = destroyForReason;
  stream._destroy = resetAndDestroy;
  stream.push = pushCounted;
  // An error may come before the new owner listens; `destroyed` and `errored` still tell it.
  stream.on("error", ignore);
  stream.once("close", tellOwner);
  return stream;
}

const ignore = (): void => {};

function tellOwner(this: MuxStream): void {
  this.owner.left(this);
}

function pushCounted(this: MuxStream, chunk: Buffer | null): boolean {
  if (chunk) this.owner.received(this, chunk.length);
  return Duplex.prototype.push.call(this, chunk);
}

function destroyForReason(this: MuxStream, error?: Error): MuxStream {
  if (!this.destroyed) Duplex.prototype.destroy.call(this, reasonOf(this, error));
  return this;
}

type Callback = (error?: Error | null) => void;

function resetAndDestroy(this: MuxStream, error: Error | null, callback: Callback): void {
  // Once destroyed, `close` sends only the RST_STREAM and not a good end before it.
  if (!this.closed && !this.pending && !this.session?.destroyed) this.close(resetCodeOf(error));
  const original = Object.getPrototypeOf(this) as Duplex;
  original._destroy.call(this, error, callback);
}

function reasonOf(stream: MuxStream, error: Error | undefined): Error | undefined {
  const ended = stream.closed && stream.rstCode === 0;
  if (!ended && stream.owner.lost) return stream.owner.failure ?? lostError(error);
  return error ?? (stream.closed && !ended ? errorOfReset(stream.rstCode) : undefined);
}
