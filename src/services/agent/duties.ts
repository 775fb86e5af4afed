export interface AgentStatus {
  readonly status: "initializing" | "healthy" | "unhealthy";
  readonly reason?: string;
}

interface State {
  readonly first: PromiseWithResolvers<void>;
  done: boolean;
  fault: string | undefined;
}

/** What an agent must keep doing, and how each part of it last went. */
export class Duties<D extends string> {
  readonly #states: ReadonlyMap<D, State>;

  constructor(names: readonly D[]) {
    this.#states = new Map(
      names.map((name) => [
        name,
        { first: Promise.withResolvers<void>(), done: false, fault: undefined },
      ]),
    );
  }

  done(duty: D): void {
    const state = this.#states.get(duty)!;
    state.done = true;
    state.fault = undefined;
    state.first.resolve();
  }

  failed(duty: D, reason: string): void {
    this.#states.get(duty)!.fault = reason;
  }

  /** Resolves when the duty is done for the first time. */
  first(duty: D): Promise<void> {
    return this.#states.get(duty)!.first.promise;
  }

  /** Healthy once every duty was done and none has failed since. */
  get status(): AgentStatus {
    for (const [duty, { fault }] of this.#states)
      if (fault !== undefined) return { status: "unhealthy", reason: `${duty}: ${fault}` };
    const all = [...this.#states.values()].every(({ done }) => done);
    return { status: all ? "healthy" : "initializing" };
  }
}
