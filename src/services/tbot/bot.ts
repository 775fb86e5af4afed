import { durationMs } from "#base/config";
import { canceled, unavailable, type Clock, type CodedError, type Logger } from "#base/kernel";
import type { Metrics } from "#base/observe";
import { LockSet } from "#domain/access";
import type { Enrolment } from "#services/enrolment";
import { LiveConnections } from "#services/tunnel";
import { createService, type BotConfiguration } from "./configuration.ts";
import { effectiveConfiguration } from "./effective.ts";
import { sendHeartbeats, sendOnlyHeartbeat, type HeartbeatOptions } from "./heartbeat.ts";
import type { HostFacts } from "./host-facts.ts";
import { BotIdentity } from "./identity.ts";
import { IdentityService } from "./identity-service.ts";
import { createBotMetrics, type BotMetrics } from "./metrics.ts";
import { BOT_IDENTITY, nameServices } from "./names.ts";
import { Readiness, type ServiceStatus } from "./readiness.ts";
import type { ServiceDependencies } from "./service-type.ts";
import { Supervisor, type Report, type Service } from "./supervisor.ts";

export interface BotOptions {
  readonly configuration: BotConfiguration;
  readonly enrolment: Enrolment;
  readonly host: HostFacts;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** One process, one identity, many services. */
export class Bot {
  readonly readiness: Readiness;
  readonly #options: BotOptions;
  readonly #identity: BotIdentity;
  readonly #metrics: BotMetrics;
  readonly #supervisor: Supervisor;
  readonly #live: LiveConnections;
  readonly #identityService: IdentityService;
  readonly #services: readonly Service[];

  constructor(options: BotOptions) {
    this.#options = options;
    this.readiness = new Readiness(options.clock);
    this.#identity = new BotIdentity(options.enrolment);
    this.#metrics = createBotMetrics(options.metrics, options.clock);
    this.#supervisor = new Supervisor({ ...options, readiness: this.readiness });
    const locks = new LockSet();
    this.#live = new LiveConnections({ clock: options.clock, locks });
    const { log, ...rest } = options;
    this.#identityService = new IdentityService({
      ...rest,
      log: log.child({ service: BOT_IDENTITY }),
      identity: this.#identity,
      locks,
      metrics: this.#metrics,
    });
    this.#services = nameServices(options.configuration.services).map((configuration) =>
      createService(configuration, this.#dependencies(configuration.name)),
    );
    // Whoever asks before they are started must not take the bot for ready.
    for (const service of [this.#identityService, ...this.#services])
      this.readiness.report(service, "initializing");
  }

  /**
   * Joins, runs every configured service, and returns when the signal aborts (all services have
   * stopped by then) or, for a one-shot bot, when their work is done; throws when some of it failed.
   */
  async run(signal: AbortSignal): Promise<void> {
    using _live = this.#live;
    try {
      if (this.#options.configuration.oneshot) await this.#runOnce(signal);
      else await this.#runAlways(signal);
    } finally {
      await this.#supervisor.stopAll();
    }
  }

  /** Renews the identity and then every output now. */
  renewNow(): void {
    this.#identityService.renewNow();
  }

  /**
   * For whoever hears of errors that nobody caught: one that came out of a service ends that service
   * alone. Gives whether it was one; what else there is should end the process.
   */
  blame(error: unknown): boolean {
    return this.#supervisor.blame(error);
  }

  async #runAlways(signal: AbortSignal): Promise<void> {
    for (const service of [this.#identityService, ...this.#services])
      this.#supervisor.start(service);
    await sendHeartbeats(this.#heartbeat(), signal);
  }

  async #runOnce(signal: AbortSignal): Promise<void> {
    const report: Report = (state) => this.readiness.report(this.#identityService, state);
    await this.#identityService.once({ signal, report });
    for (const service of this.#services) this.#supervisor.start(service);
    await Promise.race([this.#supervisor.ended(), aborted(signal)]);
    if (signal.aborted) throw canceled("stopped before its work was done");
    await sendOnlyHeartbeat(this.#heartbeat(), signal);
    const failed = this.readiness.all().filter(({ state }) => state === "failed");
    if (failed.length > 0) throw unfinished(failed);
  }

  #dependencies(service: string): ServiceDependencies {
    const { clock, random, log, configuration } = this.#options;
    return {
      identity: this.#identity,
      clock,
      random,
      log: log.child({ service }),
      tunnels: this.#metrics.tunnels,
      tasks: this.#metrics.tasks,
      expiry: this.#metrics.expiry,
      live: this.#live,
      oneshot: configuration.oneshot,
      defaults: {
        credentialTtlMs: durationMs(configuration.credential_ttl),
        renewalIntervalMs: durationMs(configuration.renewal_interval),
      },
    };
  }

  #heartbeat(): HeartbeatOptions {
    const { configuration } = this.#options;
    return {
      ...this.#options,
      identity: this.#identity,
      readiness: this.readiness,
      oneshot: configuration.oneshot,
      configuration: effectiveConfiguration(configuration),
    };
  }
}

function unfinished(failed: readonly ServiceStatus[]): CodedError {
  const lines = failed.map(({ name, reason = "" }) => `  ${name}: ${reason}`);
  return unavailable(`${failed.length} of the services failed\n${lines.join("\n")}`);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
