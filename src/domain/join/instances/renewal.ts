import type { Write } from "#base/storage";
import { writeOf, type BotInstance } from "#domain/resources";
import type { Attempt, BotCertificate } from "../attempt.ts";
import { botJoinedWrite } from "../events.ts";
import { refreshedInstance } from "../issuing.ts";
import { checkLocks } from "../locks.ts";
import { checkOf, copyLock } from "../made-locks.ts";
import type { Step } from "../protocol.ts";
import { commit, toMember } from "../refusal.ts";
import { isRepeat, readRecord, recordWrite, refresh } from "./attempt-record.ts";
import {
  authenticationIn,
  passing,
  recordOf,
  sign,
  targetsOf,
  type Decided,
  type Entitled,
} from "./certified.ts";

/** Checks locks and the generation of the certificate, commits the next generation, and signs. */
export async function renew(
  entitled: Entitled,
  certificate: BotCertificate,
  instance: BotInstance,
): Promise<Step> {
  const { deps, attempt, trace } = entitled;
  const instanceId = certificate.botInstanceId;
  await checkLocks(deps, targetsOf(entitled, instanceId), { leaving: false });
  const record = refresh(instanceId);
  const stored = await readRecord(deps, record);
  const current = instance.status?.generation ?? 0;
  const repeated =
    stored !== undefined &&
    isRepeat(stored.record, attempt) &&
    stored.record.from_generation === certificate.generation &&
    stored.record.to_generation === current;
  if (!repeated) checkGeneration({ attempt, certificate, instance, current });
  const generation = repeated ? current : current + 1;
  const decided = { ...entitled, instanceId, generation, record };
  const event = botJoinedWrite(deps.audit, trace, { recovery: false, repeated, generation });
  const writes = repeated
    ? [stored.check, checkOf(instance)]
    : await refreshWrites(decided, instance, certificate);
  await commit(deps.store, [...writes, ...entitled.writes, event]);
  return await sign(decided);
}

/** "Every refresh adds one to the instance's generation, and the certificate carries it." */
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

async function refreshWrites(
  decided: Decided,
  instance: BotInstance,
  certificate: BotCertificate,
): Promise<Write[]> {
  const refreshed = refreshedInstance(instance, await authenticationIn(decided, false));
  // Without the old certificate, nobody can repeat the attempt.
  return [
    writeOf(await passing(decided, refreshed), "update"),
    recordWrite(decided.record, recordOf(decided), certificate.expires),
  ];
}
