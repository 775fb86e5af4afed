import { parseX509 } from "#base/crypto";
import { CodedError } from "#base/kernel";
import { verifyClientCertificate } from "#domain/authority";
import { sha256Hex } from "#base/crypto";
import { botInstanceName, type Bot, type BotInstance } from "#domain/resources";
import { ownIdentity, type Attempt, type BotCertificate } from "../../attempt.ts";
import type { JoinDependencies } from "../../dependencies.ts";
import type { Trace } from "../../events.ts";
import { firstJoinOf, isRepeat, readRecord } from "../../instances/attempt-record.ts";
import { instanceIdFor, joinAsNew, unrenewed, type Repeated } from "../../instances/first-join.ts";
import { renew } from "../../instances/renewal.ts";
import type { Step } from "../../protocol.ts";
import { attributesOf, type Trusted } from "./trust.ts";
import type { Eligible } from "./eligible.ts";
import { useOnce } from "./used.ts";

/** Nobody can refresh an instance whose certificate has expired; a day is for those who look. */
const KEPT_MS = 24 * 60 * 60 * 1000;

export interface TrustedBot {
  readonly deps: JoinDependencies;
  readonly attempt: Attempt;
  readonly trace: Trace;
  readonly eligible: Eligible;
  readonly bot: Bot;
  readonly trusted: Trusted;
  /** The certificate of the join before, unverified; empty for none. */
  readonly previousCertificate: Uint8Array;
}

/** 6 to 9. The certificate of an instance of this token keeps that instance; otherwise a new one. */
export async function joinBot(known: TrustedBot): Promise<Step> {
  const { deps, attempt, trace, bot, eligible, trusted } = known;
  const attributes = attributesOf(eligible, trusted);
  const entitled = { deps, attempt, trace, bot, attributes, keptMs: KEPT_MS };
  const own = await ownInstance(known);
  if (own) {
    trace.instanceId = own.certificate.botInstanceId;
    const holder = { id: own.certificate.botInstanceId, known: true };
    const writes = await useOnce(deps, trusted.verified, holder);
    return await renew({ ...entitled, writes }, own.certificate, own.instance);
  }
  const record = recordName(attempt.token, sha256Hex(attempt.tlsPublicKey));
  const repeated = await repeatedJoin(known, record);
  const instanceId = instanceIdFor(repeated);
  const holder = { id: instanceId, known: repeated !== undefined };
  const writes = await useOnce(deps, trusted.verified, holder);
  const previous = previousInstance(known);
  return await joinAsNew({ ...entitled, writes }, { instanceId, record, repeated, previous });
}

export const recordName = firstJoinOf;

/** The instance of the client's certificate, if it began by this token and its method. */
async function ownInstance({
  deps,
  attempt,
  trace,
  bot,
}: TrustedBot): Promise<{ certificate: BotCertificate; instance: BotInstance } | undefined> {
  const certificate = ownIdentity(attempt);
  if (certificate?.botName !== bot.metadata.name) return undefined;
  const name = botInstanceName(bot.metadata.name, certificate.botInstanceId);
  const instance = await deps.resources.get("bot_instance", name);
  const method = instance?.status?.initial_authentication?.join_method;
  return instance && method === trace.method ? { certificate, instance } : undefined;
}

/** Section 3: the same attempt, whose reply was lost, and whose certificate nobody has used. */
async function repeatedJoin(
  { deps, attempt, bot }: TrustedBot,
  name: string,
): Promise<Repeated | undefined> {
  const record = await readRecord(deps, name);
  if (!record || !isRepeat(record.record, attempt)) return undefined;
  if (record.record.bot !== bot.metadata.name) return undefined;
  const instance = await unrenewed(deps, bot, record);
  return instance && { record, instance };
}

/**
 * What an honest machine was before: a lock on that instance must not be left behind by joining anew.
 * The certificate may have expired; it only has to be ours, of this token and its bot.
 */
function previousInstance(known: TrustedBot): string | undefined {
  const { deps, attempt, bot, previousCertificate: der } = known;
  if (der.length === 0) return undefined;
  try {
    const lastMoment = parseX509(der).notAfter - 1;
    const verified = verifyClientCertificate(der, deps.authorities.trust(), lastMoment);
    const identity = ownIdentity({ ...attempt, certificate: verified });
    return identity?.botName === bot.metadata.name ? identity.botInstanceId : undefined;
  } catch (error) {
    if (error instanceof CodedError) return undefined;
    throw error;
  }
}
