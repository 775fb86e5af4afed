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
/** The longest lifetime of a host certificate's renewal period; the proxy cuts earlier if need be. */
const RUN_OUT_MS = 24 * 3_600_000;
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
    const { clock } = this.#options;
    let previous: MuxServer | undefined;
    for (let failures = 0; !signal.aborted;) {
      const renewal = this.#renewal.signal;
      const start = clock.monotonic();
      const mux = await this.#dial(signal).catch((error: unknown) => this.#failed(error));
      if (mux) {
        // Only now: until the new session stands, the old one carries what comes.
        if (previous) void this.#runOut(previous);
        previous = mux;
        await leaving(mux, AbortSignal.any([signal, renewal]));
      }
      const renewed = mux?.usable ?? false;
      if (renewed || clock.monotonic() - start >= GOOD_SESSION_MS) failures = 0;
      if (!renewed) await this.#pause(failures++, signal);
    }
  }

  /** Open connections go on; the proxy cuts what outlives the certificate. */
  async #runOut(mux: MuxServer): Promise<void> {
    await mux.drain(RUN_OUT_MS);
  }

  async #pause(failures: number, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    await sleep(clock, backoffDelay(RECONNECT, failures, random), signal).catch(() => {});
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

  #failed(error: unknown): undefined {
    this.#lastError = messageOf(error);
    if (codeOf(error) !== "canceled")
      this.#options.logger.warn("the tunnel to the proxy is down", { error });
    this.#report();
  }

  #report(): void {
    this.#options.onStatus?.(this.status);
  }
}

/** Until the session is lost or takes no more connections, or the signal aborts. */
async function leaving(mux: MuxServer, signal: AbortSignal): Promise<void> {
  const left = Promise.withResolvers<void>();
  const leave = (): void => left.resolve();
  signal.addEventListener("abort", leave, { once: true });
  if (signal.aborted) leave();
  await Promise.race([mux.ending, left.promise]);
  signal.removeEventListener("abort", leave);
}
