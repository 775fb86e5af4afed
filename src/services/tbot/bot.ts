import { durationMs } from "#base/config";
import {
  aborted,
  canceled,
  unavailable,
  type Clock,
  type CodedError,
  type LogFields,
  type Logger,
} from "#base/kernel";
import type { LogRing, Metrics } from "#base/observe";
import { LockSet } from "#domain/access";
import type { CredentialSource } from "#services/bot-client";
import type { Enrolment } from "#services/enrolment";
import { LiveConnections } from "#services/tunnel";
import {
  createService,
  type BotConfiguration,
  type ServiceConfiguration,
} from "./configuration.ts";
import type {
  BotControl,
  ControlledEvent,
  ControlledStatus,
  SpawnOptions,
  SpawnResult,
} from "./control.ts";
import { effectiveConfiguration } from "./effective.ts";
import { sendHeartbeats, sendOnlyHeartbeat, type HeartbeatOptions } from "./heartbeat.ts";
import type { HostFacts } from "./host-facts.ts";
import { BotIdentity } from "./identity.ts";
import { IdentityService } from "./identity-service.ts";
import { createBotMetrics, type BotMetrics } from "./metrics.ts";
import { BOT_IDENTITY } from "./names.ts";
import type { Readiness, ServiceStatus } from "./readiness.ts";
import { ServiceControl } from "./service-control.ts";
import type { ServiceDependencies, Surroundings } from "./service-type.ts";
import type { SpawnedMemory } from "./spawned-memory.ts";
import type { Report } from "./supervisor.ts";

export interface BotOptions {
  readonly configuration: BotConfiguration;
  readonly enrolment: Enrolment;
  /** Without it nobody learns after a restart which spawned services are gone. */
  readonly spawned?: SpawnedMemory;
  readonly host: HostFacts;
  /** What the cluster hears that it is; default: `tbot`. */
  readonly kind?: "tbot" | "embedded";
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** What `bot-api` shows of the log. */
  readonly logs?: LogRing;
  readonly surroundings?: Surroundings;
}

/** One process, one identity, many services. */
export class Bot implements BotControl {
  readonly #options: BotOptions;
  readonly #identity: BotIdentity;
  readonly #metrics: BotMetrics;
  readonly #live: LiveConnections;
  readonly #identityService: IdentityService;
  readonly #services: ServiceControl;

  constructor(options: BotOptions) {
    const { clock, log, enrolment } = options;
    this.#options = options;
    this.#identity = new BotIdentity(enrolment);
    this.#metrics = createBotMetrics(options.metrics, clock);
    const locks = new LockSet();
    this.#live = new LiveConnections({ clock, locks });
    this.#identityService = new IdentityService({
      ...options,
      log: log.child({ service: BOT_IDENTITY }),
      identity: this.#identity,
      locks,
      metrics: this.#metrics,
    });
    this.#services = new ServiceControl({
      ...options,
      run: (service) => (options) =>
        createService(service, this.#dependencies(service.name)).run(options),
      forget: (name) => this.#metrics.forget(name),
      joined: () => this.#identity.expires > 0,
    });
  }

  get readiness(): Readiness {
    return this.#services.readiness;
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
      await this.#services.stopAll();
    }
  }

  /** Renews the identity and then every output now. */
  renewNow(): void {
    this.#identityService.renewNow();
  }

  /** Credentials for the program that this bot runs in. */
  async credentials(): Promise<CredentialSource> {
    const { BotCredentials } = await import("./bot-credentials.ts");
    const { configuration, clock, log: logger } = this.#options;
    const ttlMs = durationMs(configuration.credential_ttl);
    return new BotCredentials({ identity: this.#identity, ttlMs, clock, logger });
  }

  /**
   * For whoever hears of errors that nobody caught: one that came out of a service ends that service
   * alone. Gives whether it was one; what else there is should end the process.
   */
  blame(error: unknown): boolean {
    return this.#services.blame(error);
  }

  spawn(
    list: string | readonly ServiceConfiguration[],
    options?: SpawnOptions,
  ): Promise<SpawnResult> {
    return this.#services.spawn(list, options);
  }

  stop(name: string, by?: LogFields): Promise<void> {
    return this.#services.stop(name, by);
  }

  statuses(): readonly ControlledStatus[] {
    return this.#services.statuses();
  }

  status(name: string): ControlledStatus {
    return this.#services.status(name);
  }

  watch(watcher: (event: ControlledEvent) => void): Disposable {
    return this.#services.watch(watcher);
  }

  configuration(): string {
    return this.#services.configuration();
  }

  async #runAlways(signal: AbortSignal): Promise<void> {
    await this.#services.tellLost();
    this.#services.start(this.#identityService);
    this.#services.startConfigured();
    await sendHeartbeats(this.#heartbeat(), signal);
  }

  async #runOnce(signal: AbortSignal): Promise<void> {
    const report: Report = (state) => this.readiness.report(this.#identityService, state);
    await this.#identityService.once({ signal, report });
    this.#services.startConfigured();
    await Promise.race([this.#services.ended(), aborted(signal)]);
    if (signal.aborted) throw canceled("stopped before its work was done");
    await sendOnlyHeartbeat(this.#heartbeat(), signal);
    const failed = this.readiness.all().filter(({ state }) => state === "failed");
    if (failed.length > 0) throw unfinished(failed);
  }

  #dependencies(service: string): ServiceDependencies {
    const { clock, random, log, configuration, logs } = this.#options;
    return {
      ...(logs === undefined ? {} : { logs }),
      identity: this.#identity,
      clock,
      random,
      log: log.child({ service }),
      tunnels: this.#metrics.tunnels,
      tasks: this.#metrics.tasks,
      expiry: this.#metrics.expiry,
      live: this.#live,
      control: this.#services,
      oneshot: configuration.oneshot,
      defaults: {
        credentialTtlMs: durationMs(configuration.credential_ttl),
        renewalIntervalMs: durationMs(configuration.renewal_interval),
      },
    };
  }

  #heartbeat(): HeartbeatOptions {
    return {
      kind: "tbot",
      ...this.#options,
      identity: this.#identity,
      readiness: this.readiness,
      oneshot: this.#options.configuration.oneshot,
      configuration: () => effectiveConfiguration(this.#services.current()),
    };
  }
}

function unfinished(failed: readonly ServiceStatus[]): CodedError {
  const lines = failed.map(({ name, reason = "" }) => `  ${name}: ${reason}`);
  return unavailable(`${failed.length} of the services failed\n${lines.join("\n")}`);
}
