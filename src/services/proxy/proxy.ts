import { messageOf, unavailable, type Clock, type Logger } from "#base/kernel";
import type { Metrics } from "#base/observe";
import type { RpcServer } from "#base/rpc";
import type { Store } from "#base/storage";
import type { LockSet } from "#domain/access";
import type { AuditLog } from "#domain/audit";
import type { Authorities } from "#domain/authority";
import type { WebHandler } from "#services/web";
import { assemble, type Parts } from "./assemble.ts";
import type { KeyPairFiles } from "./key-pair-files.ts";
import type { PortLimits } from "./limits.ts";
import type { OpenSession } from "./open-sessions.ts";
import type { TlsPort } from "./port.ts";

export interface ProxyOptions {
  readonly store: Store;
  readonly authorities: Authorities;
  readonly audit: Pick<AuditLog, "emit">;
  /** Kept in step with the store by its owner. */
  readonly locks: LockSet;
  readonly rpc: RpcServer;
  /** The endpoints of the web application. */
  readonly web?: WebHandler | undefined;
  /** UUID of this proxy. */
  readonly hostId: string;
  readonly dataDir: string;
  readonly listen: { readonly host: string; readonly port: number };
  /** How clients reach it. Its port is the one that it listens on, when it has none. */
  readonly publicAddr: { readonly host: string; readonly port: number | undefined };
  readonly keyPairs: readonly KeyPairFiles[];
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly limits?: Partial<PortLimits>;
}

/** The cluster's one TLS port and everything behind it. */
export class Proxy implements AsyncDisposable {
  readonly #owned: AsyncDisposableStack;
  readonly #parts: Parts;
  /** Where it listens. */
  readonly port: number;
  /** `host:port` for clients outside. */
  readonly publicAddr: string;

  private constructor(owned: AsyncDisposableStack, parts: Parts, about: Listening) {
    this.#owned = owned;
    this.#parts = parts;
    this.port = about.port;
    this.publicAddr = about.publicAddr;
  }

  static async start(options: ProxyOptions): Promise<Proxy> {
    await using starting = new AsyncDisposableStack();
    const address = { publicAddr: "" };
    const parts = await assemble(options, address, starting);
    const listening = await listen(parts.port, options);
    // Known to the web pages from here on: the port may have been any free one.
    address.publicAddr = listening.publicAddr;
    return new Proxy(starting.move(), parts, listening);
  }

  /** What is open: for metrics, and for tests that look for leaks. */
  get open(): { connections: number; handshakes: number; strangers: number; tunnelled: number } {
    return { ...this.#parts.port.open, tunnelled: this.#parts.pool.openConnections };
  }

  /** Clients of applications, as they stand now. */
  get sessions(): readonly OpenSession[] {
    return this.#parts.apps.sessions.list();
  }

  /** Host ids of the agents that are connected. */
  get agents(): readonly string[] {
    return this.#parts.pool.hostIds;
  }

  /** Takes nothing new, and lets what is open end for `graceMs`. */
  async drain(graceMs: number): Promise<void> {
    const { port, web, routed, pool, apps } = this.#parts;
    port.stopListening();
    web.drain();
    await Promise.all([routed.drain(graceMs), within(this.#parts.clock, graceMs, apps.idle())]);
    await pool.drain(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}

interface Listening {
  readonly port: number;
  readonly publicAddr: string;
}

async function listen(port: TlsPort, { listen, publicAddr }: ProxyOptions): Promise<Listening> {
  try {
    const bound = await port.listen(listen);
    const host = publicAddr.host.includes(":") ? `[${publicAddr.host}]` : publicAddr.host;
    return { port: bound.port, publicAddr: `${host}:${publicAddr.port ?? bound.port}` };
  } catch (error) {
    throw unavailable(
      `cannot listen on "${listen.host}:${listen.port}" (${messageOf(error)}); stop what uses the port, or choose another with --listen`,
      { cause: error },
    );
  }
}

async function within(clock: Clock, ms: number, done: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<void>();
  using _timer = clock.timer(ms, late.resolve);
  await Promise.race([done, late.promise]);
}
