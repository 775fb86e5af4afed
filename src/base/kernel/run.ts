import { sleep, type Clock } from "./clock.ts";
import { backoffDelay, type Backoff } from "./retry.ts";

/** Longest single wait: a suspended machine's timers stand still, so the wall clock is read this often. */
const LOOK_AT_CLOCK_MS = 15_000;

/** A bell that anyone may ring and each waiter hears once; a ring with nobody waiting is kept. */
export class Bell {
  #rung = false;
  #waiters = new Set<() => void>();

  ring(): void {
    this.#rung = this.#waiters.size === 0;
    for (const wake of this.#waiters) wake();
  }

  /** Calls `wake` at the next ring (at once when one was kept) until disposed. */
  listen(wake: () => void): Disposable {
    this.#waiters.add(wake);
    if (this.#rung) {
      this.#rung = false;
      wake();
    }
    return { [Symbol.dispose]: () => this.#waiters.delete(wake) };
  }
}

export interface RepeatedTask {
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** From the end of one success to the start of the next run. */
  readonly intervalMs: number | (() => number);
  /** Waits after a failure; never longer than the interval. */
  readonly retry: Backoff;
  /** Rings to run at once. */
  readonly bell?: Bell;
  readonly run: (signal: AbortSignal) => Promise<void>;
  readonly onSuccess?: () => void;
  /** `delayMs` is how long the loop waits before it tries again. */
  readonly onFailure?: (error: unknown, delayMs: number) => void;
}

/**
 * Runs a task again and again until the signal aborts, then returns. A failure is reported and tried
 * again after a back-off; it never ends the loop.
 */
export async function runRepeatedly(task: RepeatedTask): Promise<void> {
  for (let failures = 0; !task.signal.aborted;) {
    let delay = 0;
    try {
      await task.run(task.signal);
      failures = 0;
      delay = intervalOf(task) * (0.95 + 0.05 * task.random());
      task.onSuccess?.();
    } catch (error) {
      if (task.signal.aborted) return;
      delay = Math.min(intervalOf(task), backoffDelay(task.retry, failures++, task.random));
      task.onFailure?.(error, delay);
    }
    await waitOrBell({ ...task, ms: delay });
  }
}

/** Asked after each run: what the run has changed counts. */
const intervalOf = ({ intervalMs }: RepeatedTask): number =>
  typeof intervalMs === "function" ? intervalMs() : intervalMs;

/**
 * Waits `ms`, or less: a ring or the abort ends it, and so does the wall clock when it passes the
 * planned time first, because the machine slept or the clock was set.
 */
export async function waitOrBell(options: {
  clock: Clock;
  ms: number;
  signal: AbortSignal;
  bell?: Bell;
}): Promise<void> {
  const { clock, ms, signal, bell } = options;
  const waking = new AbortController();
  using _heard = bell?.listen(() => waking.abort());
  const either = AbortSignal.any([signal, waking.signal]);
  const wallEnd = clock.now() + ms;
  const end = clock.monotonic() + ms;
  while (!either.aborted && clock.now() < wallEnd && clock.monotonic() < end) {
    const left = Math.max(0, end - clock.monotonic());
    await sleep(clock, Math.min(LOOK_AT_CLOCK_MS, left), either).catch(() => {});
  }
}
