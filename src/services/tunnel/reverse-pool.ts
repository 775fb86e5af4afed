import {
  codeOf,
  limitExceeded,
  notFound,
  unavailable,
  type Clock,
  type CodedError,
  type Logger,
} from "#base/kernel";
import { MuxClient } from "#base/wire";
import type { Duplex } from "node:stream";
import { TargetHeaders, type TunnelTarget } from "./headers.ts";
import { watch, type ConnectionIdentity, type LiveConnections } from "./live-connections.ts";

export interface ReversePoolOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly live: LiveConnections;
}

/** An authenticated agent behind a TLS socket with ALPN `tenon-reverse`. */
export interface AgentSession {
  readonly socket: Duplex;
  readonly hostId: string;
  /** Of the agent's host certificate. */
  readonly identity: ConnectionIdentity;
}

export interface TunnelDial extends TunnelTarget {
  /** The agents that serve the application, as the cluster knows. */
  readonly hostIds: readonly string[];
  readonly signal?: AbortSignal;
}

/** An agent that does not answer is given up for the next one after this long. */
const ATTEMPT_TIMEOUT_MS = 10_000;

/** An agent keeps two, four while it renews; more than this is an agent that went wrong. */
const MAX_SESSIONS_PER_AGENT = 16;

/** Failures of the agent, not answers of the application: another agent may do better. */
const retried: ReadonlySet<string> = new Set(["unavailable", "timed_out", "limit_exceeded"]);

interface Member {
  readonly hostId: string;
  readonly mux: MuxClient;
}

/** The proxy's side of reverse tunnels: which agents are connected, and connections through them. */
export class ReverseTunnelPool implements AsyncDisposable {
  readonly #options: ReversePoolOptions;
  readonly #members = new Map<string, Set<Member>>();
  readonly #headers = new TargetHeaders();

  constructor(options: ReversePoolOptions) {
    this.#options = options;
  }

  /** Host ids of the agents that are connected. */
  get hostIds(): string[] {
    return [...this.#members.keys()];
  }

  has(hostId: string): boolean {
    return this.#members.has(hostId);
  }

  get openConnections(): number {
    return this.#all().reduce((sum, { mux }) => sum + mux.openStreams, 0);
  }

  /** Takes over the socket. Throws when the agent is locked, expired or has too many. */
  register(session: AgentSession): void {
    const { clock, live, logger } = this.#options;
    const { hostId, socket } = session;
    if ((this.#members.get(hostId)?.size ?? 0) >= MAX_SESSIONS_PER_AGENT)
      throw limitExceeded(`agent "${hostId}" has ${MAX_SESSIONS_PER_AGENT} tunnels already`);
    const mux = new MuxClient(socket, { clock });
    watch(live, session.identity, mux);
    const member = { hostId, mux };
    this.#members.set(hostId, (this.#members.get(hostId) ?? new Set()).add(member));
    logger.info("an agent's tunnel is open", { hostId });
    void mux.closed.then((failure) => {
      this.#remove(member);
      logger.info("an agent's tunnel is closed", { hostId, error: failure });
    });
  }

  /**
   * Opens a connection through one of these agents; tries another when one is dead or busy. Rejects
   * with the agent's refusal, or `unavailable` when none is connected.
   */
  async dial(request: TunnelDial): Promise<Duplex> {
    const passedOver = new Set<Member | string>();
    let failure: unknown;
    for (;;) {
      const member = this.#leastBusy(request.hostIds, passedOver);
      if (!member) throw failure ?? this.#nobody(request);
      try {
        return await this.#open(member, request);
      } catch (error) {
        if (request.signal?.aborted || !retried.has(codeOf(error))) throw error;
        failure = error;
        // A session that stands brought the agent's own answer; its other sessions would, too.
        passedOver.add(member.mux.usable ? member.hostId : member);
      }
    }
  }

  /** Lets open connections end until `timeoutMs` has passed. */
  async drain(timeoutMs: number): Promise<void> {
    await Promise.all(this.#all().map(({ mux }) => mux.drain(timeoutMs)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#all().map(({ mux }) => mux[Symbol.asyncDispose]()));
  }

  #open({ mux }: Member, request: TunnelDial): Promise<Duplex> {
    return mux.open({
      headers: this.#headers.of(request),
      timeoutMs: ATTEMPT_TIMEOUT_MS,
      ...(request.signal ? { signal: request.signal } : {}),
    });
  }

  #leastBusy(hostIds: readonly string[], passedOver: Set<Member | string>): Member | undefined {
    let best: Member | undefined;
    for (const hostId of hostIds) {
      if (passedOver.has(hostId)) continue;
      for (const member of this.#members.get(hostId) ?? []) {
        if (!member.mux.usable || passedOver.has(member)) continue;
        if (!best || member.mux.openStreams < best.mux.openStreams) best = member;
      }
    }
    return best;
  }

  #nobody({ appName, hostIds }: TunnelDial): CodedError {
    return hostIds.length === 0
      ? notFound(`no agent serves application "${appName}"`)
      : unavailable(`no agent that serves application "${appName}" is connected`);
  }

  #all(): Member[] {
    return [...this.#members.values()].flatMap((members) => [...members]);
  }

  #remove(member: Member): void {
    const members = this.#members.get(member.hostId);
    members?.delete(member);
    if (members?.size === 0) this.#members.delete(member.hostId);
  }
}
