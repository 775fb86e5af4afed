import { backoffDelay, codeOf, sleep, type Backoff, type Clock, type Logger } from "#base/kernel";

/** A bot that ends after its work tries this often before it gives up. */
const ATTEMPTS = 3;
const PAUSE: Backoff = { firstMs: 1_000, maxMs: 10_000 };
/** What may go better the next time; a refusal stays one. */
const passing: ReadonlySet<string> = new Set(["unavailable", "timed_out", "limit_exceeded"]);

/** Runs it once well: tries again, after a pause, when it failed for a reason that may pass. */
export async function fewTimes<T>(
  { clock, random, log, signal }: Circumstances,
  run: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run();
    } catch (error) {
      if (signal.aborted || attempt === ATTEMPTS || !passing.has(codeOf(error))) throw error;
      const retryMs = Math.round(backoffDelay(PAUSE, attempt - 1, random));
      log.warn("failed, will try again", { error, attempt, of: ATTEMPTS, retryMs });
      await sleep(clock, retryMs, signal);
    }
  }
}

interface Circumstances {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly signal: AbortSignal;
}
