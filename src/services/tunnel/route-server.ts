import { CodedError, limitExceeded, messageOf, type Clock, type Logger } from "#base/kernel";
import { MuxServer, pipeDuplex, type MuxRequest, type PipeCounts } from "#base/wire";
import type { Duplex } from "node:stream";
import { watch, type ConnectionIdentity, type LiveConnections } from "./live-connections.ts";

export interface RouteServerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly live: LiveConnections;
}

/** A TLS session holds 60 to 70 KB: these take up to 700 MB. */
const MAX_SESSIONS = 10_000;

/** An authenticated client behind a TLS socket with ALPN `tenon-route`. */
export interface RouteSession {
  readonly socket: Duplex;
  readonly identity: ConnectionIdentity;
  /** Authorizes one connection and opens its far end; what it throws is the client's refusal. */
  readonly dial: (signal: AbortSignal) => Promise<Duplex>;
  /** Before the bytes of a connection flow: the counts go on as they do. */
  readonly onBegin?: (counts: PipeCounts) => void;
  /** After each connection that was accepted. */
  readonly onEnd?: (outcome: { counts: PipeCounts; error?: unknown }) => void;
}

/** The proxy's side of routes: each stream of a client's session is dialled and piped. */
export class RouteServer implements AsyncDisposable {
  readonly #options: RouteServerOptions;
  readonly #sessions = new Set<MuxServer>();

  constructor(options: RouteServerOptions) {
    this.#options = options;
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  /** Takes over the socket. Throws when the client is locked or expired, or there are too many. */
  accept(session: RouteSession): void {
    const { clock, live } = this.#options;
    if (this.#sessions.size >= MAX_SESSIONS)
      throw limitExceeded(`this proxy carries its most of ${MAX_SESSIONS} routed sessions`);
    const serve = (request: MuxRequest): Promise<void> => this.#serve(request, session);
    const mux = new MuxServer(session.socket, serve, { clock });
    watch(live, session.identity, mux);
    this.#sessions.add(mux);
    void mux.closed.then(() => this.#sessions.delete(mux));
  }

  async drain(timeoutMs: number): Promise<void> {
    await Promise.all([...this.#sessions].map((mux) => mux.drain(timeoutMs)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#sessions].map((mux) => mux[Symbol.asyncDispose]()));
  }

  async #serve(request: MuxRequest, session: RouteSession): Promise<void> {
    const far = await session.dial(request.signal);
    const counts = { aToB: 0, bToA: 0 };
    session.onBegin?.(counts);
    try {
      await pipeDuplex(request.accept(), far, counts);
      session.onEnd?.({ counts });
    } catch (error) {
      if (!(error instanceof CodedError))
        this.#options.logger.debug("a routed connection failed", { reason: messageOf(error) });
      session.onEnd?.({ counts, error });
    }
  }
}
