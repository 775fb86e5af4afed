import type { Bell } from "#base/kernel";

/** Waits for the next ring (one that was kept counts), or for the abort. */
export async function rung(bell: Bell, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const wake = (): void => resolve();
  using _heard = bell.listen(wake);
  signal.addEventListener("abort", wake, { once: true });
  if (signal.aborted) wake();
  await promise;
  signal.removeEventListener("abort", wake);
}
