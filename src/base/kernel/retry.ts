/** A capped exponential back-off with jitter; `attempt` counts from 0. */
export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** Full jitter over the upper half, so that a fleet that lost its server does not come back at once. */
export function backoffDelay(backoff: Backoff, attempt: number, random: () => number): number {
  const ceiling = Math.min(backoff.maxMs, backoff.firstMs * 2 ** Math.min(attempt, 30));
  return ceiling / 2 + (ceiling / 2) * random();
}
