import { runRepeatedly, type Backoff, type Clock, type Logger } from "#base/kernel";
import type { BotIdentity } from "./identity.ts";

/** The stream ends with its connection, for example when the identity is renewed; this soon it is back. */
const RESUBSCRIBE: Backoff = { firstMs: 1_000, maxMs: 15_000 };

/**
 * Keeps what the bot trusts in step with the cluster until the signal aborts: stored first, then in
 * use, and then everything that holds a copy of it or a signature of old keys is renewed.
 */
export async function watchTrust(options: {
  readonly identity: BotIdentity;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly renew: () => void;
}): Promise<void> {
  const { identity, log, renew } = options;
  await runRepeatedly({
    ...options,
    intervalMs: RESUBSCRIBE.firstMs,
    retry: RESUBSCRIBE,
    run: async (signal) => {
      await identity.ready(signal);
      await identity.followTrust({
        ...options,
        signal,
        renew: () => {
          log.info("the authorities of the cluster have changed: renewing everything");
          renew();
        },
      });
    },
    // Whether the cluster can be reached at all is told by the stream of locks.
    onFailure: (error) =>
      log.debug("the stream of authorities ended, subscribing again", { error }),
  });
}
