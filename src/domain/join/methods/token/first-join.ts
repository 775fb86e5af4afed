import { randomUUID } from "node:crypto";
import type { Write } from "#base/storage";
import { botInstanceName, deleteOf, writeOf, type Token } from "#domain/resources";
import type { Attempt } from "../../attempt.ts";
import type { JoinDependencies } from "../../dependencies.ts";
import { botJoinedWrite, type Trace } from "../../events.ts";
import { authenticationOf, newInstance } from "../../issuing.ts";
import { checkLocks } from "../../locks.ts";
import { checkOf } from "../../made-locks.ts";
import type { Step } from "../../protocol.ts";
import { commit, toStranger } from "../../refusal.ts";
import { recordOf, sign, targetsOf, type Decided } from "./certified.ts";
import { entitlement } from "./eligible.ts";
import { FIRST_JOIN_MEMORY_MS, firstJoin, recordWrite, type StoredRecord } from "./records.ts";

/** A bot's first join: the token becomes a bot instance. */
export async function firstBotJoin(
  deps: JoinDependencies,
  attempt: Attempt,
  trace: Trace,
): Promise<Step> {
  const entitled = await entitlement(deps, attempt); // 1
  const { bot } = entitled;
  if (!bot) throw toStranger("the token is not for a bot");
  Object.assign(trace, { bot: bot.metadata.name, proven: true });
  const repeated = entitled.kind === "repeat";
  const instanceId = repeated ? entitled.record.record.instance_id : randomUUID();
  await checkLocks(deps, targetsOf(bot, attempt, instanceId), { leaving: true }); // 2
  trace.instanceId = instanceId;
  const record = firstJoin(attempt.token);
  const decided = { deps, attempt, trace, bot, instanceId, generation: 1, record };
  const event = botJoinedWrite(deps.audit, trace, { recovery: true, repeated, generation: 1 });
  const writes = repeated
    ? await unchanged(decided, entitled.record) // 3
    : newWrites(decided, entitled.token);
  await commit(deps.store, [...writes, event]); // 4
  return await sign(decided); // 5
}

/** 3. Nobody has used the certificate whose reply was lost. */
async function unchanged(
  { deps, bot, instanceId }: Decided,
  { check }: StoredRecord,
): Promise<Write[]> {
  const name = botInstanceName(bot.metadata.name, instanceId);
  const instance = await deps.resources.get("bot_instance", name);
  if (instance?.status?.generation !== 1)
    throw toStranger("the token was used, and its certificate was renewed since");
  return [check, checkOf(instance)];
}

function newWrites(decided: Decided, token: Token): Write[] {
  const { deps, attempt, bot, instanceId, generation, record } = decided;
  const now = deps.clock.now();
  const about = { now, method: "token", generation, recovery: true, attributes: {} } as const;
  const first = authenticationOf(attempt, about);
  const instance = newInstance({ bot: bot.metadata.name, instanceId, previous: "", first });
  return [
    deleteOf(token),
    writeOf(instance, "create"),
    recordWrite(record, recordOf(decided), now + FIRST_JOIN_MEMORY_MS),
  ];
}
