import type { EventDraft } from "#domain/audit";
import { fallsBelow, type Token } from "#domain/resources";

type LowRecoveries = Omit<Extract<EventDraft, { type: "token.recoveries.low" }>, "actor">;

/** The audit event of a change that takes a token below the cluster's threshold; none otherwise. */
export function lowRecoveries(
  threshold: number,
  before: Token | undefined,
  after: Token,
): LowRecoveries | undefined {
  const left = fallsBelow(threshold, before, after);
  if (left === undefined) return undefined;
  const { bot_name: bot, bound_keypair } = after.spec;
  return {
    type: "token.recoveries.low",
    fields: {
      name: after.metadata.name,
      ...(bot ? { bot } : {}),
      left,
      limit: bound_keypair?.recovery.limit ?? 0,
      threshold,
    },
  };
}
