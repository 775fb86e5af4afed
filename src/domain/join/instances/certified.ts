import { lockTargetsOf } from "#domain/access";
import type { Write } from "#base/storage";
import type { Authentication, Bot, BotInstance } from "#domain/resources";
import type { Attempt } from "../attempt.ts";
import type { JoinDependencies } from "../dependencies.ts";
import type { Trace } from "../events.ts";
import { authenticationOf, botClaims, botTtlMs, issueToBot } from "../issuing.ts";
import type { Step } from "../protocol.ts";
import { dropRecord, identityOf, type AttemptRecord } from "./attempt-record.ts";

/**
 * A bot whose instance begins with a proof (a token, an ID token) and goes on by its certificate; its
 * method says what the proof is.
 */
export interface Entitled {
  readonly deps: JoinDependencies;
  readonly attempt: Attempt;
  readonly trace: Trace;
  readonly bot: Bot;
  /** What is remembered of the proof. */
  readonly attributes?: Authentication["attributes"];
  /** What the proof leaves, in the same commit. */
  readonly writes: readonly Write[];
  /** How long the instance is kept after its certificate; for ever, where it does not say. */
  readonly keptMs?: number;
}

/** A bot's join that was verified: what is recorded and then signed. */
export interface Decided extends Entitled {
  readonly instanceId: string;
  readonly generation: number;
  /** Name of the attempt's record, dropped when the reply has arrived. */
  readonly record: string;
}

/** Every lock that would stop what the client becomes. */
export const targetsOf = (
  { bot, attempt }: Pick<Entitled, "bot" | "attempt">,
  instanceId: string,
): readonly string[] =>
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

export const authenticationIn = async (
  { deps, attempt, trace, generation, attributes = {} }: Decided,
  recovery: boolean,
): Promise<Authentication> =>
  authenticationOf(attempt, {
    now: deps.clock.now(),
    config: await deps.config(),
    method: trace.method,
    generation,
    recovery,
    attributes,
  });

/** The instance with the time at which it goes, if it does. */
export async function passing(
  { deps, attempt, keptMs }: Entitled,
  instance: BotInstance,
): Promise<BotInstance> {
  if (keptMs === undefined) return instance;
  const ttlMs = botTtlMs(await deps.config(), attempt.ttlMs);
  const expires = new Date(deps.clock.now() + ttlMs + keptMs).toISOString();
  return { ...instance, metadata: { ...instance.metadata, expires } };
}

/** Nothing is signed before the commit. */
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
