import { durationMs } from "#base/config";
import {
  Bell,
  CodedError,
  messageOf,
  runRepeatedly,
  type Clock,
  type Logger,
  type Metrics,
} from "#base/kernel";
import type { Enrolment } from "#services/enrolment";
import { createService, nameServices, type BotConfiguration } from "./configuration.ts";
import { effectiveConfiguration } from "./effective.ts";
import { sendHeartbeats } from "./heartbeat.ts";
import type { HostFacts } from "./host-facts.ts";
import { BotIdentity } from "./identity.ts";
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

const IDENTITY_RETRY = { firstMs: 1_000, maxMs: 60_000 };

/** One process, one identity, many services. */
export class Bot {
  readonly readiness: Readiness;
  readonly #options: BotOptions;
  readonly #identity: BotIdentity;
  readonly #metrics: BotMetrics;
  readonly #supervisor: Supervisor;
  readonly #renewalWanted = new Bell();

  constructor(options: BotOptions) {
    this.#options = options;
    this.readiness = new Readiness(options.clock);
    this.#identity = new BotIdentity(options.enrolment);
    this.#metrics = createBotMetrics(options.metrics);
    this.#supervisor = new Supervisor({ readiness: this.readiness, log: options.log });
  }

  /**
   * Joins, runs every configured service, and returns when the signal aborts (all services have
   * stopped by then) or, for a one-shot bot, when their work is done; throws when some of it failed.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { oneshot } = this.#options.configuration;
    if (oneshot) await this.#renewIdentity(signal);
    else this.#supervisor.start(this.#identityService());
    for (const service of this.#services()) this.#supervisor.start(service);
    const ended = oneshot ? this.#supervisor.ended() : this.#heartbeats(signal);
    await Promise.race([ended, aborted(signal)]);
    const failed = this.readiness.all().filter(({ state }) => state === "failed");
    await this.#supervisor.stopAll();
    if (oneshot && failed.length > 0) throw unfinished(failed);
  }

  /** Renews the identity and then every output now. */
  renewNow(): void {
    this.#renewalWanted.ring();
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
      oneshot: configuration.oneshot,
      defaults: {
        credentialTtlMs: durationMs(configuration.credential_ttl),
        renewalIntervalMs: durationMs(configuration.renewal_interval),
      },
    };
  }

  /** The bot's own identity is watched and retried like every service, and stands in the readiness. */
  #identityService(): Service {
    const { configuration, log } = this.#options;
    return {
      name: "bot-identity",
      type: "internal",
      run: async ({ signal, report }) => {
        using _wanted = this.#renewalWanted.listen(() => (this.#outputsToo = true));
        await runRepeatedly({
          ...this.#options,
          signal,
          bell: this.#renewalWanted,
          retry: IDENTITY_RETRY,
          intervalMs: durationMs(configuration.renewal_interval),
          run: () => this.#renewIdentity(signal),
          onSuccess: () => report("healthy"),
          onFailure: (error, delayMs) => {
            log.warn("cannot renew the identity, will try again", {
              error,
              retryMs: Math.round(delayMs),
            });
            report("unhealthy", messageOf(error));
          },
        });
      },
    };
  }

  /** Set by `renewNow`, cleared by the renewal that answers it. */
  #outputsToo = false;

  async #renewIdentity(signal: AbortSignal): Promise<void> {
    const { identity, refreshed, notices } = await this.#identity.renew(signal);
    this.#metrics.identityExpires(identity.expires);
    this.#options.log.info(refreshed ? "refreshed its identity" : "joined the cluster", {
      cluster: identity.trust.clusterName,
      expires: new Date(identity.expires).toISOString(),
    });
    for (const notice of notices) this.#options.log.warn(notice);
    if (this.#outputsToo) this.#identity.askRenewal();
    this.#outputsToo = false;
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
