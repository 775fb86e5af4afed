import { messageOf, runRepeatedly, type Clock, type Logger } from "#base/kernel";
import type { LockSet } from "#domain/access";
import { parseDocument, type Lock } from "#domain/resources";
import type { BotIdentity } from "./identity.ts";

/** The stream ends with its connection, for example when the identity is renewed; this soon it is back. */
const RESUBSCRIBE_MS = 1_000;

/** Keeps the set of locks in step with the cluster until the signal aborts, so that a lock cuts at once. */
export async function watchLocks(options: {
  identity: BotIdentity;
  locks: LockSet;
  clock: Clock;
  random: () => number;
  log: Logger;
  signal: AbortSignal;
}): Promise<void> {
  const { identity, locks, log, signal } = options;
  await runRepeatedly({
    ...options,
    intervalMs: RESUBSCRIBE_MS,
    retry: { firstMs: RESUBSCRIBE_MS, maxMs: RESUBSCRIBE_MS },
    run: async () => {
      await identity.ready(signal);
      for await (const inForce of identity.client.auth.watchLocks({}, { signal })) {
        locks.replace(inForce.locks.map((json) => parseDocument(json) as Lock));
      }
    },
    onFailure: (error) =>
      log.debug("the stream of locks ended, subscribing again", { reason: messageOf(error) }),
  });
}
