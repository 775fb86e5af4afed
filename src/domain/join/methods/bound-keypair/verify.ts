import type { SolvedChallenge } from "../../challenge.ts";
import type { JoinDependencies } from "../../dependencies.ts";
import { checkLocks } from "../../locks.ts";
import type { ResyncWindow } from "../../resync.ts";
import type { KeyRight } from "./eligible.ts";
import { allowingReset, moveForward } from "./exceptions.ts";
import { checkCurrent, refuseFormerKey, VerifiedJoinState } from "./join-state.ts";
import { nextMove, repeatedMove, sameAttempt, type Move, type Place } from "./move.ts";
import { isUsed, type EligibleToken, type Request } from "./request.ts";

/** A client's request, and what was so when it came. */
export interface Asked {
  readonly deps: JoinDependencies;
  readonly request: Request;
  /** As it was when the client asked: it decides by what it is told of it. */
  readonly window: ResyncWindow | undefined;
}

/** Who has passed steps 1 to 3. */
export interface Identified {
  readonly eligible: EligibleToken;
  readonly right: KeyRight;
  readonly solved: SolvedChallenge;
}

/** Steps 5 and 6, unless this is an attempt that has already passed them (section 3). */
export async function verify(
  { deps, request, window }: Asked,
  { eligible, right, solved }: Identified,
  now: number,
): Promise<{ eligible: EligibleToken; move: Move }> {
  const presented = VerifiedJoinState.present(deps, eligible, request); // 5
  const last = sameAttempt(eligible, request, { solved, presented });
  const repeated = repeatedMove(last, eligible.holder);
  if (repeated) return { eligible, move: repeated };
  if (right === "former" && !last) throw refuseFormerKey({ presented, eligible, request, window });
  const stored = await placeOf(eligible);
  const forward = await resynced(deps, { request, window, right, stored });
  const place = forward ?? stored;
  const usual = (): Move => {
    if (!forward) checkCurrent(presented, eligible, request); // 5
    return nextMove(place, request); // 6
  };
  const move = right === "bound" ? allowingReset(place, now, usual) : usual();
  return { eligible: place.eligible, move };
}

async function placeOf(eligible: EligibleToken): Promise<Place> {
  const { holder, status } = eligible;
  const standing = isUsed(eligible)
    ? await holder.standing(status.bound_bot_instance_id)
    : undefined;
  return { eligible, standing };
}

/** While the window is open: where the machine proves to be, if that is ahead of what is stored. */
async function resynced(
  deps: JoinDependencies,
  about: {
    readonly request: Request;
    readonly window: ResyncWindow | undefined;
    readonly right: KeyRight;
    readonly stored: Place;
  },
): Promise<Place | undefined> {
  const { request, window, right, stored } = about;
  if (!window || right === "former") return undefined;
  const presented = VerifiedJoinState.read(deps, stored.eligible, request);
  const place = await moveForward(stored, presented, window);
  if (!place) return undefined;
  const { status } = place.eligible;
  await checkLocks(deps, [`bot_instance_id:${status.bound_bot_instance_id}`], { leaving: true }); // 4
  return place;
}
