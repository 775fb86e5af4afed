/**
 * join.md section 5, "Coming back": two ways past steps 5 and 6, both opened by an administrator, both
 * good once for each token, both audited.
 */
import type { ResyncWindow } from "../../resync.ts";
import { Refusal } from "../../refusal.ts";
import type { Presented, VerifiedJoinState } from "./join-state.ts";
import { recoveryFrom, type Move, type Place } from "./move.ts";
import { isReset, type BoundStatus, type EligibleToken } from "./request.ts";

/**
 * "a join state signed by our join CA whose sequence is *ahead* of the stored one is accepted once
 * per token, and moves the stored sequence forward. One that is behind still locks."
 *
 * What follows is decided from where the machine proves to be, as if the store had never been behind.
 */
export async function moveForward(
  place: Place,
  presented: Presented,
  window: ResyncWindow,
): Promise<Place | undefined> {
  const { eligible, standing } = place;
  const { status, holder } = eligible;
  if (presented.kind !== "verified" || status.resynced_in === window.id) return undefined;
  const { state } = presented;
  const refreshed = isRefreshed(place, state);
  if (!refreshed && !(await isAhead(eligible, state))) return undefined;
  const { certificate } = holder;
  const own = certificate?.instanceId === state.instanceId ? certificate : undefined;
  return {
    eligible: { ...eligible, status: { ...statusOf(status, state), resynced_in: window.id } },
    standing: { since: "", ...(refreshed ? standing : {}), generation: own?.generation ?? 0 },
    resynced: { before: status.bound_bot_instance_id },
  };
}

/**
 * Of the life that the token is in, and later in it. Or of another life, of which the store knows
 * nothing: it forgot that, or what came before it. One that the store does know has ended: an
 * administrator deleted the token since, and what is told of that life counts no more.
 */
async function isAhead(
  { status, holder }: EligibleToken,
  { firstInstanceId, instanceId, sequence }: VerifiedJoinState,
): Promise<boolean> {
  if (firstInstanceId === status.first_instance_id) return sequence > status.recovery_sequence;
  return !(await holder.knows(firstInstanceId)) && !(await holder.knows(instanceId));
}

/**
 * Ahead by refreshes only is ahead too: then the state is the stored one, and the certificate, which
 * our user CA signed, carries the later generation.
 */
function isRefreshed({ eligible, standing }: Place, state: VerifiedJoinState): boolean {
  const { status, holder } = eligible;
  const { certificate } = holder;
  return (
    state.sequence === status.recovery_sequence &&
    state.instanceId === status.bound_bot_instance_id &&
    standing !== undefined &&
    certificate?.instanceId === state.instanceId &&
    certificate.generation > standing.generation
  );
}

/** The recoveries of another life are all that count in it. */
function statusOf(status: BoundStatus, state: VerifiedJoinState): BoundStatus {
  const { firstInstanceId, instanceId, sequence, recoveries } = state;
  const same = firstInstanceId === status.first_instance_id;
  return {
    ...status,
    first_instance_id: firstInstanceId,
    recovery_sequence: sequence,
    bound_bot_instance_id: instanceId,
    recovery_count: same ? Math.max(status.recovery_count, recoveries) : recoveries,
  };
}

/**
 * "accepts the bound key's next attempt whatever its join state, once": if it would be refused by
 * step 5 or 6, it is a recovery, which the limit does not stop.
 */
export function allowingReset(place: Place, now: number, usual: () => Move): Move {
  if (!isReset(place.eligible, now)) return usual();
  try {
    return usual();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { ...recoveryFrom(place), allowedBy: "reset" };
  }
}
