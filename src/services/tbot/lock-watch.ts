import { codeOf, messageOf, runRepeatedly, type Clock, type Logger } from "#base/kernel";
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
  /** The cluster no longer talks to this bot: it is locked, as the sentence says. */
  onRefused: (sentence: string) => void;
  /** The cluster talks to it again. */
  onHeard: () => void;
}): Promise<void> {
  const { identity, locks, log, signal, onRefused, onHeard } = options;
  await runRepeatedly({
    ...options,
    intervalMs: RESUBSCRIBE_MS,
    retry: { firstMs: RESUBSCRIBE_MS, maxMs: RESUBSCRIBE_MS },
    run: async () => {
      await identity.ready(signal);
      for await (const inForce of identity.client.auth.watchLocks({}, { signal })) {
        onHeard();
        locks.replace(inForce.locks.map((json) => parseDocument(json) as Lock));
      }
    },
    onFailure: (error) => {
      if (codeOf(error) === "access_denied") onRefused(messageOf(error));
      else log.debug("the stream of locks ended, subscribing again", { reason: messageOf(error) });
    },
  });
}
