import { boundKeyFingerprint, type BoundKeySuite, type KeyStore } from "#base/crypto";
import { badParameter, type Logger } from "#base/kernel";
import type { JoinState } from "./client-state.ts";

/** As many as a cluster restored from an old backup may ask for (RFD 0205; join.md section 5). */
export const MAX_BOUND_KEYS = 10;

/**
 * The ids of the bound keys, the one to join with first: the last used, else the newest that the
 * store already has (made in advance, or a static key), else a new one.
 */
export async function boundKey(
  keys: KeyStore,
  stored: JoinState,
  suite: BoundKeySuite | undefined,
): Promise<string[]> {
  const present = await presentKeys(keys, stored);
  return present.length > 0 ? present : [(await keys.create(suite ?? preferred(keys))).keyId];
}

/** The same, without making one. */
export async function presentKeys(keys: KeyStore, stored: JoinState): Promise<string[]> {
  const present = (await keys.list()).map(({ keyId }) => keyId);
  const known = stored.bound_keys.filter((keyId) => present.includes(keyId));
  return known.length > 0 ? known : present.slice(-1);
}

/** The same keys, this one to join with. */
export const beginningWith = (first: string, keys: readonly string[]): string[] => [
  first,
  ...keys.filter((keyId) => keyId !== first),
];

/** A store that makes none says so itself, and what to do. */
const preferred = ({ suites }: KeyStore): BoundKeySuite => suites[0] ?? "ed25519";

/**
 * The successor of a bound key: the one that this attempt has made before, else a new one, of the suite
 * that the machine was configured for, else of the proposed one, else of one that the key store has.
 */
export async function successor(
  keys: KeyStore,
  about: {
    readonly made: string | undefined;
    readonly proposed: string;
    readonly configured: BoundKeySuite | undefined;
  },
): Promise<string> {
  const { made, proposed, configured } = about;
  const held = (await keys.list()).find(({ keyId }) => keyId === made);
  if (held) return held.keyId;
  const suite = configured ?? keys.suites.find((suite) => suite === proposed) ?? preferred(keys);
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
  const wanted = boundKeyFingerprint(boundPublicKey);
  const handles = await keys.list();
  const found = handles.find(({ publicKey }) => boundKeyFingerprint(publicKey) === wanted);
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
