/**
 * join.md section 5, "Coming back": two ways past steps 5 and 6, both opened by an administrator, both
 * good once for each token, both audited.
 */
import type { ResyncWindow } from "../../resync.ts";
import { Refusal } from "../../refusal.ts";
import type { Presented } from "./join-state.ts";
import { recoveryFrom, type Move, type Place } from "./move.ts";
import { isReset } from "./request.ts";

/**
 * "a join state signed by our join CA whose sequence is *ahead* of the stored one is accepted once
 * per token, and moves the stored sequence forward. One that is behind still locks."
 *
 * Ahead by refreshes only is ahead too: then the state is the stored one, and the certificate, which
 * our user CA signed, carries the later generation. What follows is decided from where the machine
 * proves to be, as if the store had never been behind.
 */
export function moveForward(
  place: Place,
  presented: Presented,
  window: ResyncWindow,
): Place | undefined {
  const { eligible, standing } = place;
  const { status, holder } = eligible;
  if (presented.kind !== "verified" || status.resynced_in === window.id) return undefined;
  const { sequence, instanceId, recoveries } = presented.state;
  const same = holder.certificate?.instanceId === instanceId ? holder.certificate : undefined;
  const stored = { sequence: status.recovery_sequence, instanceId: status.bound_bot_instance_id };
  const refreshed =
    sequence === stored.sequence &&
    instanceId === stored.instanceId &&
    standing !== undefined &&
    same !== undefined &&
    same.generation > standing.generation;
  if (sequence <= stored.sequence && !refreshed) return undefined;
  return {
    eligible: {
      ...eligible,
      status: {
        ...status,
        recovery_sequence: sequence,
        bound_bot_instance_id: instanceId,
        recovery_count: Math.max(status.recovery_count, recoveries),
        resynced_in: window.id,
      },
    },
    standing: {
      since: "",
      ...(refreshed ? standing : {}),
      generation: same?.generation ?? 0,
    },
    resynced: { before: stored.instanceId },
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
