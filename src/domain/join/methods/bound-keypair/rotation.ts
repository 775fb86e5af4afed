import type { OfferedKey, SolvedChallenge } from "../../challenge.ts";
import { toMember } from "../../refusal.ts";
import { checkOf } from "../../made-locks.ts";
import type { EligibleToken } from "./request.ts";

/** What a successor of the bound key is asked to be. */
export const ROTATION_SUITE = "ed25519";

/** 7. "Rotation if `rotate_after` has passed and is later than `last_rotated_at`". */
export function rotationDue({ spec, status }: EligibleToken, now: number): boolean {
  if (spec.rotate_after === undefined) return false;
  const after = Date.parse(spec.rotate_after);
  return now >= after && (!status.last_rotated_at || after > Date.parse(status.last_rotated_at));
}

/** "the same key again is refused" */
export function checkSuccessor(
  eligible: EligibleToken,
  old: SolvedChallenge,
  next: OfferedKey,
): void {
  if (next.fingerprint === old.key.fingerprint)
    throw toMember(
      `the bound key is due for rotation, and "${next.fingerprint}" is the same key again; make a new one`,
      { seen: [checkOf(eligible.token)] },
    );
}
