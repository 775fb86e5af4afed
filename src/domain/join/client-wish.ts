import { boundSuiteOf, type KeyStore } from "#base/crypto";
import type { Logger } from "#base/kernel";
import { successor } from "./client-keys.ts";
import type { Prepared } from "./client-state.ts";
import type { JoinSettings } from "./client.ts";

/** What somebody wishes of a machine's bound key, from outside of the process that joins with it. */
export interface RotationWish {
  /** Whether this key (its id) is to be replaced. A wish about a key that was replaced is forgotten. */
  wanted(keyId: string): Promise<boolean>;
}

/**
 * The attempt, asking for a rotation if one is wished. Its new key is made before anything is sent, for
 * a wish that cannot be granted (a static key, a token without room) must not keep a machine from
 * joining.
 */
export async function asWished(
  state: Prepared,
  about: {
    readonly wish?: RotationWish;
    readonly settings: JoinSettings;
    readonly keys: KeyStore;
    readonly logger: Logger;
  },
): Promise<Prepared> {
  const { wish, settings, keys, logger } = about;
  const { rotate: _before, ...pending } = state.pending;
  const [current] = state.bound_keys;
  if (settings.method !== "bound_keypair" || current === undefined) return { ...state, pending };
  try {
    if (!(await wish?.wanted(current))) return { ...state, pending };
    const next_key_id = await successor(keys, {
      made: pending.next_key_id,
      proposed: boundSuiteOf(await keys.public(current)),
      configured: settings.keySuite,
    });
    return { ...state, pending: { ...pending, next_key_id, rotate: true } };
  } catch (error) {
    logger.warn("the bound key cannot be replaced, as was wished", { error });
    return { ...state, pending };
  }
}
