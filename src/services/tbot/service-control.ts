import { badParameter, unavailable, type Clock, type LogFields, type Logger } from "#base/kernel";
import type {
  BotConfiguration,
  NamedServiceConfiguration,
  ServiceConfiguration,
} from "./configuration.ts";
import type {
  BotControl,
  ControlledEvent,
  ControlledStatus,
  SpawnOptions,
  SpawnResult,
} from "./control.ts";
import { resumableConfiguration } from "./effective.ts";
import { BOT_IDENTITY, nameServices } from "./names.ts";
import { Readiness, type ServiceStatus } from "./readiness.ts";
import { Roster } from "./roster.ts";
import type { Surroundings } from "./service-type.ts";
import { SpawnedKeeper, type SpawnedMemory } from "./spawned-memory.ts";
import { Spawner } from "./spawner.ts";
import { Supervisor, type Service, type ServiceEvent } from "./supervisor.ts";

interface ServiceControlOptions {
  readonly configuration: BotConfiguration;
  readonly surroundings?: Surroundings;
  readonly spawned?: SpawnedMemory;
  readonly clock: Clock;
  readonly log: Logger;
  /** What each start of a service runs. */
  readonly run: (service: NamedServiceConfiguration) => Service["run"];
  /** A service was stopped: nothing is shown of it any more. */
  readonly forget: (name: string) => void;
  /** Whether the bot's storage holds its identity by now. */
  readonly joined: () => boolean;
}

/** The services of a bot, those of its file and those that were spawned, and all orders about them. */
export class ServiceControl implements BotControl {
  readonly readiness: Readiness;
  readonly #options: ServiceControlOptions;
  readonly #supervisor: Supervisor;
  readonly #roster: Roster;
  readonly #spawner: Spawner;
  readonly #keeper: SpawnedKeeper | undefined;
  readonly #watchers = new Set<(event: ControlledEvent) => void>();
  #ending = false;

  constructor(options: ServiceControlOptions) {
    const { configuration, surroundings = {}, clock, log, spawned: memory } = options;
    this.#options = options;
    this.readiness = new Readiness(clock);
    this.#supervisor = new Supervisor({ readiness: this.readiness, clock, log });
    this.#supervisor.watch((event) => this.#hear(event));
    this.#roster = new Roster(configuration, surroundings);
    this.#keeper =
      memory && new SpawnedKeeper({ memory, log, names: (which) => this.#names(which) });
    this.#spawner = new Spawner({
      ...options,
      roster: this.#roster,
      start: (service) => {
        this.#refuseAtTheEnd();
        this.start(this.#service(service));
      },
      stop: async (name) => await this.stop(name),
      status: (name) => this.status(name),
      remembered: async () => await this.#keeper?.changed(),
    });
    // Whoever asks before they are started must not take the bot for ready.
    this.readiness.report({ name: BOT_IDENTITY, type: "internal" }, "initializing");
    for (const service of nameServices(configuration.services))
      this.readiness.report(this.#roster.add(service, false), "initializing");
  }

  /** A service that the bot has by itself. */
  start(service: Service): void {
    this.#supervisor.start(service);
  }

  /** Those of the file; whoever was spawned before the start runs already. */
  startConfigured(): void {
    for (const { configuration, spawned } of this.#roster.all())
      if (!spawned) this.start(this.#service(configuration));
  }

  /** Says which services the last run had spawned, and this one does not have. */
  async tellLost(): Promise<void> {
    await this.#keeper?.tellLost();
  }

  /** Resolves when every service has ended by itself. */
  async ended(): Promise<void> {
    await this.#supervisor.ended();
  }

  /** Stops all, for good. */
  async stopAll(): Promise<void> {
    this.#ending = true;
    await this.#supervisor.stopAll();
  }

  /** See `Supervisor`. */
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
    return resumableConfiguration(this.current(), this.#options.joined());
  }

  /** The configuration with the services that there are now. */
  current(): BotConfiguration {
    const services = this.#roster.all().map(({ configuration }) => configuration);
    return { ...this.#options.configuration, services };
  }

  /** Made anew at each start, so that what fails in the making is the service's own failure. */
  #service(configuration: NamedServiceConfiguration): Service {
    const { name, type } = configuration;
    const run: Service["run"] = async (options) => await this.#options.run(configuration)(options);
    return { name, type, run };
  }

  #hear({ event, status }: ServiceEvent): void {
    const controlled = { event, status: this.#controlled(status) };
    if (event === "stopped") {
      this.#roster.remove(status.name);
      this.#options.forget(status.name);
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

  #refuseAtTheEnd(): void {
    if (this.#ending) throw unavailable("the bot is ending, and starts no more services");
  }
}
