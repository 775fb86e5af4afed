import type { Write } from "#base/storage";
import { systemActor, type Actor, type AuditLog } from "#domain/audit";
import { lockTargetKey, writeOf, type Lock, type Token } from "#domain/resources";
import type { Attempt } from "./attempt.ts";
import type { Refusal } from "./refusal.ts";

/** What is known so far of who joins; refusals at any step tell it to the audit log. */
export interface Trace {
  readonly attempt: Attempt;
  method: Token["spec"]["join_method"];
  /** As events may show it. */
  tokenName: string;
  bot?: string;
  instanceId?: string;
  /** Whether the client has proven to be what it says. */
  proven: boolean;
  /** What an ID token said of it that was verified, as `name=value`. */
  claims?: string[];
}

type Audit = Pick<AuditLog, "write">;

export const joiningFields = ({ attempt, method, tokenName, claims }: Trace) => ({
  token: tokenName,
  join_method: method,
  attempt_id: attempt.id,
  ...(claims ? { claims } : {}),
});

function actorOf({ bot, instanceId, proven, attempt }: Trace): Actor {
  if (!proven) return { kind: "anonymous", name: "" };
  if (attempt.role !== "Bot") return { kind: "host", name: attempt.host.hostId };
  return { kind: "bot", name: bot ?? "", ...(instanceId ? { instance_id: instanceId } : {}) };
}

/** The audit event of a refusal, and the lock that it makes with its own event. */
export function refusalWrites(audit: Audit, trace: Trace, refusal: Refusal): Write[] {
  const { lock, reason } = refusal;
  const { bot, instanceId, attempt } = trace;
  const common = { actor: actorOf(trace), remoteAddr: attempt.remoteAddr };
  const fields = { ...joiningFields(trace), reason };
  const event =
    attempt.role === "Bot"
      ? audit.write({
          type: "bot.join.failed",
          ...common,
          fields: {
            ...fields,
            ...(bot ? { bot } : {}),
            ...(instanceId ? { instance_id: instanceId } : {}),
            ...(lock ? { lock: lock.metadata.name } : {}),
          },
        })
      : audit.write({
          type: "agent.join.failed",
          ...common,
          fields: {
            ...fields,
            host_id: attempt.host.hostId,
            roles: [attempt.role],
            ...(instanceId ? { instance_id: instanceId } : {}),
            ...(lock ? { lock: lock.metadata.name } : {}),
          },
        });
  return [...(lock ? lockWrites(audit, lock) : []), event];
}

export function lockWrites(audit: Audit, lock: Lock): Write[] {
  const { message, expires } = lock.spec;
  const fields = { name: lock.metadata.name, target: lockTargetKey(lock), message };
  return [
    writeOf(lock, "put"),
    audit.write({
      type: "lock.create",
      actor: systemActor,
      fields: { ...fields, ...(expires ? { expires } : {}) },
    }),
  ];
}

/** How a machine joined, for the audit log. */
export interface Joined {
  readonly recovery: boolean;
  readonly repeated: boolean;
  readonly generation: number;
  readonly previous?: string;
  readonly fingerprint?: string;
  /** The exception that an administrator opened and this join used up, also where it was not needed. */
  readonly allowedBy?: "reset" | "resync" | undefined;
}

const joinedFields = (trace: Trace, how: Joined) => ({
  ...joiningFields(trace),
  ...(how.previous ? { previous_instance_id: how.previous } : {}),
  recovery: how.recovery,
  repeated: how.repeated,
  generation: how.generation,
  ...(how.fingerprint ? { key_fingerprint: how.fingerprint } : {}),
  ...(how.allowedBy ? { allowed_by: how.allowedBy } : {}),
});

/** The audit event of a bot that joined. */
export function botJoinedWrite(audit: Audit, trace: Trace, how: Joined): Write {
  const { bot = "", instanceId = "", attempt } = trace;
  return audit.write({
    type: "bot.join",
    actor: actorOf(trace),
    remoteAddr: attempt.remoteAddr,
    fields: { ...joinedFields(trace, how), bot, instance_id: instanceId },
  });
}

/** `how`: of methods that count an agent's joins. */
export function agentJoinedWrite(audit: Audit, trace: Trace, how?: Joined): Write {
  const { attempt, instanceId } = trace;
  return audit.write({
    type: "agent.join",
    actor: actorOf(trace),
    remoteAddr: attempt.remoteAddr,
    fields: {
      ...(how ? joinedFields(trace, how) : joiningFields(trace)),
      ...(instanceId ? { instance_id: instanceId } : {}),
      host_id: attempt.host.hostId,
      roles: [attempt.role],
    },
  });
}
