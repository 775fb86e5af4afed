import type { CommandIo } from "#base/cli";
import { sleep, systemClock, timedOut } from "#base/kernel";
import type { Children } from "./children.ts";

const POLL_MS = 50;
const STEP_MS = 30_000;

/** Prints each step with the time that it took. */
export class Steps {
  readonly #io: CommandIo;
  readonly #children: Children;
  readonly #started = systemClock.monotonic();

  constructor(io: CommandIo, children: Children) {
    this.#io = io;
    this.#children = children;
  }

  get elapsedMs(): number {
    return systemClock.monotonic() - this.#started;
  }

  /** Does one step; `done` turns its result into the line that a person reads. */
  async step<T>(run: () => Promise<T>, done: (result: T) => string): Promise<T> {
    const started = systemClock.monotonic();
    const result = await run();
    const ms = Math.round(systemClock.monotonic() - started);
    this.#io.stdout.write(`${String(ms).padStart(6)} ms  ${done(result)}\n`);
    return result;
  }

  /** Asks again until there is an answer; ends early when one of the processes has ended. */
  async until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
    const end = systemClock.monotonic() + STEP_MS;
    for (;;) {
      const answer = await ask().catch(() => undefined);
      if (answer !== undefined) return answer;
      await this.#children.checkAlive();
      if (systemClock.monotonic() > end)
        throw timedOut(`waited ${STEP_MS / 1000} s in vain until ${what}`);
      await sleep(systemClock, POLL_MS, this.#io.signal);
    }
  }
}
