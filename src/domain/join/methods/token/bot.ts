import { botInstanceName, deleteOf, type Bot, type BotInstance } from "#domain/resources";
import type { Attempt, BotCertificate } from "../../attempt.ts";
import type { JoinDependencies } from "../../dependencies.ts";
import type { Trace } from "../../events.ts";
import { firstJoin } from "../../instances/attempt-record.ts";
import { instanceIdFor, joinAsNew, unrenewed, type Repeated } from "../../instances/first-join.ts";
import { renew } from "../../instances/renewal.ts";
import type { Step } from "../../protocol.ts";
import { toMember, toStranger } from "../../refusal.ts";
import { entitlement, type Entitlement } from "./eligible.ts";

/** A bot's first join: the token becomes a bot instance. */
export async function firstBotJoin(
  deps: JoinDependencies,
  attempt: Attempt,
  trace: Trace,
): Promise<Step> {
  const entitled = await entitlement(deps, attempt); // 1
  const { bot } = entitled;
  if (!bot) throw toStranger("the token is not for a bot");
  const repeated = await repeatedJoin(deps, bot, entitled); // 3
  Object.assign(trace, { bot: bot.metadata.name, proven: true });
  const writes = entitled.kind === "repeat" ? [] : [deleteOf(entitled.token)];
  return await joinAsNew(
    { deps, attempt, trace, bot, writes },
    { instanceId: instanceIdFor(repeated), record: firstJoin(attempt.token), repeated },
  ); // 2, 4, 5
}

/** 3. Nobody has used the certificate whose reply was lost. */
async function repeatedJoin(
  deps: JoinDependencies,
  bot: Bot,
  entitled: Entitlement,
): Promise<Repeated | undefined> {
  if (entitled.kind !== "repeat") return undefined;
  const { record } = entitled;
  const instance = await unrenewed(deps, bot, record);
  if (!instance) throw toStranger("the token was used, and its certificate was renewed since");
  return { record, instance };
}

/** A renewal: the certificate is the proof, and its generation shows a copy. */
export async function refreshBot(
  known: { readonly deps: JoinDependencies; readonly attempt: Attempt; readonly trace: Trace },
  certificate: BotCertificate,
): Promise<Step> {
  Object.assign(known.trace, {
    bot: certificate.botName,
    instanceId: certificate.botInstanceId,
    proven: true,
  });
  const { bot, instance } = await holder(known.deps, certificate); // 1
  return await renew({ ...known, bot, writes: [] }, certificate, instance); // 2 to 5
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
