import { Bell, runRepeatedly, type Clock, type Logger } from "#base/kernel";
import { systemActor, type AuditLog } from "#domain/audit";
import type { Authorities } from "#domain/authority";

export interface RotationScheduleOptions {
  readonly authorities: Authorities;
  readonly audit: Pick<AuditLog, "write">;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

const FOLLOW_RETRY = { firstMs: 50, maxMs: 1_000 };
/** What keeps the store from a commit passes soon; phases last for hours. */
const ROTATE_RETRY = { firstMs: 1_000, maxMs: 30_000 };
/** A phase begins this late at most; a change of the authorities is noticed at once. */
const LOOK_EVERY_MS = 60_000;
const LOOK_AT_MOST_EVERY_MS = 1_000;

/**
 * Keeps the authorities of this process in step with the store, and takes automatic rotations on when
 * their time has come. Each auth server does; whoever is first wins. Resolves once they are in step.
 */
export async function followAuthorities(
  options: RotationScheduleOptions,
): Promise<AsyncDisposable> {
  const stop = new AbortController();
  const ready = Promise.withResolvers<void>();
  const following = follow(options, { signal: stop.signal, onReady: ready.resolve });
  const rotating = keepRotating(options, stop.signal);
  await ready.promise;
  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await Promise.all([following, rotating]);
    },
  };
}

function follow(
  { authorities, clock, random, logger }: RotationScheduleOptions,
  { signal, onReady }: { signal: AbortSignal; onReady: () => void },
): Promise<void> {
  return runRepeatedly({
    clock,
    random,
    signal,
    intervalMs: FOLLOW_RETRY.maxMs,
    retry: FOLLOW_RETRY,
    run: async () => await authorities.follow({ signal, onReady }),
    onFailure: (error) => logger.warn("the authorities cannot be followed", { error }),
  });
}

async function keepRotating(
  { authorities, audit, clock, random, logger }: RotationScheduleOptions,
  signal: AbortSignal,
): Promise<void> {
  const bell = new Bell();
  using _changes = authorities.onChange(() => bell.ring());
  const by = { actor: systemActor, audit: audit.write.bind(audit) };
  await runRepeatedly({
    clock,
    random,
    signal,
    bell,
    intervalMs: () => lookIn(authorities.nextRotationAt(), clock.now()),
    retry: ROTATE_RETRY,
    run: async () => await authorities.rotateDue(by),
    onFailure: (error, delayMs) =>
      logger.warn("a rotation of the authorities cannot go on, will try again", {
        error,
        retryMs: Math.round(delayMs),
      }),
  });
}

/** Without a rotation under way there is nothing to look for until one begins, which rings the bell. */
const lookIn = (next: number | undefined, now: number): number =>
  Math.max(LOOK_AT_MOST_EVERY_MS, Math.min((next ?? Infinity) - now, LOOK_EVERY_MS));
