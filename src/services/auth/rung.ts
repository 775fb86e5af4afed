import type { Bell } from "#base/kernel";

/** Waits for the next ring (one that was kept counts), or for the abort. */
export function rung(bell: Bell, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      signal.removeEventListener("abort", wake);
      heard?.[Symbol.dispose]();
      resolve();
    };
    signal.addEventListener("abort", wake, { once: true });
    const heard: Disposable | undefined = bell.listen(wake);
    if (signal.aborted) wake();
  });
}
