import { AsyncLocalStorage } from "node:async_hooks";
import {
  aborted,
  alreadyExists,
  deadline,
  messageOf,
  notFound,
  type Clock,
  type Logger,
} from "#base/kernel";
import type { Readiness, ServiceState, ServiceStatus } from "./readiness.ts";

/** What a service that is told to stop may still finish; a tunnel's own drain is shorter. */
const STOP_MS = 10_000;

/** One thing that a bot does, from its start to its stop. */
export interface Service {
  readonly name: string;
  readonly type: string;
  /** Without it the bot is none: what nobody caught in it ends the process. */
  readonly vital?: true;
  /**
   * Runs until the signal aborts, or until its work is done. Says how it is through `report`;
   * rejects when it cannot go on.
   */
  run(options: { signal: AbortSignal; report: Report }): Promise<void>;
}

export type Report = (
  state: Extract<ServiceState, "healthy" | "unhealthy">,
  reason?: string,
) => void;

/** `exited` and `failed`: it ended by itself; `stopped`: somebody stopped it, and it is forgotten. */
export interface ServiceEvent {
  readonly event: "spawned" | "ready" | "unhealthy" | "exited" | "failed" | "stopped";
  readonly status: ServiceStatus;
}

interface Running {
  readonly service: Service;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
  stopping?: Promise<void>;
}

/** Starts, watches and stops services; one that fails does not touch the others. */
export class Supervisor {
  readonly #readiness: Readiness;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #running = new Map<string, Running>();
  readonly #watchers = new Set<(event: ServiceEvent) => void>();
  /** Whose work the running code is: also of what a service started and forgot. */
  readonly #current = new AsyncLocalStorage<Running>();

  constructor(options: { readiness: Readiness; clock: Clock; log: Logger }) {
    this.#readiness = options.readiness;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** Returns at once; a service that ends in the meantime has said so by then. */
  start(service: Service): void {
    if (this.#running.has(service.name)) {
      throw alreadyExists(
        `a service named "${service.name}" is running; give this one another name`,
      );
    }
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const running: Running = { service, stop: new AbortController(), ended };
    this.#running.set(service.name, running);
    this.#readiness.report(service, "initializing");
    this.#tell("spawned", service);
    void this.#current.run(running, () => this.#run(running)).then(resolve);
  }

  /**
   * Aborts one service, waits until what it has in flight has ended, and forgets it. One that takes
   * longer than its deadline is left behind, and the log says so.
   */
  stop(name: string): Promise<void> {
    const running = this.#running.get(name);
    if (!running) return Promise.reject(this.#unknown(name));
    running.stopping ??= this.#stop(running);
    return running.stopping;
  }

  /** Stops it and starts it anew, as it was first given. */
  async restart(name: string): Promise<void> {
    const running = this.#running.get(name);
    if (!running) throw this.#unknown(name);
    await this.stop(name);
    this.start(running.service);
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((name) => this.stop(name)));
  }

  /** Resolves when every service has ended by itself. */
  async ended(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  /** Calls `watcher` at every event until disposed. */
  watch(watcher: (event: ServiceEvent) => void): Disposable {
    this.#watchers.add(watcher);
    return { [Symbol.dispose]: () => void this.#watchers.delete(watcher) };
  }

  /**
   * Called where an error surfaces that nobody caught: when it came out of a service's own work,
   * that service has failed and the rest goes on. Gives whether it was one.
   */
  blame(error: unknown): boolean {
    const running = this.#current.getStore();
    if (!running || running.service.vital) return false;
    this.#fail(running, error);
    running.stop.abort();
    return true;
  }

  async #run(running: Running): Promise<void> {
    const { service, stop } = running;
    try {
      await service.run({ signal: stop.signal, report: this.#reportOf(running) });
      if (stop.signal.aborted) return;
      this.#readiness.report(service, "exited");
      this.#tell("exited", service);
    } catch (error) {
      this.#fail(running, error);
    }
  }

  #reportOf({ service, stop }: Running): Report {
    let last: string | undefined;
    return (state, reason) => {
      if (stop.signal.aborted) return;
      this.#readiness.report(service, state, reason);
      const said = `${state} ${reason}`;
      if (said !== last) this.#tell(state === "healthy" ? "ready" : "unhealthy", service);
      last = said;
    };
  }

  #fail({ service, stop }: Running, error: unknown): void {
    if (stop.signal.aborted) return;
    this.#log.child({ service: service.name }).error("service failed", { error });
    this.#readiness.report(service, "failed", messageOf(error));
    this.#tell("failed", service);
  }

  async #stop({ service, stop, ended }: Running): Promise<void> {
    stop.abort();
    const late = await this.#takesTooLong(ended);
    if (late) this.#log.child({ service: service.name }).warn(LEFT_BEHIND);
    const status = this.#readiness.get(service.name);
    this.#running.delete(service.name);
    this.#readiness.forget(service.name);
    this.#announce({ event: "stopped", status });
  }

  async #takesTooLong(ended: Promise<void>): Promise<boolean> {
    using limit = deadline(this.#clock, STOP_MS);
    return await Promise.race([ended.then(() => false), aborted(limit.signal).then(() => true)]);
  }

  #tell(event: ServiceEvent["event"], service: Service): void {
    this.#announce({ event, status: this.#readiness.get(service.name) });
  }

  #announce(event: ServiceEvent): void {
    for (const watcher of this.#watchers) watcher(event);
  }

  #unknown(name: string): Error {
    const known = [...this.#running.keys()].join(", ") || "none";
    return notFound(`no service is named "${name}"; there are: ${known}`);
  }
}

const LEFT_BEHIND = `did not stop within ${STOP_MS / 1000} s: left behind`;
