import { backoffDelay, codeOf, messageOf, sleep, type Clock, type Logger } from "#base/kernel";
import { MuxServer, type MuxRequest } from "#base/wire";
import { dialTls, type TlsCredentials } from "./dial-tls.ts";
import { readTarget, REVERSE_ALPN, type TunnelTarget } from "./headers.ts";

/** One connection that came through the tunnel: check it, then accept or refuse. */
export interface TunnelConnection
  extends TunnelTarget, Pick<MuxRequest, "accept" | "refuse" | "signal"> {}

export interface ReverseAgentOptions {
  readonly address: () => { readonly host: string; readonly port: number };
  /** The newest; asked at each dialling. */
  readonly credentials: () => TlsCredentials;
  /** What it throws before it has accepted is the client's refusal. */
  readonly serve: (connection: TunnelConnection) => void | Promise<void>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  /** Sessions to keep; default 2, so that one can be lost unnoticed. */
  readonly sessions?: number;
  /** How long connections may go on after shutdown began. */
  readonly drainMs?: number;
  readonly onStatus?: (status: ReverseAgentStatus) => void;
}

export interface ReverseAgentStatus {
  readonly connected: number;
  readonly wanted: number;
  /** Why the last attempt failed; absent once all are connected. */
  readonly lastError?: string;
}

const SESSIONS = 2;
const DRAIN_MS = 10_000;
/** A proxy that restarts is back in a second; a fleet must not press one that is not. */
const RECONNECT = { firstMs: 500, maxMs: 30_000 };
/** A session that held this long was a good one: the next loss starts again from a short delay. */
const GOOD_SESSION_MS = 30_000;

/** The agent's side of reverse tunnels: keeps sessions to the proxy open until it is told to stop. */
export class ReverseTunnelAgent {
  readonly #options: ReverseAgentOptions;
  readonly #wanted: number;
  readonly #open = new Set<MuxServer>();
  #renewal = new AbortController();
  #lastError: string | undefined;

  constructor(options: ReverseAgentOptions) {
    this.#options = options;
    this.#wanted = options.sessions ?? SESSIONS;
  }

  get status(): ReverseAgentStatus {
    const connected = this.#open.size;
    const healed = connected >= this.#wanted || this.#lastError === undefined;
    return {
      connected,
      wanted: this.#wanted,
      ...(healed ? {} : { lastError: this.#lastError! }),
    };
  }

  /** `credentials()` gives newer ones: opens sessions with them, then lets the old ones run out. */
  renew(): void {
    const old = this.#renewal;
    this.#renewal = new AbortController();
    old.abort();
  }

  /** Until the signal aborts; then refuses new connections and lets open ones end for `drainMs`. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(Array.from({ length: this.#wanted }, () => this.#keepOne(signal)));
    const drainMs = this.#options.drainMs ?? DRAIN_MS;
    await Promise.all([...this.#open].map((mux) => mux.drain(drainMs)));
  }

  async #keepOne(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      const start = clock.monotonic();
      const renewed = await this.#once(signal);
      if (renewed || clock.monotonic() - start >= GOOD_SESSION_MS) attempt = -1;
      if (renewed) continue;
      await sleep(clock, backoffDelay(RECONNECT, Math.max(attempt, 0), random), signal).catch(
        () => {},
      );
    }
  }

  /** One session from its dialling until it is lost, renewed (true) or told to stop. */
  async #once(signal: AbortSignal): Promise<boolean> {
    const renewal = this.#renewal.signal;
    try {
      const mux = await this.#dial(signal);
      const left = Promise.withResolvers<void>();
      const leave = (): void => left.resolve();
      const stop = AbortSignal.any([signal, renewal]);
      stop.addEventListener("abort", leave, { once: true });
      if (stop.aborted) leave();
      await Promise.race([mux.closed, left.promise]);
      stop.removeEventListener("abort", leave);
      return renewal.aborted;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  async #dial(signal: AbortSignal): Promise<MuxServer> {
    const { address, credentials, clock } = this.#options;
    const mine = credentials();
    const socket = await dialTls({
      address: address(),
      credentials: mine,
      alpn: REVERSE_ALPN,
      clock,
      signal,
    });
    const mux = new MuxServer(socket, (request) => this.#serve(request), { clock });
    this.#add(mux);
    return mux;
  }

  #serve(request: MuxRequest): void | Promise<void> {
    const { appName, certificate, remoteAddr } = readTarget(request);
    return this.#options.serve({
      appName,
      certificate,
      remoteAddr,
      get signal() {
        return request.signal;
      },
      accept: () => request.accept(),
      refuse: (error) => request.refuse(error),
    });
  }

  #add(mux: MuxServer): void {
    this.#open.add(mux);
    this.#report();
    void mux.closed.then((failure) => {
      this.#open.delete(mux);
      if (failure) this.#failed(failure);
      else this.#report();
    });
  }

  #failed(error: unknown): void {
    this.#lastError = messageOf(error);
    if (codeOf(error) !== "canceled")
      this.#options.logger.warn("the tunnel to the proxy is down", { error });
    this.#report();
  }

  #report(): void {
    this.#options.onStatus?.(this.status);
  }
}
