import {
  aborted,
  Bell,
  messageOf,
  runRepeatedly,
  type Backoff,
  type Clock,
  type Logger,
  type RepeatedTask,
} from "#base/kernel";
import { followTrust, type Enrolment } from "#services/enrolment";
import { LiveConnections, ReverseTunnelAgent, type ReverseAgentStatus } from "#services/tunnel";
import { announce } from "./announce.ts";
import type { AgentApp } from "./app/agent-app.ts";
import { AppServers } from "./app/app-servers.ts";
import { tunnelCredentials } from "./credentials.ts";
import { Duties, type AgentStatus } from "./duties.ts";
import { followLocks, followRoles, type FollowOptions } from "./follow.ts";
import { AgentRules } from "./rules.ts";

export interface AppAgentOptions {
  readonly enrolment: Enrolment;
  readonly apps: readonly AgentApp[];
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  /** How long connections may go on after shutdown began. */
  readonly drainMs?: number;
}

const duties = ["identity", "trust", "locks", "roles", "announcement", "tunnel"] as const;
type Duty = (typeof duties)[number];

const RETRY: Backoff = { firstMs: 500, maxMs: 30_000 };
/** A certificate is renewed at half of what is left of it, but not more often than this. */
const RENEW_AT_LEAST_MS = 1_000;
/** Announcements are repeated at a third of their life: one may be lost without a gap. */
const ANNOUNCE_PER_LIFE = 3;

/** Serves applications through a cluster: its identity, its announcements, its tunnel, its own checks. */
export class AppAgent {
  readonly #options: AppAgentOptions;
  readonly #duties = new Duties<Duty>(duties);
  readonly #rules: AgentRules;
  readonly #live: LiveConnections;
  readonly #servers: AppServers;
  readonly #tunnel: ReverseTunnelAgent;
  /** Rung when the authorities have changed: what they signed is to be renewed. */
  readonly #renew = new Bell();
  #announceEveryMs = RETRY.maxMs;

  constructor(options: AppAgentOptions) {
    const { clock, logger, drainMs } = options;
    this.#options = options;
    this.#rules = new AgentRules({ trust: () => options.enrolment.current!.trust, clock });
    this.#live = new LiveConnections({ clock, locks: this.#rules.locks });
    this.#servers = new AppServers({ ...options, rules: this.#rules, live: this.#live });
    this.#tunnel = new ReverseTunnelAgent({
      ...options,
      address: () => options.enrolment.address,
      credentials: () => tunnelCredentials(options.enrolment),
      serve: (connection) => this.#servers.serve(connection),
      logger,
      onStatus: (status) => this.#tunnelled(status),
      ...(drainMs === undefined ? {} : { drainMs }),
    });
  }

  get status(): AgentStatus {
    return this.#duties.status;
  }

  /** Joins and serves until the signal aborts; then lets open connections end. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    using _live = this.#live;
    using servers = this.#servers;
    signal.addEventListener("abort", () => servers.drain(), { once: true });
    const stopped = aborted(signal);
    const work = [this.#keepIdentity(signal)];
    await Promise.race([this.#duties.first("identity"), stopped]);
    work.push(
      this.#keepTrust(signal),
      this.#follow("locks", followLocks, signal),
      this.#follow("roles", followRoles, signal),
    );
    // Without locks and roles a connection could only be refused.
    const ruled = Promise.all([this.#duties.first("locks"), this.#duties.first("roles")]);
    await Promise.race([ruled, stopped]);
    const tunnelling = this.#tunnel.run(signal);
    // What is announced can be reached: the tunnel stands first.
    await Promise.race([this.#duties.first("tunnel"), stopped]);
    await Promise.all([...work, this.#keepAnnounced(signal), tunnelling]);
  }

  /** Refreshes at once: a stored identity may be of any age, and serves until the refresh is through. */
  #keepIdentity(signal: AbortSignal): Promise<void> {
    const { enrolment, clock } = this.#options;
    if (enrolment.current) this.#duties.done("identity");
    const leftMs = (): number => (enrolment.current?.expires ?? 0) - clock.now();
    return this.#keep("identity", signal, {
      bell: this.#renew,
      intervalMs: () => Math.max(RENEW_AT_LEAST_MS, leftMs() / 2),
      run: async () => {
        await enrolment.join(signal);
        this.#duties.done("identity");
        this.#tunnel.renew();
      },
    });
  }

  /** What it verifies clients and the proxy with; a change renews its own certificate too. */
  #keepTrust(signal: AbortSignal): Promise<void> {
    return this.#keep("trust", signal, {
      intervalMs: RETRY.firstMs,
      run: () =>
        followTrust({
          ...this.#options,
          signal,
          onReady: () => this.#duties.done("trust"),
          renew: () => this.#renew.ring(),
        }),
    });
  }

  #follow(
    duty: "locks" | "roles",
    follow: (options: FollowOptions) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const { enrolment } = this.#options;
    return this.#keep(duty, signal, {
      intervalMs: RETRY.firstMs,
      run: () =>
        follow({
          client: enrolment.client,
          rules: this.#rules,
          signal,
          onReady: () => this.#duties.done(duty),
        }),
    });
  }

  #keepAnnounced(signal: AbortSignal): Promise<void> {
    const { enrolment, apps } = this.#options;
    return this.#keep("announcement", signal, {
      intervalMs: () => this.#announceEveryMs,
      run: async () => {
        const lifeMs = await announce(enrolment.client, apps, signal);
        this.#announceEveryMs = lifeMs / ANNOUNCE_PER_LIFE;
        this.#duties.done("announcement");
      },
    });
  }

  #keep(
    duty: Duty,
    signal: AbortSignal,
    task: Pick<RepeatedTask, "intervalMs" | "run" | "bell">,
  ): Promise<void> {
    const { clock, random, logger } = this.#options;
    return runRepeatedly({
      ...task,
      clock,
      random,
      signal,
      retry: RETRY,
      onFailure: (error, delayMs) => {
        this.#duties.failed(duty, messageOf(error));
        logger.warn("the agent will try again", { duty, error, retryMs: Math.round(delayMs) });
      },
    });
  }

  #tunnelled({ connected, lastError }: ReverseAgentStatus): void {
    if (connected > 0) this.#duties.done("tunnel");
    else this.#duties.failed("tunnel", lastError ?? "not connected");
  }
}
