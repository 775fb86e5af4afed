import { lockTargetsOf } from "#domain/access";
import type { Bot } from "#domain/resources";
import type { Attempt } from "../../attempt.ts";
import type { JoinDependencies } from "../../dependencies.ts";
import type { Trace } from "../../events.ts";
import { botClaims, issueToBot } from "../../issuing.ts";
import type { Step } from "../../protocol.ts";
import { dropRecord, identityOf, type AttemptRecord } from "./records.ts";

/** A bot's join that was verified: what step 4 records and step 5 signs. */
export interface Decided {
  readonly deps: JoinDependencies;
  readonly attempt: Attempt;
  readonly trace: Trace;
  readonly bot: Bot;
  readonly instanceId: string;
  readonly generation: number;
  /** Name of the attempt's record, dropped when the reply has arrived. */
  readonly record: string;
}

/** Every lock that would stop what the client becomes. */
export const targetsOf = (bot: Bot, attempt: Attempt, instanceId: string): readonly string[] =>
  lockTargetsOf({
    ...botClaims({ bot, instanceId, generation: 0, token: attempt.token }),
    expires: 0,
  });

export const recordOf = ({ attempt, bot, instanceId, generation }: Decided): AttemptRecord => ({
  ...identityOf(attempt),
  bot: bot.metadata.name,
  instance_id: instanceId,
  from_generation: generation - 1,
  to_generation: generation,
  host_id: "",
});

/** 5. Nothing is signed before the commit. */
export async function sign(decided: Decided): Promise<Step> {
  const { deps, attempt, bot, instanceId, generation, record } = decided;
  const { authorities } = deps;
  const claims = botClaims({ bot, instanceId, generation, token: attempt.token });
  const credentials = issueToBot({ authorities, config: await deps.config(), attempt, claims });
  return {
    step: "result",
    result: { credentials },
    acknowledge: () => dropRecord(deps, record, ({ attempt_id }) => attempt_id === attempt.id),
  };
}
