import {
  aborted,
  canceled,
  runRepeatedly,
  unavailable,
  type Backoff,
  type Clock,
  type Logger,
} from "#base/kernel";

/** The stream ends with the bot; this soon after its return it stands again. */
const WATCH_AGAIN: Backoff = { firstMs: 500, maxMs: 15_000 };

/**
 * Calls `listener` at each rotation until disposed, also when the watch was lost in between, for then
 * one may have been missed. Rejects when the watch cannot even begin.
 */
export async function followRotations(options: {
  readonly watch: (signal: AbortSignal) => AsyncIterable<{ readonly begun: boolean }>;
  readonly listener: () => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}): Promise<Disposable> {
  const { watch, listener, logger } = options;
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const first = Promise.withResolvers<void>();
  let standing = false;
  let missed = false;
  const run = async (signal: AbortSignal): Promise<void> => {
    for await (const { begun } of watch(signal)) {
      if (!begun || missed) listener();
      missed = false;
      standing = true;
      first.resolve();
    }
    throw unavailable("the bot ended the watch");
  };
  void runRepeatedly({
    ...options,
    signal,
    intervalMs: WATCH_AGAIN.maxMs,
    retry: WATCH_AGAIN,
    run,
    onFailure: (error) => {
      missed = true;
      if (standing)
        return logger.debug("the watch for rotations was lost, watching again", { error });
      stop.abort();
      first.reject(error);
    },
  });
  void aborted(signal).then(() => first.reject(canceled("the watch was canceled")));
  await first.promise;
  return { [Symbol.dispose]: () => stop.abort() };
}
