import { badParameter, limitExceeded, timedOut, unavailable, type Clock } from "#base/kernel";
import type { Socket } from "node:net";
import { parseClientHello, type ClientHello } from "./client-hello.ts";

/** A ClientHello with a post-quantum key share takes 1.8 KiB; with a ticket and ECH under 4 KiB. */
const MAX_CLIENT_HELLO_BYTES = 16 * 1024;
/** Enough for three lost packets on a slow line, too little to hold many sockets for nothing. */
const CLIENT_HELLO_TIMEOUT_MS = 10_000;

export interface PeekOptions {
  readonly clock: Clock;
  readonly timeoutMs?: number;
  readonly maxBytes?: number;
}

/**
 * Waits for the whole ClientHello of a fresh connection and leaves its bytes in the socket, as if
 * nobody had read them: a `tls.Server` (`emit("connection", socket)`), a `TLSSocket` or a plain pipe
 * can take the socket next, at native speed. The socket must not have been read or resumed.
 *
 * On a failure the socket is left to the caller, who destroys it: `timed_out`, `limit_exceeded` (no
 * whole ClientHello within `maxBytes`), `bad_parameter` (not TLS, or malformed), `unavailable` (the
 * client went away).
 */
export function peekClientHello(socket: Socket, options: PeekOptions): Promise<ClientHello> {
  const { clock, timeoutMs = CLIENT_HELLO_TIMEOUT_MS, maxBytes = MAX_CLIENT_HELLO_BYTES } = options;
  return new Promise((resolve, reject) => {
    const collector = new Collector(maxBytes);
    const settle = (outcome: () => void): void => {
      timer[Symbol.dispose]();
      socket.off("readable", onReadable).off("end", onGone).off("close", onGone);
      socket.off("error", onGone);
      // Between two owners a stranger's reset must not be an unhandled error.
      socket.on("error", () => {});
      if (collector.size > 0 && !socket.readableEnded && !socket.destroyed)
        socket.unshift(collector.bytes());
      outcome();
    };
    const onReadable = (): void => {
      try {
        const hello = collector.readFrom(socket);
        if (hello) settle(() => resolve(hello));
      } catch (error) {
        settle(() => reject(error));
      }
    };
    const onGone = (): void =>
      settle(() => reject(unavailable("the client left before it sent a whole TLS ClientHello")));
    const timer = clock.timer(timeoutMs, () =>
      settle(() =>
        reject(timedOut(`the client sent no whole TLS ClientHello within ${timeoutMs} ms`)),
      ),
    );
    if (socket.destroyed || socket.readableEnded) return onGone();
    socket.on("readable", onReadable).on("end", onGone).on("close", onGone).on("error", onGone);
  });
}

/** Gathers bytes and parses only when there is enough to get further: slow drips stay cheap. */
class Collector {
  readonly #limit: number;
  #chunks: Buffer[] = [];
  #need = 1;
  size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  readFrom(socket: Socket): ClientHello | undefined {
    for (let chunk = read(socket); chunk; chunk = read(socket)) {
      this.#chunks.push(chunk);
      this.size += chunk.length;
    }
    return this.size >= this.#need ? this.#parse() : undefined;
  }

  bytes(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  #parse(): ClientHello | undefined {
    const parsed = parseClientHello(this.bytes());
    if (parsed.state === "complete") return parsed.hello;
    if (parsed.state === "violation")
      throw badParameter(`the client sent no valid TLS ClientHello: ${parsed.reason}`);
    if (parsed.need > this.#limit || this.size >= this.#limit)
      throw limitExceeded(`the TLS ClientHello is larger than ${this.#limit} bytes`);
    this.#need = parsed.need;
    return undefined;
  }
}

const read = (socket: Socket): Buffer | null => socket.read() as Buffer | null;
