import { canceled, internal } from "#base/kernel";
import {
  performServerHandshake,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import type { Duplex } from "node:stream";
import { refusalHeaders } from "./mux-errors.ts";
import { sessionOptions, type MuxOptions } from "./mux-options.ts";
import { MuxSession } from "./mux-session.ts";

/** One connection that the peer wants to open; answer it once. */
export interface MuxRequest {
  header(name: string): string | undefined;
  /** Aborts when the peer gives up before the answer. */
  readonly signal: AbortSignal;
  accept(): Duplex;
  /** Sends the error's code and message; what is no CodedError is told as `internal`. */
  refuse(error: unknown): void;
}

/** A handler that throws refuses. */
export type MuxHandler = (request: MuxRequest) => void | Promise<void>;

/** The end of a multiplexed connection that answers the opening of streams. */
export class MuxServer extends MuxSession {
  /** Takes over a connected duplex; at native speed when it is a socket of `node:net` or `node:tls`. */
  constructor(socket: Duplex, handler: MuxHandler, options: MuxOptions) {
    const session = performServerHandshake(socket, sessionOptions(options));
    super(session, socket, options);
    session.on("stream", (stream, headers) => {
      void this.#serve(new Request(this, stream, headers), handler);
    });
  }

  async #serve(request: Request, handler: MuxHandler): Promise<void> {
    try {
      await handler(request);
    } catch (error) {
      request.fail(error);
    }
  }
}

class Request implements MuxRequest {
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  #abort: AbortController | undefined;
  #answered = false;

  constructor(session: MuxSession, stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
    session.adopt(stream);
    this.#stream = stream;
    this.#headers = headers;
  }

  header(name: string): string | undefined {
    const value = this.#headers[name];
    return typeof value === "string" ? value : undefined;
  }

  get signal(): AbortSignal {
    if (!this.#abort) {
      const controller = new AbortController();
      this.#abort = controller;
      if (this.#stream.destroyed) controller.abort();
      else this.#stream.once("close", () => this.#answered || controller.abort());
    }
    return this.#abort.signal;
  }

  accept(): Duplex {
    this.#answer();
    if (this.#isGone()) return this.#stream;
    this.#stream.respond({ ":status": 200 });
    // Node resets a stream whose answer ended before anybody read from it; this counts as reading.
    this.#stream.read(0);
    return this.#stream;
  }

  refuse(error: unknown): void {
    this.#answer();
    if (this.#isGone()) return;
    this.#stream.respond(refusalHeaders(error), { endStream: true });
    this.#stream.close();
  }

  fail(error: unknown): void {
    if (!this.#answered) return this.refuse(error);
    this.#stream.destroy(error instanceof Error ? error : internal(String(error)));
  }

  /** A peer may have taken the opening back in any way; there is nobody to answer then. */
  #isGone(): boolean {
    if (this.#stream.closed) this.#stream.destroy(canceled("the far end took the opening back"));
    return this.#stream.destroyed;
  }

  #answer(): void {
    if (this.#answered) throw internal("the request was answered already");
    this.#answered = true;
  }
}
