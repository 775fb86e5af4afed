import { boundSuiteOf, type BoundKeySuite } from "#base/crypto";
import type { OfferedKey, SolvedChallenge } from "../../challenge.ts";
import { toMember } from "../../refusal.ts";
import { checkOf } from "../../made-locks.ts";
import type { EligibleToken, Request } from "./request.ts";

/** What a successor is asked to be; a machine whose key store is of another opinion may differ. */
export const suiteOfSuccessor = ({ key }: OfferedKey): BoundKeySuite => boundSuiteOf(key);

/**
 * 7. "Rotation if `rotate_after` has passed and is later than `last_rotated_at`"; also when the client
 * asks for it (RFD 0205, "Keypair Rotation": "either the server … or `tbot` client").
 */
export function rotationDue(
  { spec, status }: EligibleToken,
  { rotate }: Request,
  now: number,
): boolean {
  if (rotate) return true;
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
