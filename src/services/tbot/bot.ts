import { durationMs } from "#base/config";
import { CodedError, type Clock, type Logger } from "#base/kernel";
import type { Metrics } from "#base/observe";
import { LockSet } from "#domain/access";
import type { Enrolment } from "#services/enrolment";
import { LiveConnections } from "#services/tunnel";
import { createService, nameServices, type BotConfiguration } from "./configuration.ts";
import { effectiveConfiguration } from "./effective.ts";
import { sendHeartbeats } from "./heartbeat.ts";
import type { HostFacts } from "./host-facts.ts";
import { BotIdentity } from "./identity.ts";
import { IdentityService } from "./identity-service.ts";
import { createBotMetrics, type BotMetrics } from "./metrics.ts";
import { Readiness, type ServiceStatus } from "./readiness.ts";
import type { ServiceDependencies } from "./service-type.ts";
import { Supervisor, type Service } from "./supervisor.ts";

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

  constructor(options: BotOptions) {
    this.#options = options;
    this.readiness = new Readiness(options.clock);
    this.#identity = new BotIdentity(options.enrolment);
    this.#metrics = createBotMetrics(options.metrics);
    this.#supervisor = new Supervisor({ readiness: this.readiness, log: options.log });
    const locks = new LockSet();
    this.#live = new LiveConnections({ clock: options.clock, locks });
    this.#identityService = new IdentityService({
      ...options,
      identity: this.#identity,
      locks,
      metrics: this.#metrics,
    });
  }

  /**
   * Joins, runs every configured service, and returns when the signal aborts (all services have
   * stopped by then) or, for a one-shot bot, when their work is done; throws when some of it failed.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { oneshot } = this.#options.configuration;
    if (oneshot) await this.#identityService.renew(signal);
    else this.#supervisor.start(this.#identityService);
    for (const service of this.#services()) this.#supervisor.start(service);
    const ended = oneshot ? this.#supervisor.ended() : this.#heartbeats(signal);
    await Promise.race([ended, aborted(signal)]);
    const failed = this.readiness.all().filter(({ state }) => state === "failed");
    await this.#supervisor.stopAll();
    if (oneshot && failed.length > 0) throw unfinished(failed);
  }

  /** Renews the identity and then every output now. */
  renewNow(): void {
    this.#identityService.renewNow();
  }

  #services(): Service[] {
    const named = nameServices(this.#options.configuration.services);
    return named.map((configuration) =>
      createService(configuration, this.#dependencies(configuration.name)),
    );
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
      live: this.#live,
      oneshot: configuration.oneshot,
      defaults: {
        credentialTtlMs: durationMs(configuration.credential_ttl),
        renewalIntervalMs: durationMs(configuration.renewal_interval),
      },
    };
  }

  async #heartbeats(signal: AbortSignal): Promise<void> {
    const { configuration } = this.#options;
    await sendHeartbeats(
      {
        ...this.#options,
        identity: this.#identity,
        readiness: this.readiness,
        oneshot: configuration.oneshot,
        configuration: effectiveConfiguration(configuration),
      },
      signal,
    );
  }
}

function unfinished(failed: readonly ServiceStatus[]): CodedError {
  const lines = failed.map(({ name, reason = "" }) => `${name}: ${reason}`);
  return new CodedError(
    "unavailable",
    `${failed.length} of the services failed\n${lines.join("\n")}`,
  );
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
