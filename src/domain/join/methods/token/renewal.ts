import type { Write } from "#base/storage";
import { botInstanceName, writeOf, type Bot, type BotInstance } from "#domain/resources";
import type { Attempt, BotCertificate } from "../../attempt.ts";
import type { JoinDependencies } from "../../dependencies.ts";
import { botJoinedWrite, type Trace } from "../../events.ts";
import { authenticationOf, refreshedInstance } from "../../issuing.ts";
import { checkLocks } from "../../locks.ts";
import { checkOf, copyLock } from "../../made-locks.ts";
import type { Step } from "../../protocol.ts";
import { commit, toMember } from "../../refusal.ts";
import { recordOf, sign, targetsOf, type Decided } from "./certified.ts";
import { isRepeat, readRecord, recordWrite, refresh } from "./records.ts";

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
  await checkLocks(deps, targetsOf(bot, attempt, certificate.botInstanceId), { leaving: false }); // 2
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
  decided: Decided,
  instance: BotInstance,
  certificate: BotCertificate,
): Write[] {
  const { deps, attempt, generation, record } = decided;
  const now = deps.clock.now();
  const about = { now, method: "token", generation, recovery: false, attributes: {} } as const;
  const latest = authenticationOf(attempt, about);
  // Without the old certificate, nobody can repeat the attempt.
  return [
    writeOf(refreshedInstance(instance, latest), "update"),
    recordWrite(record, recordOf(decided), certificate.expires),
  ];
}
