import { durationMs } from "#base/config";
import { sha256Hex } from "#base/crypto";
import type { Write } from "#base/storage";
import { systemActor } from "#domain/audit";
import { MAX_FORMER_KEYS, writeOf, type ClusterConfig, type Token } from "#domain/resources";
import type { OfferedKey, SolvedChallenge } from "../../challenge.ts";
import type { JoinDependencies } from "../../dependencies.ts";
import {
  agentJoinedWrite,
  botJoinedWrite,
  lockWrites,
  type Joined,
  type Trace,
} from "../../events.ts";
import { lowRecoveries } from "../../low-recoveries.ts";
import { checkOf, supersededLock } from "../../made-locks.ts";
import type { Move } from "./move.ts";
import { isReset, type BoundStatus, type EligibleToken, type Request } from "./request.ts";

/** Everything that was verified and decided. */
interface Decided {
  readonly eligible: EligibleToken;
  readonly request: Request;
  readonly solved: SolvedChallenge;
  /** Of a rotation. */
  readonly successor: SolvedChallenge | undefined;
  readonly move: Move;
  readonly config: ClusterConfig["spec"];
  readonly now: number;
}

/** What step 8 records and step 9 signs. */
export interface Decision extends Decided {
  /** The token once the move is made. */
  readonly token: Token;
  readonly status: BoundStatus;
}

export function decided(decided: Decided): Decision {
  const status = statusAfter(decided);
  return { ...decided, status, token: withStatus(decided.eligible.token, status) };
}

/** Certificates begin a minute in the past and may end a minute late. */
const SKEW_MS = 60_000;

function statusAfter(decided: Decided): BoundStatus {
  const { eligible, request, solved, successor, move, now } = decided;
  if (move.kind === "repeat") return eligible.status;
  const { registration_secret: _spent, reset: _answered, ...kept } = eligible.status;
  const time = new Date(now).toISOString();
  const recovered = move.kind === "recovery";
  return {
    ...kept,
    ...boundKeys(eligible.status, solved, successor),
    ...eligible.holder.marks(move.to.generation),
    first_instance_id: kept.first_instance_id || move.to.instance_id,
    bound_bot_instance_id: move.to.instance_id,
    recovery_sequence: move.to.sequence,
    recovery_count: kept.recovery_count + (recovered ? 1 : 0),
    ...(recovered ? { last_recovered_at: time } : {}),
    ...(successor ? { last_rotated_at: time } : {}),
    last_attempt: {
      attempt_id: request.attempt.id,
      solved_key: solved.key.line,
      tls_public_key: request.attempt.tlsPublicKey.toString("base64"),
      ssh_public_key: request.attempt.sshPublicKey,
      from: move.from,
      to: move.to,
      ...(move.allowedBy === "reset" ? { presented_state: sha256Hex(request.joinState) } : {}),
    },
  };
}

/** Without a rotation, the key that is bound stays so, also when an older one repeats its attempt. */
function boundKeys(
  { bound_public_key, former_public_keys = [] }: BoundStatus,
  solved: SolvedChallenge,
  successor: SolvedChallenge | undefined,
): Pick<BoundStatus, "bound_public_key" | "former_public_keys"> {
  if (!successor) return { bound_public_key: bound_public_key || solved.key.line };
  const former = [solved.key.line, ...former_public_keys].slice(0, MAX_FORMER_KEYS);
  return { bound_public_key: successor.key.line, former_public_keys: former };
}

/**
 * 8. "Commit, one conditional write: token status (bound key, sequence, counters, times), bot
 * instance (new on recovery, with `previous_instance_id`), the attempt record (section 3), the audit
 * event." The token's comes first.
 */
export async function recordWrites(
  { audit }: Pick<JoinDependencies, "audit">,
  decision: Decision,
  trace: Trace,
): Promise<Write[]> {
  const { eligible, move, token } = decision;
  const how = howOf(decision);
  const event =
    eligible.holder.bot === undefined
      ? agentJoinedWrite(audit, trace, how)
      : botJoinedWrite(audit, trace, how);
  const own = await eligible.holder.writes(decision);
  if (move.kind === "repeat") return [checkOf(eligible.token), ...own, event];
  const low = lowAfter(decision);
  return [
    writeOf(token, "update"),
    ...own,
    ...endedWrites(audit, decision, move),
    event,
    ...(low ? [audit.write({ ...low, actor: systemActor })] : []),
  ];
}

/** The event of a join that takes its token below what the cluster wants to hear of. */
export function lowAfter(decision: Decision): ReturnType<typeof lowRecoveries> {
  const { eligible, config, move, token } = decision;
  if (move.kind === "repeat") return undefined;
  return lowRecoveries(config.recovery_alert_threshold, eligible.token, token);
}

/** The document as the store has it after a commit that gave it this revision, or left it alone. */
export const atRevision = (token: Token, revision: string | undefined): Token =>
  revision === undefined ? token : { ...token, metadata: { ...token.metadata, revision } };

export const withStatus = (token: Token, status: BoundStatus): Token => ({
  ...token,
  status: { ...token.status, bound_keypair: status },
});

/** The key that the machine goes on with. */
export const keyOf = ({ successor, solved }: Decision): OfferedKey => (successor ?? solved).key;

function howOf(decision: Decision): Joined {
  const { eligible, move, now } = decision;
  const common = {
    recovery: isRecovery(decision),
    repeated: move.kind === "repeat",
    generation: move.to.generation,
    fingerprint: keyOf(decision).fingerprint,
  };
  if (move.kind === "repeat") return common;
  const allowedBy = move.allowedBy ?? (isReset(eligible, now) ? "reset" : undefined);
  return { ...common, previous: move.previous, allowedBy };
}

/** A repeat is what the attempt was that it repeats. */
export function isRecovery({ move, eligible }: Decision): boolean {
  if (move.kind !== "repeat") return move.kind === "recovery";
  const last = eligible.status.last_attempt;
  return last !== undefined && last.from.instance_id !== last.to.instance_id;
}

/** "After a successful recovery the previous instance is locked for the longest certificate lifetime." */
function endedWrites(
  audit: JoinDependencies["audit"],
  { eligible, config, now }: Decision,
  { ended, to }: Exclude<Move, { kind: "repeat" }>,
): Write[] {
  const expires = now + durationMs(config.max_bot_identity_ttl) + SKEW_MS;
  const until = { expires, by: to.instance_id };
  return ended.flatMap((instanceId) =>
    lockWrites(audit, supersededLock(eligible.token.metadata.name, instanceId, until)),
  );
}
