import { canceled } from "./errors.ts";

/** The only source of time. Tests drive their own (`#testing/clock`). */
export interface Clock {
  /** Wall-clock time, milliseconds since the Unix epoch. */
  now(): number;
  /** Milliseconds that never run backwards; only differences mean anything. */
  monotonic(): number;
  /** Calls `fire` once after `ms` milliseconds (0 or more), unless disposed first. */
  timer(ms: number, fire: () => void): Disposable;
}

/** setTimeout holds its delay in 31 bits; longer waits are made of several. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  timer: (ms, fire) => {
    let left = ms;
    let handle: NodeJS.Timeout;
    const arm = (): void => {
      const step = Math.min(left, LONGEST_TIMER_MS);
      left -= step;
      handle = setTimeout(() => (left > 0 ? arm() : fire()), step);
    };
    arm();
    return { [Symbol.dispose]: () => clearTimeout(handle) };
  },
};

/** Resolves after `ms`; rejects with `canceled` when the signal aborts first. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(canceled("the wait was canceled"));
    const onAbort = (): void => {
      timer[Symbol.dispose]();
      reject(canceled("the wait was canceled"));
    };
    const timer = clock.timer(ms, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** A signal that aborts with the parent or after `ms` on `clock`; dispose it when the work is done. */
export function deadline(
  clock: Clock,
  ms: number,
  parent?: AbortSignal,
): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const timer = clock.timer(ms, () =>
    controller.abort(new DOMException(`took over ${ms} ms`, "TimeoutError")),
  );
  const signal = parent ? AbortSignal.any([parent, controller.signal]) : controller.signal;
  return { signal, [Symbol.dispose]: () => timer[Symbol.dispose]() };
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
