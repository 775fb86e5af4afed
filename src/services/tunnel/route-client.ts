import { canceled, codeOf, unavailable, type Clock, type Logger } from "#base/kernel";
import { MuxClient } from "#base/wire";
import type { Duplex } from "node:stream";
import { dialTls, type TlsCredentials } from "./dial-tls.ts";
import { ROUTE_ALPN } from "./headers.ts";
import { watch, type LiveConnections } from "./live-connections.ts";

export interface RouteClientOptions {
  readonly address: () => { readonly host: string; readonly port: number };
  /** Of the route's certificate; asked at each dialling. */
  readonly credentials: () => TlsCredentials;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Cuts sessions at their certificate's end and on locks, if this process hears of any. */
  readonly live: LiveConnections;
  /** What locks name the holder by; default none. */
  readonly targets?: () => readonly string[];
}

export interface ConnectOptions {
  readonly signal?: AbortSignal;
  /** See `OpenRequest.early`: saves a round trip; a refusal comes as the stream's `error`. */
  readonly early?: boolean;
}

/** A stream for each connection, on one TLS session for the route's certificate. */
export class RouteClient implements AsyncDisposable {
  readonly #options: RouteClientOptions;
  /** With the end of the certificate of each. */
  readonly #sessions = new Map<MuxClient, number>();
  #current: MuxClient | undefined;
  #dialling: Promise<MuxClient> | undefined;
  #renewal = 0;
  readonly #shutdown = new AbortController();

  constructor(options: RouteClientOptions) {
    this.#options = options;
  }

  get openConnections(): number {
    return [...this.#sessions.keys()].reduce((sum, mux) => sum + mux.openStreams, 0);
  }

  /**
   * One connection to the route's far end. Opens the session when there is none; tries once more on
   * a new session when the old one turns out to be lost. Rejects with the far end's refusal, or
   * `unavailable`, `timed_out`, `limit_exceeded`, `canceled`.
   */
  async connect(options: ConnectOptions = {}): Promise<Duplex> {
    const mux = await this.#session(options.signal);
    try {
      return await mux.open({ headers: {}, ...options });
    } catch (error) {
      if (mux.usable || codeOf(error) !== "unavailable" || options.signal?.aborted) throw error;
      const fresh = await this.#session(options.signal);
      return fresh.open({ headers: {}, ...options });
    }
  }

  /** Opens the session now, so that the first connection need not wait; rejects as `connect` does. */
  async ready(signal?: AbortSignal): Promise<void> {
    await this.#session(signal);
  }

  /** `credentials()` gives newer ones: new connections use them, old ones go on until they end. */
  renew(): void {
    const old = this.#current;
    this.#current = undefined;
    this.#dialling = undefined;
    this.#renewal += 1;
    if (old) void this.#retire(old);
  }

  /** Takes no more connections and lets open ones end for `timeoutMs`. */
  async drain(timeoutMs: number): Promise<void> {
    this.#shutdown.abort();
    await Promise.all([...this.#sessions.keys()].map((mux) => mux.drain(timeoutMs)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#shutdown.abort();
    await Promise.all([...this.#sessions.keys()].map((mux) => mux[Symbol.asyncDispose]()));
  }

  /** Until the last connection ends; `live` cuts those that outlive the certificate. */
  async #retire(mux: MuxClient): Promise<void> {
    const left = (this.#sessions.get(mux) ?? 0) - this.#options.clock.now();
    await mux.drain(Math.max(left, 0));
  }

  async #session(signal: AbortSignal | undefined): Promise<MuxClient> {
    if (this.#shutdown.signal.aborted) throw unavailable("the tunnel is being shut down");
    if (this.#current?.usable) return this.#current;
    this.#dialling ??= this.#dial();
    return abortable(this.#dialling, signal);
  }

  async #dial(): Promise<MuxClient> {
    const renewal = this.#renewal;
    const { address, credentials, clock } = this.#options;
    const mine = credentials();
    try {
      const socket = await dialTls({
        address: address(),
        credentials: mine,
        alpn: ROUTE_ALPN,
        clock,
        signal: this.#shutdown.signal,
      });
      const mux = this.#adopt(socket, mine.expires);
      if (renewal === this.#renewal) this.#current = mux;
      else void this.#retire(mux);
      return mux;
    } finally {
      if (renewal === this.#renewal) this.#dialling = undefined;
    }
  }

  #adopt(socket: Duplex, expires: number): MuxClient {
    const { clock, live, logger, targets } = this.#options;
    const mux = new MuxClient(socket, { clock });
    const identity = { targets: targets?.() ?? [], expires };
    watch(live, identity, mux);
    this.#sessions.set(mux, expires);
    void mux.closed.then((failure) => {
      this.#sessions.delete(mux);
      if (failure) logger.warn("the tunnel to the proxy was lost", { error: failure });
    });
    return mux;
  }
}

/** One caller gives up; the dialling goes on for the others. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(canceled("the connection was canceled"));
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
