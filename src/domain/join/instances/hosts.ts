import { durationMs } from "#base/config";
import { sha256Hex } from "#base/crypto";
import { badParameter } from "#base/kernel";
import type { Write } from "#base/storage";
import { lockTargetsOf, type HostIdentity } from "#domain/access";
import type { HostClaims } from "#domain/authority";
import type { ClusterConfig } from "#domain/resources";
import type { Attempt } from "../attempt.ts";
import {
  dropRecord,
  FIRST_JOIN_MEMORY_MS,
  identityOf,
  recordWrite,
  type StoredRecord,
} from "./attempt-record.ts";
import type { JoinDependencies } from "../dependencies.ts";
import { agentJoinedWrite, type Trace } from "../events.ts";
import { credentialsOf } from "../issuing.ts";
import { checkLocks } from "../locks.ts";
import type { ResultContent, Step } from "../protocol.ts";
import { commit, toMember } from "../refusal.ts";

/** Which host ids hold a certificate: nobody else may take one over while it lasts. */
const HOST_KIND = "agent_host";

/**
 * Agents whose host begins with a proof (a token, an ID token) and goes on by its certificate; each
 * method says what the proof is.
 */
export interface EntitledAgent {
  readonly deps: JoinDependencies;
  readonly attempt: Attempt;
  readonly trace: Trace;
  /** What the proof itself leaves, in the same commit. */
  readonly writes: readonly Write[];
}

export interface FirstAgentJoin {
  /** Name of the attempt's record. */
  readonly record: string;
  /** The attempt was made before, and its reply was lost. */
  readonly repeated: StoredRecord | undefined;
}

/** Throws `bad_parameter`: what an agent must say of itself. */
export function checkHostId({ host }: Attempt): void {
  if (host.hostId === "") throw badParameter("host.host_id is required for agents");
}

/** Commits the host, and signs for it. */
export async function joinAsNewHost(entitled: EntitledAgent, first: FirstAgentJoin): Promise<Step> {
  const { deps, attempt, trace } = entitled;
  await checkLocks(deps, targets(attempt), { leaving: false });
  const expires = hostExpiry(await deps.config(), attempt, deps.clock.now());
  await commit(deps.store, [
    ...(await firstWrites({ ...entitled, ...first, expires })),
    ...entitled.writes,
    agentJoinedWrite(deps.audit, trace),
  ]);
  return sign(deps, attempt, {
    expires,
    acknowledge: () =>
      dropRecord(deps, first.record, ({ attempt_id }) => attempt_id === attempt.id),
  });
}

async function firstWrites(
  known: EntitledAgent & FirstAgentJoin & { readonly expires: number },
): Promise<Write[]> {
  const { deps, attempt, record, repeated, expires } = known;
  if (repeated) return [repeated.check, hostWrite(attempt, expires, "put")];
  const value = {
    ...identityOf(attempt),
    bot: "",
    instance_id: "",
    from_generation: 0,
    to_generation: 0,
    host_id: attempt.host.hostId,
  };
  return [
    await claimHost(deps, attempt, { expires }),
    recordWrite(record, value, deps.clock.now() + FIRST_JOIN_MEMORY_MS),
  ];
}

/**
 * The host id is free, or the client's certificate proves that it is its own, or the token does
 * (`onlyOne`: no other machine can have joined by it).
 */
export async function claimHost(
  { store }: Pick<JoinDependencies, "store">,
  attempt: Attempt,
  { expires, onlyOne = false }: { readonly expires: number; readonly onlyOne?: boolean },
): Promise<Write> {
  const { hostId } = attempt.host;
  const { certificate } = attempt;
  if (certificate?.kind === "host" && certificate.identity.hostId === hostId)
    return hostWrite(attempt, expires, "put");
  const holder = await store.get(HOST_KIND, hostId);
  if (!holder) return hostWrite(attempt, expires, "create");
  if (onlyOne && holder.value["token"] === sha256Hex(attempt.token))
    return hostWrite(attempt, expires, "put");
  const until = new Date(holder.expires ?? 0).toISOString();
  throw toMember(
    `host id "${hostId}" belongs to another agent, whose certificate lasts until ${until}; was this data directory copied? empty it to get an id of its own`,
  );
}

const hostWrite = (attempt: Attempt, expires: number, op: "put" | "create"): Write => ({
  op,
  kind: HOST_KIND,
  name: attempt.host.hostId,
  value: {
    role: attempt.role,
    hostname: attempt.host.hostname,
    remote_addr: attempt.remoteAddr,
    // Its name may be a secret.
    token: sha256Hex(attempt.token),
  },
  expires,
});

/** A renewal: the host certificate says who it is. */
export async function refreshHost(entitled: EntitledAgent, identity: HostIdentity): Promise<Step> {
  const { deps, attempt, trace } = entitled;
  checkHolder(attempt, identity);
  await checkLocks(deps, targets(attempt), { leaving: false });
  const expires = hostExpiry(await deps.config(), attempt, deps.clock.now());
  await commit(deps.store, [
    hostWrite(attempt, expires, "put"),
    ...entitled.writes,
    agentJoinedWrite(deps.audit, trace),
  ]);
  return sign(deps, attempt, { expires, acknowledge: async () => {} });
}

/** The certificate is that of this host, in this role. */
function checkHolder(attempt: Attempt, { hostId, roles }: HostIdentity): void {
  if (hostId !== attempt.host.hostId)
    throw toMember(`the certificate is of host "${hostId}", not of "${attempt.host.hostId}"`);
  if (!roles.includes(attempt.role))
    throw toMember(`the certificate is for ${roles.join(", ")}, not for "${attempt.role}"`);
}

const targets = ({ host, role, token }: Attempt): readonly string[] => {
  const identity = { hostId: host.hostId, joinToken: token, expires: 0 };
  return lockTargetsOf({ ...identity, roles: role === "Bot" ? [] : [role] });
};

/**
 * As long as the cluster allows, unless the agent asks for less: one that stays away for longer than
 * its certificate lasts has to prove again that it may join.
 */
export function hostExpiry(config: ClusterConfig["spec"], attempt: Attempt, now: number): number {
  const longest = durationMs(config.max_bot_identity_ttl);
  return now + (attempt.ttlMs > 0 ? Math.min(attempt.ttlMs, longest) : longest);
}

/** Nothing is signed before the commit. */
function sign(
  deps: JoinDependencies,
  attempt: Attempt,
  rest: { readonly expires: number; readonly acknowledge: () => Promise<void> },
): Step {
  const credentials = issueToHost(deps, attempt, { expires: rest.expires, claims: {} });
  return { step: "result", result: { credentials }, acknowledge: rest.acknowledge };
}

/** Signs what has been committed. `claims`: what the method says beside host id, role and token. */
export function issueToHost(
  { authorities, clock }: Pick<JoinDependencies, "authorities" | "clock">,
  { host, role, token, tlsPublicKey, sshPublicKey }: Attempt,
  { expires, claims }: { readonly expires: number; readonly claims: Partial<HostClaims> },
): ResultContent["credentials"] {
  const ssh = role === "Node";
  const issued = authorities.issueHost(
    {
      ...claims,
      hostId: host.hostId,
      roles: [role],
      joinToken: token,
      ...(ssh && host.hostname ? { sshPrincipals: [host.hostname] } : {}),
    },
    { tlsPublicKey, ttlMs: expires - clock.now(), sshPublicKey: ssh ? sshPublicKey : undefined },
  );
  return credentialsOf(issued);
}
