import { notFound, type Clock } from "#base/kernel";

/** `exited`: ended by itself without error; `failed`: ended with one. */
export type ServiceState = "initializing" | "healthy" | "unhealthy" | "exited" | "failed";

export interface ServiceStatus {
  readonly name: string;
  readonly type: string;
  readonly state: ServiceState;
  /** Why it is not healthy. */
  readonly reason?: string;
  /** Milliseconds since the epoch. */
  readonly updatedAt: number;
}

/** What every service last said of itself; the diagnostics endpoints and heartbeats read it. */
export class Readiness {
  readonly #clock: Clock;
  readonly #services = new Map<string, ServiceStatus>();
  readonly #watchers = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  report(service: { name: string; type: string }, state: ServiceState, reason?: string): void {
    this.#services.set(service.name, {
      name: service.name,
      type: service.type,
      state,
      ...(reason === undefined ? {} : { reason }),
      updatedAt: this.#clock.now(),
    });
    this.#tell();
  }

  forget(name: string): void {
    this.#services.delete(name);
    this.#tell();
  }

  all(): readonly ServiceStatus[] {
    return [...this.#services.values()];
  }

  get(name: string): ServiceStatus {
    const status = this.#services.get(name);
    if (status) return status;
    const known = [...this.#services.keys()].join(", ") || "none";
    throw notFound(`no service is named "${name}"; there are: ${known}`);
  }

  /** Resolves with the statuses of all (or one) once none is `initializing`; with what there is when the signal aborts. */
  async settled(options: {
    name?: string;
    signal: AbortSignal;
  }): Promise<readonly ServiceStatus[]> {
    const read = (): readonly ServiceStatus[] =>
      options.name === undefined ? this.all() : [this.get(options.name)];
    while (!options.signal.aborted && read().some(({ state }) => state === "initializing")) {
      await this.#change(options.signal);
    }
    return read();
  }

  /** Calls `watcher` after every change until disposed. */
  watch(watcher: () => void): Disposable {
    this.#watchers.add(watcher);
    return { [Symbol.dispose]: () => this.#watchers.delete(watcher) };
  }

  #tell(): void {
    for (const watcher of this.#watchers) watcher();
  }

  async #change(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    using _watch = this.watch(resolve);
    const leave = (): void => resolve();
    signal.addEventListener("abort", leave, { once: true });
    await promise;
    signal.removeEventListener("abort", leave);
  }
}

/** Ready means that every service is healthy, or done without error. */
export function isReady(services: readonly ServiceStatus[]): boolean {
  return services.every(({ state }) => state === "healthy" || state === "exited");
}
