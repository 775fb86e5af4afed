import { randomUUID } from "node:crypto";
import type { Write } from "#base/storage";
import { lockTargetsOf } from "#domain/access";
import { botInstanceName, deleteOf, writeOf, type Bot, type BotInstance } from "#domain/resources";
import type { Attempt, BotCertificate } from "../../attempt.ts";
import type { JoinDependencies } from "../../dependencies.ts";
import { botJoinedWrite, type Trace } from "../../events.ts";
import {
  authenticationOf,
  botClaims,
  issueToBot,
  newInstance,
  refreshedInstance,
} from "../../issuing.ts";
import { checkLocks } from "../../locks.ts";
import { checkOf, copyLock } from "../../made-locks.ts";
import type { Step } from "../../protocol.ts";
import { commit, toMember, toStranger } from "../../refusal.ts";
import { entitlement, type Entitlement } from "./eligible.ts";
import {
  dropRecord,
  FIRST_JOIN_MEMORY_MS,
  firstJoin,
  identityOf,
  isRepeat,
  readRecord,
  recordWrite,
  refresh,
} from "./records.ts";

/** What is about to be recorded and then signed. */
interface Decided {
  readonly deps: JoinDependencies;
  readonly attempt: Attempt;
  readonly trace: Trace;
  readonly bot: Bot;
  readonly instanceId: string;
  readonly generation: number;
  /** Name of the attempt's record, dropped when the reply has arrived. */
  readonly record: string;
}

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
  const instanceId = entitled.kind === "repeat" ? entitled.record.record.instance_id : randomUUID();
  await checkLocks(deps, targets(bot, attempt, instanceId), { leaving: true }); // 2
  trace.instanceId = instanceId;
  const record = firstJoin(attempt.token);
  const decided = { deps, attempt, trace, bot, instanceId, generation: 1, record };
  await commit(deps.store, await firstWrites(decided, entitled)); // 4
  return await sign(decided); // 5
}

async function firstWrites(decided: Decided, entitled: Entitlement): Promise<Write[]> {
  const { deps, attempt, trace, bot, instanceId, record } = decided;
  const repeated = entitled.kind === "repeat";
  const event = botJoinedWrite(deps.audit, trace, { recovery: true, repeated, generation: 1 });
  if (entitled.kind === "repeat") {
    const instance = await deps.resources.get(
      "bot_instance",
      botInstanceName(bot.metadata.name, instanceId),
    );
    if (instance?.status?.generation !== 1)
      throw toStranger("the token was used, and its reply has arrived");
    return [entitled.record.check, checkOf(instance), event];
  }
  const now = deps.clock.now();
  const first = authenticationOf(attempt, {
    now,
    method: "token",
    generation: 1,
    recovery: true,
    attributes: {},
  });
  const instance = newInstance({ bot: bot.metadata.name, instanceId, previous: "", first });
  const value = {
    ...identityOf(attempt),
    bot: bot.metadata.name,
    instance_id: instanceId,
    from_generation: 0,
    to_generation: 1,
    host_id: "",
  };
  return [
    deleteOf(entitled.token),
    writeOf(instance, "create"),
    recordWrite(record, value, now + FIRST_JOIN_MEMORY_MS),
    event,
  ];
}

/** A renewal: the certificate is the proof, and its generation shows a copy. */
export async function refreshBot(
  known: { readonly deps: JoinDependencies; readonly attempt: Attempt; readonly trace: Trace },
  certificate: BotCertificate,
): Promise<Step> {
  const { deps, attempt, trace } = known;
  Object.assign(trace, {
    bot: certificate.botName,
    instanceId: certificate.botInstanceId,
    proven: true,
  });
  const { bot, instance } = await holder(deps, certificate); // 1
  await checkLocks(deps, targets(bot, attempt, certificate.botInstanceId), { leaving: false }); // 2
  const record = refresh(certificate.botInstanceId);
  const stored = await readRecord(deps, record);
  const current = instance.status?.generation ?? 0;
  const repeated =
    stored !== undefined &&
    isRepeat(stored.record, attempt) &&
    stored.record.from_generation === certificate.generation &&
    stored.record.to_generation === current;
  if (!repeated) checkGeneration({ attempt, certificate, instance, current }); // 3
  const generation = repeated ? current : current + 1;
  const decided = { ...known, bot, instanceId: certificate.botInstanceId, generation, record };
  const event = botJoinedWrite(deps.audit, trace, { recovery: false, repeated, generation });
  const writes = repeated
    ? [stored.check, checkOf(instance)]
    : refreshWrites(decided, instance, certificate);
  await commit(deps.store, [...writes, event]); // 4
  return await sign(decided); // 5
}

/** 1. The bot and the instance of the certificate exist, and this is how the instance joined. */
async function holder(
  { resources }: JoinDependencies,
  { botName, botInstanceId }: BotCertificate,
): Promise<{ bot: Bot; instance: BotInstance }> {
  const bot = await resources.get("bot", botName);
  const instance = await resources.get("bot_instance", botInstanceName(botName, botInstanceId));
  if (!bot) throw toMember(`bot "${botName}" was removed by an administrator`);
  if (!instance) throw toMember(`instance "${botInstanceId}" was removed by an administrator`);
  const method = instance.status?.initial_authentication?.join_method ?? "unknown";
  if (method !== "token")
    throw toMember(`instance "${botInstanceId}" joined by "${method}", and must refresh by it`);
  return { bot, instance };
}

/** 3. "Every refresh adds one to the instance's generation, and the certificate carries it." */
function checkGeneration(known: {
  readonly attempt: Attempt;
  readonly certificate: BotCertificate;
  readonly instance: BotInstance;
  readonly current: number;
}): void {
  const { attempt, certificate, instance, current } = known;
  const { botInstanceId, generation } = certificate;
  if (generation === current) return;
  const last = instance.status?.latest_authentications.at(-1);
  const since = last ? ` since ${last.time} from ${last.remote_addr}` : "";
  const what = `generation ${generation} was presented, but ${current} is current${since}`;
  throw toMember(`instance "${botInstanceId}" is locked, because it seems to be copied: ${what}`, {
    lock: copyLock(
      attempt.token,
      botInstanceId,
      `${what}; attempt ${attempt.id} from ${attempt.remoteAddr}`,
    ),
    seen: [checkOf(instance)],
  });
}

function refreshWrites(
  { deps, attempt, bot, instanceId, generation, record }: Decided,
  instance: BotInstance,
  certificate: BotCertificate,
): Write[] {
  const now = deps.clock.now();
  const latest = authenticationOf(attempt, {
    now,
    method: "token",
    generation,
    recovery: false,
    attributes: {},
  });
  const value = {
    ...identityOf(attempt),
    bot: bot.metadata.name,
    instance_id: instanceId,
    from_generation: certificate.generation,
    to_generation: generation,
    host_id: "",
  };
  // Without the old certificate, nobody can repeat the attempt.
  return [
    writeOf(refreshedInstance(instance, latest), "update"),
    recordWrite(record, value, certificate.expires),
  ];
}

const targets = (bot: Bot, attempt: Attempt, instanceId: string): readonly string[] =>
  lockTargetsOf({
    ...botClaims({ bot, instanceId, generation: 0, token: attempt.token }),
    expires: 0,
  });

/** 5. Nothing is signed before the commit. */
async function sign({
  deps,
  attempt,
  bot,
  instanceId,
  generation,
  record,
}: Decided): Promise<Step> {
  const { authorities } = deps;
  const claims = botClaims({ bot, instanceId, generation, token: attempt.token });
  const credentials = issueToBot({ authorities, config: await deps.config(), attempt, claims });
  return {
    step: "result",
    result: { credentials },
    acknowledge: () => dropRecord(deps, record, ({ attempt_id }) => attempt_id === attempt.id),
  };
}
