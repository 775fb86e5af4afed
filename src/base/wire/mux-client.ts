import { canceled, limitExceeded, timedOut, unavailable, type Clock } from "#base/kernel";
import { connect, type ClientHttp2Session, type ClientHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import { lostError, refusalOf } from "./mux-errors.ts";
import { OPEN_TIMEOUT_MS, sessionOptions, type MuxOptions } from "./mux-options.ts";
import { MuxSession } from "./mux-session.ts";

export interface OpenRequest {
  /** Lower-case names, printable ASCII values. */
  readonly headers: Readonly<Record<string, string>>;
  /** Gives up the opening; has no effect on an open stream. */
  readonly signal?: AbortSignal;
  /**
   * Returns the stream before the far end has answered, so that the first bytes travel with the
   * opening; a refusal is then the stream's `error`.
   */
  readonly early?: boolean;
  readonly timeoutMs?: number;
}

/** The end of a multiplexed connection that opens streams. */
export class MuxClient extends MuxSession {
  readonly #http: ClientHttp2Session;
  readonly #clock: Clock;

  /** Takes over a connected duplex; at native speed when it is a socket of `node:net` or `node:tls`. */
  constructor(socket: Duplex, options: MuxOptions) {
    const http = connect("https://mux", {
      ...sessionOptions(options),
      createConnection: () => socket,
    });
    super(http, socket, options);
    this.#http = http;
    this.#clock = options.clock;
  }

  /** Whether the far end would take one more. */
  get full(): boolean {
    const theirs = this.#http.remoteSettings.maxConcurrentStreams ?? this.maxStreams;
    return this.openStreams >= Math.min(this.maxStreams, theirs);
  }

  /**
   * Opens one tunnelled connection. Rejects with the far end's own refusal, or `unavailable` (the
   * session ends), `limit_exceeded` (too many streams), `timed_out`, `canceled`.
   */
  async open(request: OpenRequest): Promise<Duplex> {
    if (!this.usable) throw this.failure ?? unavailable("the tunnel is closing");
    if (this.full)
      throw limitExceeded(`the tunnel carries its most of ${this.openStreams} connections`);
    if (request.signal?.aborted) throw canceled("the connection was canceled");
    const raw = this.#http.request({
      ":method": "CONNECT",
      ":authority": "mux",
      ...request.headers,
    });
    this.adopt(raw);
    const answered = this.#answer(raw, request);
    if (!request.early) return answered;
    answered.catch(() => {});
    return raw;
  }

  #answer(stream: ClientHttp2Stream, request: OpenRequest): Promise<Duplex> {
    const { signal, timeoutMs = OPEN_TIMEOUT_MS } = request;
    return new Promise((resolve, reject) => {
      const onAbort = (): void => void stream.destroy(canceled("the connection was canceled"));
      const timer = this.#clock.timer(timeoutMs, () =>
        stream.destroy(timedOut(`the far end did not answer within ${timeoutMs} ms`)),
      );
      const settle = (): void => {
        timer[Symbol.dispose]();
        signal?.removeEventListener("abort", onAbort);
        stream.off("close", onClose);
      };
      const onClose = (): void => {
        settle();
        reject(lostError(stream.errored));
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      stream.once("close", onClose);
      stream.once("response", (headers) => {
        const refusal = refusalOf(headers);
        if (refusal) {
          stream.destroy(refusal);
          return;
        }
        settle();
        resolve(stream);
      });
    });
  }
}
