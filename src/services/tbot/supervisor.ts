import { alreadyExists, messageOf, notFound, type Logger } from "#base/kernel";
import type { Readiness, ServiceState } from "./readiness.ts";

/** One thing that a bot does, from its start to its stop. */
export interface Service {
  readonly name: string;
  readonly type: string;
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

interface Running {
  readonly service: Service;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

/** Starts, watches and stops services; one that fails does not touch the others. */
export class Supervisor {
  readonly #readiness: Readiness;
  readonly #log: Logger;
  readonly #running = new Map<string, Running>();

  constructor(options: { readiness: Readiness; log: Logger }) {
    this.#readiness = options.readiness;
    this.#log = options.log;
  }

  start(service: Service): void {
    if (this.#running.has(service.name)) {
      throw alreadyExists(
        `a service named "${service.name}" is running; give this one another name`,
      );
    }
    const stop = new AbortController();
    this.#readiness.report(service, "initializing");
    this.#running.set(service.name, { service, stop, ended: this.#run(service, stop.signal) });
  }

  /** Aborts one service, waits until it has ended, and forgets it. */
  async stop(name: string): Promise<void> {
    const running = this.#running.get(name);
    if (!running) throw notFound(`no service is named "${name}"`);
    running.stop.abort();
    await running.ended;
    this.#running.delete(name);
    this.#readiness.forget(name);
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((name) => this.stop(name)));
  }

  /** Resolves when every service has ended by itself. */
  async ended(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  async #run(service: Service, signal: AbortSignal): Promise<void> {
    const log = this.#log.child({ service: service.name });
    const report: Report = (state, reason) => {
      if (!signal.aborted) this.#readiness.report(service, state, reason);
    };
    try {
      await service.run({ signal, report });
      if (!signal.aborted) this.#readiness.report(service, "exited");
    } catch (error) {
      if (signal.aborted) return;
      log.error("service failed", { error });
      this.#readiness.report(service, "failed", messageOf(error));
    }
  }
}
