import { randomUUID } from "node:crypto";
import { sha256Hex } from "#base/crypto";
import type { JoinAttempt } from "#domain/resources";
import type { SolvedChallenge } from "../../challenge.ts";
import { toMember } from "../../refusal.ts";
import { isKey } from "./eligible.ts";
import type { Holder, OwnCertificate, Standing } from "./holder.ts";
import type { Presented } from "./join-state.ts";
import { checkOf, copyLock } from "../../made-locks.ts";
import { isUsed, type EligibleToken, type Request } from "./request.ts";

/** A point in the life of a token: what its join state and its certificate carry. */
export type Position = JoinAttempt["from"];

/** Where a join takes its token. */
export type Move =
  /** The same instance, one generation on. */
  | (Step & { readonly kind: "refresh"; readonly standing: Standing })
  /** A new instance; the one before, if any, ends. */
  | (Step & { readonly kind: "recovery" })
  /** Nowhere: the reply to an earlier attempt was lost, and is made again. */
  | { readonly kind: "repeat"; readonly to: Position };

interface Step {
  readonly from: Position;
  readonly to: Position;
  /** What a new instance comes after; empty for none. */
  readonly previous: string;
  /** Instances whose certificates must not be used any more. */
  readonly ended: readonly string[];
  /** What let it pass although its state was not the current one. */
  readonly allowedBy?: "reset" | "resync";
}

/** Where the token stands: as it is stored, or as a resync has moved it forward. */
export interface Place {
  readonly eligible: EligibleToken;
  /** `undefined` when the bound instance was removed, or the token was never used. */
  readonly standing: Standing | undefined;
  /** Of a resync: the instance that was bound before. */
  readonly resynced?: { readonly before: string };
}

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
  const { last_attempt: last, bound_host_id: hostId } = eligible.status;
  const { attempt } = request;
  if (!last || last.attempt_id !== attempt.id) return undefined;
  const same =
    isKey(last.solved_key, proofs.solved.key) &&
    last.tls_public_key === attempt.tlsPublicKey.toString("base64") &&
    last.ssh_public_key === attempt.sshPublicKey &&
    (hostId === undefined || hostId === attempt.host.hostId) &&
    presentsState(last, proofs.presented, request);
  return same ? last : undefined;
}

/**
 * "the server signs again for the same sequence, counts no recovery, makes no lock". A refresh is
 * repeated only with its certificate: when that has expired meanwhile, the same attempt goes on as a
 * recovery.
 */
export function repeatedMove(
  last: JoinAttempt | undefined,
  { certificate }: Holder,
): Move | undefined {
  if (!last || !presentsCertificate(last, certificate)) return undefined;
  return { kind: "repeat", to: last.to };
}

function presentsState(
  { from, presented_state: hash }: JoinAttempt,
  presented: Presented,
  { joinState }: Request,
): boolean {
  if (hash !== undefined) return sha256Hex(joinState) === hash;
  if (presented.kind === "not_needed" || isFirst(from)) return true;
  if (presented.kind !== "verified") return false;
  const { sequence, instanceId } = presented.state;
  return sequence === from.sequence && instanceId === from.instance_id;
}

/** It moved from nothing: what the machine holds is of a former life of the token, and did not count. */
const isFirst = (from: Position): boolean => from.instance_id === "";

/**
 * A recovery may be repeated also by a machine that finds its old certificate valid again, be it one
 * generation behind: the same attempt may have begun as a refresh whose reply was lost. One that a
 * reset let through is repeated with whatever certificate the machine still has.
 */
function presentsCertificate(
  { from, to, presented_state: hash }: JoinAttempt,
  certificate: OwnCertificate | undefined,
): boolean {
  const recovered = from.instance_id !== to.instance_id;
  if (!certificate) return recovered;
  const { instanceId, generation } = certificate;
  if (hash !== undefined || isFirst(from)) return true;
  return instanceId === from.instance_id && (recovered || generation === from.generation);
}

/**
 * 6. "Refresh: the certificate's bot instance is the bound one, and its generation equals the stored
 * generation; otherwise a lock on the bot instance. Recovery: `recovery_count < limit` in mode
 * `standard`."
 *
 * A token that was deleted and made anew has no bound instance: its first join is a recovery, also
 * with a certificate from its former life.
 */
export function nextMove(place: Place, request: Request): Move {
  const { eligible, standing } = place;
  const certificate = isUsed(eligible) ? eligible.holder.certificate : undefined;
  if (!certificate) return recovery(place);
  const from = positionOf(place);
  const bound = checkInstance({ eligible, request, certificate, standing, from });
  const to = { ...from, generation: from.generation + 1 };
  return { kind: "refresh", from, to, standing: bound, ...leaving(place) };
}

function recovery(place: Place): Move {
  const { token, spec, status } = place.eligible;
  const { limit, mode } = spec.recovery;
  if (mode === "standard" && status.recovery_count >= limit)
    throw toMember(
      `token "${token.metadata.name}" has used ${status.recovery_count} of ${limit} recoveries; raise spec.bound_keypair.recovery.limit to allow another`,
      { seen: [checkOf(token)] },
    );
  return recoveryFrom(place);
}

/** A new instance, without asking whether it may. */
export function recoveryFrom(place: Place): Move & { readonly kind: "recovery" } {
  const from = positionOf(place);
  const to = { sequence: from.sequence + 1, instance_id: randomUUID(), generation: 1 };
  const { ended, ...rest } = leaving(place);
  const previous = from.instance_id;
  const all = [previous, ...ended].filter((instanceId) => instanceId !== "");
  return { kind: "recovery", from, to, ...rest, previous, ended: all };
}

function positionOf({ eligible: { status }, standing }: Place): Position {
  return {
    sequence: status.recovery_sequence,
    instance_id: status.bound_bot_instance_id,
    generation: standing?.generation ?? 0,
  };
}

/** What a resync leaves behind: the instance that the backup knew. */
function leaving({ eligible, resynced }: Place): Pick<Step, "previous" | "ended" | "allowedBy"> {
  if (!resynced) return { previous: "", ended: [] };
  const { before } = resynced;
  const other = before !== "" && before !== eligible.status.bound_bot_instance_id;
  return { previous: before, ended: other ? [before] : [], allowedBy: "resync" };
}

function checkInstance(options: {
  readonly eligible: EligibleToken;
  readonly request: Request;
  readonly certificate: OwnCertificate;
  readonly standing: Standing | undefined;
  readonly from: Position;
}): Standing {
  const { eligible, request, certificate, standing, from } = options;
  const { instanceId, generation } = certificate;
  const { instance } = standing ?? {};
  const seen = [checkOf(eligible.token), ...(instance ? [checkOf(instance)] : [])];
  const refuseAndLock = (what: string): never => {
    const where = `${what}; attempt ${request.attempt.id} from ${request.attempt.remoteAddr}`;
    const lock = copyLock(eligible.token.metadata.name, instanceId, where);
    throw toMember(`instance "${instanceId}" is locked, because it seems to be copied: ${what}`, {
      lock,
      seen,
    });
  };
  if (instanceId !== from.instance_id)
    return refuseAndLock(`its token is bound to instance "${from.instance_id}"`);
  if (!standing)
    throw toMember(`instance "${instanceId}" was removed by an administrator`, { seen });
  if (generation === from.generation) return standing;
  return refuseAndLock(
    `generation ${generation} was presented, but ${from.generation} is current${standing.since}`,
  );
}
