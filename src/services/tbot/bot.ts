import { durationMs } from "#base/config";
import {
  aborted,
  badParameter,
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
  type NamedServiceConfiguration,
  type ServiceConfiguration,
} from "./configuration.ts";
import type {
  BotControl,
  ControlledEvent,
  ControlledStatus,
  SpawnOptions,
  SpawnResult,
} from "./control.ts";
import { effectiveConfiguration, resumableConfiguration } from "./effective.ts";
import { sendHeartbeats, sendOnlyHeartbeat, type HeartbeatOptions } from "./heartbeat.ts";
import type { HostFacts } from "./host-facts.ts";
import { BotIdentity } from "./identity.ts";
import { IdentityService } from "./identity-service.ts";
import { createBotMetrics, type BotMetrics } from "./metrics.ts";
import { BOT_IDENTITY, nameServices } from "./names.ts";
import { Readiness, type ServiceStatus } from "./readiness.ts";
import { Roster } from "./roster.ts";
import type { ServiceDependencies, Surroundings } from "./service-type.ts";
import { SpawnedKeeper, type SpawnedMemory } from "./spawned-memory.ts";
import { Spawner } from "./spawner.ts";
import { Supervisor, type Report, type Service, type ServiceEvent } from "./supervisor.ts";

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
  readonly readiness: Readiness;
  readonly #options: BotOptions;
  readonly #identity: BotIdentity;
  readonly #metrics: BotMetrics;
  readonly #supervisor: Supervisor;
  readonly #live: LiveConnections;
  readonly #identityService: IdentityService;
  readonly #roster: Roster;
  readonly #spawner: Spawner;
  readonly #keeper: SpawnedKeeper | undefined;
  readonly #watchers = new Set<(event: ControlledEvent) => void>();
  #ending = false;

  constructor(options: BotOptions) {
    const { configuration, clock, log, enrolment, spawned: memory } = options;
    this.#options = options;
    this.readiness = new Readiness(clock);
    this.#identity = new BotIdentity(enrolment);
    this.#metrics = createBotMetrics(options.metrics, clock);
    this.#supervisor = new Supervisor({ readiness: this.readiness, clock, log });
    this.#supervisor.watch((event) => this.#hear(event));
    const locks = new LockSet();
    this.#live = new LiveConnections({ clock, locks });
    this.#identityService = new IdentityService({
      ...options,
      log: log.child({ service: BOT_IDENTITY }),
      identity: this.#identity,
      locks,
      metrics: this.#metrics,
    });
    this.#roster = new Roster(configuration, options.surroundings ?? {});
    this.#keeper =
      memory && new SpawnedKeeper({ memory, log, names: (which) => this.#names(which) });
    this.#spawner = new Spawner({
      ...options,
      roster: this.#roster,
      start: (service) => {
        this.#refuseAtTheEnd();
        this.#supervisor.start(this.#service(service));
      },
      stop: async (name) => await this.stop(name),
      status: (name) => this.status(name),
      remembered: async () => await this.#keeper?.changed(),
    });
    const named = nameServices(configuration.services);
    const services = named.map((service) => this.#roster.add(service, false));
    // Whoever asks before they are started must not take the bot for ready.
    for (const service of [this.#identityService, ...services])
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
      this.#ending = true;
      await this.#supervisor.stopAll();
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
    return this.#supervisor.blame(error);
  }

  async spawn(
    list: string | readonly ServiceConfiguration[],
    options?: SpawnOptions,
  ): Promise<SpawnResult> {
    this.#refuseAtTheEnd();
    return await this.#spawner.spawn(list, options);
  }

  async stop(name: string, by: LogFields = {}): Promise<void> {
    if (name === BOT_IDENTITY)
      throw badParameter(`"${name}" is the bot itself; end its process instead`);
    const { type } = this.status(name);
    this.#options.log.info("stops a service", { service: name, type, ...by });
    await this.#supervisor.stop(name);
    await this.#keeper?.changed();
  }

  statuses(): readonly ControlledStatus[] {
    return this.readiness.all().map((status) => this.#controlled(status));
  }

  status(name: string): ControlledStatus {
    return this.#controlled(this.readiness.get(name));
  }

  watch(watcher: (event: ControlledEvent) => void): Disposable {
    this.#watchers.add(watcher);
    return { [Symbol.dispose]: () => void this.#watchers.delete(watcher) };
  }

  configuration(): string {
    return resumableConfiguration(this.#current(), this.#identity.expires > 0);
  }

  #refuseAtTheEnd(): void {
    if (this.#ending) throw unavailable("the bot is ending, and starts no more services");
  }

  async #runAlways(signal: AbortSignal): Promise<void> {
    await this.#keeper?.tellLost();
    this.#supervisor.start(this.#identityService);
    this.#startConfigured();
    await sendHeartbeats(this.#heartbeat(), signal);
  }

  async #runOnce(signal: AbortSignal): Promise<void> {
    const report: Report = (state) => this.readiness.report(this.#identityService, state);
    await this.#identityService.once({ signal, report });
    this.#startConfigured();
    await Promise.race([this.#supervisor.ended(), aborted(signal)]);
    if (signal.aborted) throw canceled("stopped before its work was done");
    await sendOnlyHeartbeat(this.#heartbeat(), signal);
    const failed = this.readiness.all().filter(({ state }) => state === "failed");
    if (failed.length > 0) throw unfinished(failed);
  }

  /** Those of the file; whoever was spawned before the start runs already. */
  #startConfigured(): void {
    for (const { configuration, spawned } of this.#roster.all())
      if (!spawned) this.#supervisor.start(this.#service(configuration));
  }

  /** Made anew at each start, so that what fails in the making is the service's own failure. */
  #service(configuration: NamedServiceConfiguration): Service {
    const { name, type } = configuration;
    const dependencies = this.#dependencies(name);
    const run: Service["run"] = async (options) =>
      await createService(configuration, dependencies).run(options);
    return { name, type, run };
  }

  #hear({ event, status }: ServiceEvent): void {
    const controlled = { event, status: this.#controlled(status) };
    if (event === "stopped") {
      this.#roster.remove(status.name);
      this.#metrics.forget(status.name);
    }
    this.#spawner.hear(controlled);
    for (const watcher of this.#watchers) watcher(controlled);
  }

  #controlled(status: ServiceStatus): ControlledStatus {
    return { ...status, spawned: this.#roster.get(status.name)?.spawned ?? false };
  }

  #names(which: "all" | "spawned"): readonly string[] {
    const wanted = this.#roster.all().filter(({ spawned }) => which === "all" || spawned);
    return wanted.map(({ configuration }) => configuration.name);
  }

  /** The configuration with the services that there are now. */
  #current(): BotConfiguration {
    const services = this.#roster.all().map(({ configuration }) => configuration);
    return { ...this.#options.configuration, services };
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
      control: this,
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
      configuration: () => effectiveConfiguration(this.#current()),
    };
  }
}

function unfinished(failed: readonly ServiceStatus[]): CodedError {
  const lines = failed.map(({ name, reason = "" }) => `  ${name}: ${reason}`);
  return unavailable(`${failed.length} of the services failed\n${lines.join("\n")}`);
}
