import type { Token } from "#domain/resources";
import { fingerprintOf } from "../../challenge.ts";
import type { JoinDependencies } from "../../dependencies.ts";
import type { Step } from "../../protocol.ts";
import { keyOf, type Decision } from "./record.ts";
import { dropAttempt } from "./reply-arrived.ts";
import type { EligibleToken } from "./request.ts";

/** 9. "Sign and return. Nothing is signed before the commit." `recorded` is the token that it left. */
export function sign(deps: JoinDependencies, decision: Decision, recorded: Token): Step {
  const { authorities } = deps;
  const { eligible, request, move, token, status } = decision;
  const { holder, spec } = eligible;
  const boundKey = fingerprintOf(status.bound_public_key, keyOf(decision));
  const joinState = authorities.signJoinState({
    aud: holder.audience,
    sub: token.metadata.name,
    bot_instance_id: move.to.instance_id,
    bound_key: boundKey,
    first_instance_id: status.first_instance_id,
    recovery_sequence: move.to.sequence,
    recovery_count: status.recovery_count,
    recovery_limit: spec.recovery.limit,
    recovery_mode: spec.recovery.mode,
  });
  return {
    step: "result",
    result: {
      credentials: holder.credentials(decision, boundKey),
      joinState,
      boundPublicKey: status.bound_public_key,
      notices: noticesOf(eligible, status.recovery_count),
    },
    acknowledge: () =>
      dropAttempt(deps, token.metadata.name, {
        arrived: ({ attempt_id }) => attempt_id === request.attempt.id,
        known: recorded,
      }),
  };
}

function noticesOf({ spec, token }: EligibleToken, recoveries: number): string[] {
  const { mode, limit } = spec.recovery;
  if (mode !== "standard" || recoveries < limit) return [];
  return [
    `token "${token.metadata.name}" has no recovery left (${recoveries} of ${limit} used): if this identity expires, an administrator must raise the limit`,
  ];
}
