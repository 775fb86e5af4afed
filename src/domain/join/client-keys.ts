import { keySuites, sshFingerprint, type KeyStore } from "#base/crypto";
import { badParameter, type Logger } from "#base/kernel";
import type { JoinState } from "./client-state.ts";

/** As many as a cluster restored from an old backup may ask for (RFD 0205; join.md section 5). */
export const MAX_BOUND_KEYS = 10;

/**
 * The ids of the bound keys, the one to join with first: the last used, else the newest that the
 * store already has (made in advance, or a static key), else a new one.
 */
export async function boundKey(keys: KeyStore, stored: JoinState): Promise<string[]> {
  const present = (await keys.list()).map(({ keyId }) => keyId);
  const known = stored.bound_keys.filter((keyId) => present.includes(keyId));
  if (known.length > 0) return known;
  return [present.at(-1) ?? (await keys.create("ed25519")).keyId];
}

/** The same keys, this one to join with. */
export const beginningWith = (first: string, keys: readonly string[]): string[] => [
  first,
  ...keys.filter((keyId) => keyId !== first),
];

/** Makes the successor that the server asks for. */
export async function createSuccessor(keys: KeyStore, algorithmSuite: string): Promise<string> {
  const suite = keySuites.find((suite) => suite === algorithmSuite);
  if (!suite)
    throw badParameter(
      `the server asks for a key of suite "${algorithmSuite}"; this version has ${keySuites.join(", ")}`,
    );
  return (await keys.create(suite)).keyId;
}

/** The ids after a join that left `boundKey` (a public key line) bound. */
export async function afterJoin(options: {
  readonly keys: KeyStore;
  readonly state: JoinState;
  readonly boundPublicKey: string;
}): Promise<string[]> {
  const { keys, state, boundPublicKey } = options;
  const bound = await held(keys, boundPublicKey);
  return beginningWith(bound, state.bound_keys).slice(0, MAX_BOUND_KEYS);
}

/** Also a key that this attempt made in an earlier turn, or in another process on this storage. */
async function held(keys: KeyStore, boundPublicKey: string): Promise<string> {
  const wanted = sshFingerprint(boundPublicKey);
  const handles = await keys.list();
  const found = handles.find(({ publicKey }) => sshFingerprint(publicKey) === wanted);
  if (found) return found.keyId;
  throw badParameter(`the server bound key ${wanted}, which this machine does not hold; not kept`);
}

/** Removes what no join can need any more; a failure costs only space. */
export async function forgetKeys(options: {
  readonly keys: KeyStore;
  readonly before: JoinState;
  readonly kept: readonly string[];
  readonly logger: Logger;
}): Promise<void> {
  const { keys, before, kept, logger } = options;
  for (const keyId of [before.pending?.next_key_id, ...before.bound_keys]) {
    if (keyId === undefined || kept.includes(keyId)) continue;
    await keys
      .remove(keyId)
      .catch((error: unknown) => logger.warn("an old bound key was not removed", { error }));
  }
}
