import { CodedError } from "#base/kernel";
import type { JoinStateClaims } from "#domain/authority";
import type { JoinDependencies } from "../../dependencies.ts";
import { toMember, toStranger, type Refusal } from "../../refusal.ts";
import { checkOf, mismatchLock } from "../../made-locks.ts";
import type { ResyncWindow } from "../../resync.ts";
import { isUsed, type EligibleToken, type Request } from "./request.ts";

/** What the client presented as its join state, before it is compared with ours. */
export type Presented =
  /** Mode `insecure`, or the token has never been used. */
  | { readonly kind: "not_needed" }
  | { readonly kind: "missing" }
  | { readonly kind: "early"; readonly from: string }
  | { readonly kind: "invalid"; readonly reason: string }
  /** Ours, but signed by a key that left with a rotation, longer ago than its grace period. */
  | { readonly kind: "outdated"; readonly state: VerifiedJoinState; readonly since: string }
  | { readonly kind: "verified"; readonly state: VerifiedJoinState };

/** Proof that our join authority once said this about this token. Only `present` makes one. */
export class VerifiedJoinState {
  /** Names the life of the token in which we said it. */
  readonly firstInstanceId: string;
  readonly sequence: number;
  readonly instanceId: string;
  /** Recoveries up to then. */
  readonly recoveries: number;

  private constructor(claims: JoinStateClaims) {
    this.firstInstanceId = claims.first_instance_id;
    this.sequence = claims.recovery_sequence;
    this.instanceId = claims.bot_instance_id;
    this.recoveries = claims.recovery_count;
  }

  /**
   * 5, first half. "Join state (mode not `insecure`, and the token has been used): signature by the
   * join CA (any of its trusted keys during rotation), `iss`, `aud`, `sub`, `nbf`, `iat`".
   */
  static present(
    { authorities, clock }: Pick<JoinDependencies, "authorities" | "clock">,
    eligible: EligibleToken,
    request: Request,
  ): Presented {
    if (!isNeeded(eligible)) return { kind: "not_needed" };
    if (request.joinState === "") return { kind: "missing" };
    return VerifiedJoinState.read({ authorities, clock }, eligible, request);
  }

  /** What the client presented, whether or not it was needed. */
  static read(
    { authorities, clock }: Pick<JoinDependencies, "authorities" | "clock">,
    eligible: EligibleToken,
    request: Request,
  ): Presented {
    try {
      const claims = authorities.verifyJoinState(request.joinState);
      const reason = strangeness(claims, eligible);
      if (reason) return { kind: "invalid", reason };
      const from = Math.max(claims.nbf, claims.iat) * 1000;
      if (from > clock.now() + LEEWAY_MS)
        return { kind: "early", from: new Date(from).toISOString() };
      return { kind: "verified", state: new VerifiedJoinState(claims) };
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      const outdated = authorities.outdatedJoinState(request.joinState);
      if (outdated && !strangeness(outdated.claims, eligible))
        return {
          kind: "outdated",
          state: new VerifiedJoinState(outdated.claims),
          since: new Date(outdated.since).toISOString(),
        };
      return { kind: "invalid", reason: error.detail ?? error.message };
    }
  }
}

/** Which key a join state that we signed for this token calls bound, and in which of its lives. */
export interface KeyOfState {
  /** Fingerprint. */
  readonly key: string;
  readonly life: string;
  /** When we signed it, milliseconds since the epoch. */
  readonly at: number;
}

/** `undefined` for what is no such state; whether it is current is not asked here. */
export function keyOfState(
  { authorities }: Pick<JoinDependencies, "authorities">,
  { attempt, joinState }: Request,
): KeyOfState | undefined {
  if (joinState === "") return undefined;
  try {
    const claims = authorities.verifyJoinState(joinState);
    const { sub, iat, bound_key: key, first_instance_id: life } = claims;
    if (sub !== attempt.token || key === undefined) return undefined;
    return { key, life, at: iat * 1000 };
  } catch (error) {
    if (error instanceof CodedError) return undefined;
    throw error;
  }
}

const isNeeded = (eligible: EligibleToken): boolean =>
  eligible.spec.recovery.mode !== "insecure" && isUsed(eligible);

/** Two auth servers may differ by this much. */
const LEEWAY_MS = 60_000;

function strangeness(
  claims: JoinStateClaims,
  { token, holder }: EligibleToken,
): string | undefined {
  if (claims.sub !== token.metadata.name) return "it is of another token";
  if (claims.aud !== holder.audience)
    return holder.bot === undefined ? "it is not of an agent" : "it is of another bot";
  return undefined;
}

/**
 * 5, second half. "sequence **and** bot instance equal to the stored ones. Missing: refused, no
 * lock. Invalid or stale: refused, a lock on the join token, an audit event".
 *
 * One that is current, but whose key left with a rotation, is neither: it is the honest machine's,
 * which was away for long (docs/protocols/rotation.md). Refused, no lock.
 *
 * A state from the future is neither: our signature is on it, so it was our clock that was wrong,
 * then or now, and an honest machine must not be locked for that.
 */
export function checkCurrent(
  presented: Presented,
  eligible: EligibleToken,
  request: Request,
): void {
  const { token } = eligible;
  const seen = [checkOf(token)];
  switch (presented.kind) {
    case "not_needed":
      return;
    case "missing":
      throw toMember(
        `token "${token.metadata.name}" has been used, and this machine presents no join state; an administrator can reset the token`,
        { seen },
      );
    case "early":
      throw toMember(
        `the join state is dated ${presented.from}, after the cluster's clock; correct the clock, or wait`,
        { seen },
      );
    case "outdated":
      if (!isCurrent(presented.state, eligible)) throw stale(presented.state, eligible, request);
      throw toMember(
        `the join state is signed by keys of the cluster that count no more since ${presented.since}: they were rotated while this machine was away; have an administrator check that no copy of it runs, and reset the token`,
        { seen },
      );
    case "invalid":
      throw mismatch(eligible, request, `it is not valid: ${presented.reason}`);
    case "verified":
      if (!isCurrent(presented.state, eligible)) throw stale(presented.state, eligible, request);
  }
}

const isCurrent = ({ sequence, instanceId }: VerifiedJoinState, { status }: EligibleToken) =>
  sequence === status.recovery_sequence && instanceId === status.bound_bot_instance_id;

const isBehind = (
  { firstInstanceId, sequence }: VerifiedJoinState,
  { status }: EligibleToken,
): boolean => firstInstanceId === status.first_instance_id && sequence < status.recovery_sequence;

function stale(
  { sequence, instanceId }: VerifiedJoinState,
  eligible: EligibleToken,
  request: Request,
): Refusal {
  const { recovery_sequence, bound_bot_instance_id } = eligible.status;
  return mismatch(
    eligible,
    request,
    `sequence ${sequence} of instance "${instanceId}" was presented, but ${recovery_sequence} of instance "${bound_bot_instance_id}" is current`,
  );
}

/**
 * A key that a rotation replaced. With a join state of this token, it is a copy from before the
 * rotation (or a copy made the rotation): both stop. Without one, it is just a key that leaked. After
 * a restore an honest machine goes through the keys that it had: then only a state that is behind
 * shows a copy.
 */
export function refuseFormerKey(about: {
  readonly presented: Presented;
  readonly eligible: EligibleToken;
  readonly request: Request;
  readonly window: ResyncWindow | undefined;
}): Refusal {
  const { presented, eligible, request, window } = about;
  const { fingerprint } = request.key;
  const { last_rotated_at: since = "its rotation" } = eligible.status;
  if (presented.kind !== "verified" || (window && !isBehind(presented.state, eligible)))
    return toStranger(`key "${fingerprint}" is no longer bound`);
  return mismatch(eligible, request, `key "${fingerprint}" is no longer bound since ${since}`);
}

function mismatch(eligible: EligibleToken, { attempt }: Request, what: string): Refusal {
  const { token } = eligible;
  const { name } = token.metadata;
  const lock = mismatchLock(name, `${what}; attempt ${attempt.id} from ${attempt.remoteAddr}`);
  return toMember(
    `the join state is not the current one of token "${name}": ${what}; if this machine was restored from a backup, have an administrator check that no copy of it runs, and reset the token`,
    { lock, seen: [checkOf(token)] },
  );
}
