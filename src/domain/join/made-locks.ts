import { sha256Hex } from "#base/crypto";
import type { Write } from "#base/storage";
import {
  JOIN_TOKEN_LABEL,
  type BotInstance,
  type Lock,
  type LockTarget,
  type Token,
} from "#domain/resources";

/** Holds while the document is as it was read. */
export const checkOf = ({ kind, metadata }: Token | BotInstance): Write => ({
  op: "check",
  kind,
  name: metadata.name,
  revision: metadata.revision ?? null,
});

/** "a lock on the join token": whoever holds the current state and whoever presented another. */
export function mismatchLock(token: string, message: string): Lock {
  return lock(token, {
    name: `join-state-${shortOf(token)}`,
    target: ["join_token", token],
    message,
  });
}

/** "a lock on the bot instance": both holders of its certificate. */
export function copyLock(token: string, instanceId: string, message: string): Lock {
  const target = ["bot_instance_id", instanceId] as const;
  return lock(token, { name: `generation-${instanceId}`, target, message });
}

/**
 * "After a successful recovery the previous instance is locked for the longest certificate lifetime."
 */
export function supersededLock(
  token: string,
  instanceId: string,
  until: { readonly expires: number; readonly by: string },
): Lock {
  const made = lock(token, {
    name: `${SUPERSEDED}${instanceId}`,
    target: ["bot_instance_id", instanceId],
    message: `instance "${until.by}" took its place in a recovery`,
  });
  return { ...made, spec: { ...made.spec, expires: new Date(until.expires).toISOString() } };
}

const SUPERSEDED = "superseded-";

/** Whether it keeps out what a recovery has replaced, and nobody who is in use. */
export const isSuperseding = (lock: Lock): boolean => lock.metadata.name.startsWith(SUPERSEDED);

/** The same fault makes the same lock again, not a second one. */
function lock(
  token: string,
  draft: {
    readonly name: string;
    readonly target: readonly [LockTarget, string];
    readonly message: string;
  },
): Lock {
  const [target, value] = draft.target;
  return {
    kind: "lock",
    version: "v2",
    metadata: { name: draft.name, labels: { [JOIN_TOKEN_LABEL]: token } },
    spec: {
      target: { [target]: value },
      message: draft.message.slice(0, MAX_MESSAGE),
      created_by: "system",
    },
  };
}

const MAX_MESSAGE = 1024;

/** Readable, and of a length that fits a name, whatever the token is called. */
const shortOf = (token: string): string => `${token.slice(0, 64)}-${sha256Hex(token).slice(0, 16)}`;
