import type { Token } from "#domain/resources";
import { fingerprintOf } from "../../challenge.ts";
import type { JoinDependencies } from "../../dependencies.ts";
import type { Step } from "../../protocol.ts";
import { isRecovery, keyOf, type Decision } from "./record.ts";
import { dropAttempt } from "./reply-arrived.ts";

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
      notices: noticesOf(decision),
    },
    acknowledge: () =>
      dropAttempt(deps, token.metadata.name, {
        arrived: ({ attempt_id }) => attempt_id === request.attempt.id,
        known: recorded,
      }),
  };
}

/** Where a recovery was the last. That the first join is the only one is how most tokens are made. */
function noticesOf(decision: Decision): string[] {
  const { eligible, move, status } = decision;
  const { mode, limit } = eligible.spec.recovery;
  const isFirst = status.first_instance_id === move.to.instance_id;
  if (mode !== "standard" || isFirst || !isRecovery(decision)) return [];
  if (status.recovery_count < limit) return [];
  return [
    `token "${eligible.token.metadata.name}" has no recovery left (${status.recovery_count} of ${limit} used): if this identity expires, an administrator must raise the limit`,
  ];
}
