import { sha256Hex } from "#base/crypto";
import type { Item, Write } from "#base/storage";
import * as z from "zod";
import type { Attempt } from "../attempt.ts";
import type { JoinDependencies } from "../dependencies.ts";
import { commit, Conflict } from "../refusal.ts";

/**
 * What stays of a join by `token` or by an ID token until its reply has arrived (join.md section 3).
 * Not a resource: no one but joining reads it.
 */
const attemptRecord = z.strictObject({
  attempt_id: z.string(),
  tls_public_key: z.string(),
  ssh_public_key: z.string(),
  role: z.string(),
  /** Of a bot. */
  bot: z.string().default(""),
  instance_id: z.string().default(""),
  from_generation: z.int().default(0),
  to_generation: z.int().default(0),
  /** Of an agent. */
  host_id: z.string().default(""),
});

export type AttemptRecord = z.infer<typeof attemptRecord>;
export interface StoredRecord {
  readonly record: AttemptRecord;
  /** Holds while the record is as it was read. */
  readonly check: Write;
}

const KIND = "join_attempt";

/** A machine that was switched off for longer between its Init and the reply needs a new token. */
export const FIRST_JOIN_MEMORY_MS = 60 * 60 * 1000;

/** The name of a single-use token is a secret, so it does not outlive the token. */
export const firstJoin = (token: string): string => `first:${sha256Hex(token)}`;
/** A token that many use has a first join for each of the keys that were certified. */
export const firstJoinOf = (token: string, keyFingerprint: string): string =>
  `first:${sha256Hex(`${token}/${keyFingerprint}`)}`;
export const refresh = (instanceId: string): string => `refresh:${instanceId}`;

export async function readRecord(
  { store }: Pick<JoinDependencies, "store">,
  name: string,
): Promise<StoredRecord | undefined> {
  const item = await store.get(KIND, name);
  return item && { record: attemptRecord.parse(item.value), check: checkOf(item) };
}

const checkOf = ({ kind, name, revision }: Item): Write => ({ op: "check", kind, name, revision });

export const recordWrite = (name: string, value: AttemptRecord, expires: number): Write => ({
  op: "put",
  kind: KIND,
  name,
  value,
  expires,
});

/** What makes two attempts the same one. */
export const identityOf = (attempt: Attempt) => ({
  attempt_id: attempt.id,
  tls_public_key: attempt.tlsPublicKey.toString("base64"),
  ssh_public_key: attempt.sshPublicKey,
  role: attempt.role,
});

export function isRepeat(record: AttemptRecord, attempt: Attempt): boolean {
  const same = identityOf(attempt);
  return (
    record.attempt_id === same.attempt_id &&
    record.tls_public_key === same.tls_public_key &&
    record.ssh_public_key === same.ssh_public_key &&
    record.role === same.role
  );
}

/** The reply has arrived. Someone who was quicker has dropped or replaced the record already. */
export async function dropRecord(
  deps: Pick<JoinDependencies, "store">,
  name: string,
  arrived: (record: AttemptRecord) => boolean,
): Promise<void> {
  const stored = await readRecord(deps, name);
  if (!stored || !arrived(stored.record)) return;
  try {
    await commit(deps.store, [stored.check, { op: "delete", kind: KIND, name }]);
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
  }
}
