import { randomUUID } from "node:crypto";
import { botInstanceName, type BotInstance, type JoinAttempt } from "#domain/resources";
import { ownIdentity, type BotCertificate } from "../../attempt.ts";
import type { SolvedChallenge } from "../../challenge.ts";
import type { JoinDependencies } from "../../dependencies.ts";
import { toMember } from "../../refusal.ts";
import { isKey } from "./eligible.ts";
import type { Presented } from "./join-state.ts";
import { checkOf, copyLock } from "../../made-locks.ts";
import { isUsed, type EligibleToken, type Request } from "./request.ts";

/** A point in the life of a token: what its join state and its certificate carry. */
export type Position = JoinAttempt["from"];

/** Where a join takes its token. */
export type Move =
  /** The same instance, one generation on. */
  | {
      readonly kind: "refresh";
      readonly from: Position;
      readonly to: Position;
      readonly instance: BotInstance;
    }
  /** A new instance; the one before, if any, ends. */
  | { readonly kind: "recovery"; readonly from: Position; readonly to: Position }
  /** Nowhere: the reply to an earlier attempt was lost, and is made again. */
  | { readonly kind: "repeat"; readonly to: Position };

/**
 * Section 3. "An attempt that repeats the same `attempt_id`, solves a fresh challenge with the same
 * key, asks for the same public keys, and presents exactly the state that the recorded attempt moved
 * from, is the same attempt".
 */
export function sameAttempt(
  eligible: EligibleToken,
  request: Request,
  proofs: { readonly solved: SolvedChallenge; readonly presented: Presented },
): JoinAttempt | undefined {
  const last = eligible.status.last_attempt;
  if (!last || last.attempt_id !== request.attempt.id) return undefined;
  const same =
    isKey(last.solved_key, proofs.solved.key) &&
    last.tls_public_key === request.attempt.tlsPublicKey.toString("base64") &&
    last.ssh_public_key === request.attempt.sshPublicKey &&
    presentsState(last, proofs.presented);
  return same ? last : undefined;
}

/**
 * "the server signs again for the same sequence, counts no recovery, makes no lock". A refresh is
 * repeated only with its certificate: when that has expired meanwhile, the same attempt goes on as a
 * recovery.
 */
export function repeatedMove(
  last: JoinAttempt | undefined,
  { attempt }: Request,
): Move | undefined {
  if (!last || !presentsCertificate(last, ownIdentity(attempt))) return undefined;
  return { kind: "repeat", to: last.to };
}

function presentsState({ from }: JoinAttempt, presented: Presented): boolean {
  if (presented.kind === "not_needed") return true;
  if (presented.kind === "missing") return from.instance_id === "";
  if (presented.kind !== "verified") return false;
  const { sequence, instanceId } = presented.state;
  return sequence === from.sequence && instanceId === from.instance_id;
}

/** A recovery may be repeated also by a machine that finds its old certificate valid again. */
function presentsCertificate(
  { from, to }: JoinAttempt,
  certificate: BotCertificate | undefined,
): boolean {
  if (!certificate) return from.instance_id !== to.instance_id;
  const { botInstanceId, generation } = certificate;
  return botInstanceId === from.instance_id && generation === from.generation;
}

/**
 * 6. "Refresh: the certificate's bot instance is the bound one, and its generation equals the stored
 * generation; otherwise a lock on the bot instance. Recovery: `recovery_count < limit` in mode
 * `standard`."
 *
 * A token that was deleted and made anew has no bound instance: its first join is a recovery, also
 * with a certificate from its former life.
 */
export async function nextMove(
  { resources }: Pick<JoinDependencies, "resources">,
  eligible: EligibleToken,
  request: Request,
): Promise<Move> {
  const { bot, status } = eligible;
  const name = botInstanceName(bot.metadata.name, status.bound_bot_instance_id);
  const instance = isUsed(eligible) ? await resources.get("bot_instance", name) : undefined;
  const from = {
    sequence: status.recovery_sequence,
    instance_id: status.bound_bot_instance_id,
    generation: instance?.status?.generation ?? 0,
  };
  const certificate = isUsed(eligible) ? ownIdentity(request.attempt) : undefined;
  if (!certificate) return recovery(eligible, from);
  const bound = checkInstance({ eligible, request, certificate, instance, from });
  return {
    kind: "refresh",
    from,
    to: { ...from, generation: from.generation + 1 },
    instance: bound,
  };
}

function recovery({ token, spec, status }: EligibleToken, from: Position): Move {
  const { limit, mode } = spec.recovery;
  if (mode === "standard" && status.recovery_count >= limit)
    throw toMember(
      `token "${token.metadata.name}" has used ${status.recovery_count} of ${limit} recoveries; raise spec.bound_keypair.recovery.limit to allow another`,
      { seen: [checkOf(token)] },
    );
  const to = { sequence: from.sequence + 1, instance_id: randomUUID(), generation: 1 };
  return { kind: "recovery", from, to };
}

function checkInstance(options: {
  readonly eligible: EligibleToken;
  readonly request: Request;
  readonly certificate: BotCertificate;
  readonly instance: BotInstance | undefined;
  readonly from: Position;
}): BotInstance {
  const { eligible, request, certificate, instance, from } = options;
  const { botInstanceId, generation } = certificate;
  const seen = [checkOf(eligible.token), ...(instance ? [checkOf(instance)] : [])];
  const refuseAndLock = (what: string): never => {
    const where = `${what}; attempt ${request.attempt.id} from ${request.attempt.remoteAddr}`;
    const lock = copyLock(eligible.token.metadata.name, botInstanceId, where);
    throw toMember(
      `instance "${botInstanceId}" is locked, because it seems to be copied: ${what}`,
      {
        lock,
        seen,
      },
    );
  };
  if (botInstanceId !== from.instance_id)
    return refuseAndLock(`its token is bound to instance "${from.instance_id}"`);
  if (!instance)
    throw toMember(`instance "${botInstanceId}" was removed by an administrator`, { seen });
  if (generation === from.generation) return instance;
  const last = instance.status?.latest_authentications.at(-1);
  const since = last ? ` since ${last.time} from ${last.remote_addr}` : "";
  return refuseAndLock(
    `generation ${generation} was presented, but ${from.generation} is current${since}`,
  );
}
