import type { Token } from "./token.ts";

/**
 * How often the machine of a `bound_keypair` token may still come back; `undefined` where nobody
 * counts: another method, another mode than `standard`.
 */
export function recoveriesLeft({ spec, status }: Token): number | undefined {
  const { bound_keypair: settings } = spec;
  if (!settings || settings.recovery.mode !== "standard") return undefined;
  const used = status?.bound_keypair?.recovery_count ?? 0;
  return Math.max(0, settings.recovery.limit - used);
}

/** Whether a machine has joined by it. */
const isBound = ({ status }: Token): boolean => !!status?.bound_keypair?.bound_bot_instance_id;

/** Sorts as the number does. */
export const recoveriesKey = (count: number): string => String(count).padStart(16, "0");

/** Keys of the index: only tokens that are in use are of interest. */
export function recoveriesKeys(token: Token): readonly string[] {
  const left = isBound(token) ? recoveriesLeft(token) : undefined;
  return left === undefined ? [] : [recoveriesKey(left)];
}

/** What is left, if this change of the token takes it below the threshold. */
export function fallsBelow(
  threshold: number,
  before: Token | undefined,
  after: Token,
): number | undefined {
  const left = isBound(after) ? recoveriesLeft(after) : undefined;
  if (left === undefined || left >= threshold) return undefined;
  const was = before && isBound(before) ? recoveriesLeft(before) : undefined;
  return was === undefined || was >= threshold ? left : undefined;
}
