import { durationMs } from "#base/config";
import { badParameter } from "#base/kernel";
import type { Write } from "#base/storage";
import { lockTargetsOf, type HostIdentity } from "#domain/access";
import { deleteOf } from "#domain/resources";
import type { Attempt } from "../../attempt.ts";
import type { JoinDependencies } from "../../dependencies.ts";
import { agentJoinedWrite, type Trace } from "../../events.ts";
import { credentialsOf } from "../../issuing.ts";
import { checkLocks } from "../../locks.ts";
import type { Step } from "../../protocol.ts";
import { commit, toMember } from "../../refusal.ts";
import { entitlement, type Entitlement } from "./eligible.ts";
import { dropRecord, FIRST_JOIN_MEMORY_MS, firstJoin, identityOf, recordWrite } from "./records.ts";

/** Which host ids hold a certificate: nobody else may take one over while it lasts. */
const HOST_KIND = "agent_host";

/** An agent's first join: the token becomes a host certificate. */
export async function firstAgentJoin(
  deps: JoinDependencies,
  attempt: Attempt,
  trace: Trace,
): Promise<Step> {
  if (attempt.host.hostId === "") throw badParameter("host.host_id is required for agents");
  const entitled = await entitlement(deps, attempt); // 1
  trace.proven = true;
  await checkLocks(deps, targets(attempt), { leaving: false }); // 2
  const expires = await expiry(deps, attempt);
  await commit(deps.store, [
    ...(await firstWrites({ deps, attempt, entitled, expires })),
    agentJoinedWrite(deps.audit, trace),
  ]); // 4
  const record = firstJoin(attempt.token);
  return sign(deps, attempt, {
    expires,
    acknowledge: () => dropRecord(deps, record, ({ attempt_id }) => attempt_id === attempt.id),
  });
}

async function firstWrites(known: {
  readonly deps: JoinDependencies;
  readonly attempt: Attempt;
  readonly entitled: Entitlement;
  readonly expires: number;
}): Promise<Write[]> {
  const { deps, attempt, entitled, expires } = known;
  if (entitled.kind === "repeat")
    return [entitled.record.check, hostWrite(attempt, expires, "put")];
  const value = {
    ...identityOf(attempt),
    bot: "",
    instance_id: "",
    from_generation: 0,
    to_generation: 0,
    host_id: attempt.host.hostId,
  };
  return [
    deleteOf(entitled.token),
    await claimHost(deps, attempt, expires),
    recordWrite(firstJoin(attempt.token), value, deps.clock.now() + FIRST_JOIN_MEMORY_MS),
  ];
}

/** 3. The host id is free, or the client's certificate proves that it is its own. */
async function claimHost(
  { store }: JoinDependencies,
  attempt: Attempt,
  expires: number,
): Promise<Write> {
  const { hostId } = attempt.host;
  const { certificate } = attempt;
  if (certificate?.kind === "host" && certificate.identity.hostId === hostId)
    return hostWrite(attempt, expires, "put");
  const holder = await store.get(HOST_KIND, hostId);
  if (!holder) return hostWrite(attempt, expires, "create");
  const until = new Date(holder.expires ?? 0).toISOString();
  throw toMember(
    `host id "${hostId}" belongs to another agent, whose certificate lasts until ${until}; was this data directory copied? empty it to get an id of its own`,
  );
}

const hostWrite = (attempt: Attempt, expires: number, op: "put" | "create"): Write => ({
  op,
  kind: HOST_KIND,
  name: attempt.host.hostId,
  value: { role: attempt.role, hostname: attempt.host.hostname, remote_addr: attempt.remoteAddr },
  expires,
});

/** A renewal: the host certificate is the proof. */
export async function refreshAgent(
  known: { readonly deps: JoinDependencies; readonly attempt: Attempt; readonly trace: Trace },
  identity: HostIdentity,
): Promise<Step> {
  const { deps, attempt, trace } = known;
  trace.proven = true;
  checkHolder(attempt, identity); // 1
  await checkLocks(deps, targets(attempt), { leaving: false }); // 2
  const expires = await expiry(deps, attempt);
  await commit(deps.store, [
    hostWrite(attempt, expires, "put"),
    agentJoinedWrite(deps.audit, trace),
  ]); // 4
  return sign(deps, attempt, { expires, acknowledge: async () => {} });
}

/** 1. The certificate is that of this host, in this role. */
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
 * its certificate lasts needs a new token.
 */
async function expiry(
  { config, clock }: Pick<JoinDependencies, "config" | "clock">,
  attempt: Attempt,
): Promise<number> {
  const longest = durationMs((await config()).max_bot_identity_ttl);
  return clock.now() + (attempt.ttlMs > 0 ? Math.min(attempt.ttlMs, longest) : longest);
}

/** 5. Nothing is signed before the commit. */
function sign(
  { authorities, clock }: JoinDependencies,
  attempt: Attempt,
  rest: { readonly expires: number; readonly acknowledge: () => Promise<void> },
): Step {
  const { host, role, token, tlsPublicKey, sshPublicKey } = attempt;
  const ssh = role === "Node";
  const issued = authorities.issueHost(
    {
      hostId: host.hostId,
      roles: [role],
      joinToken: token,
      ...(ssh && host.hostname ? { sshPrincipals: [host.hostname] } : {}),
    },
    {
      tlsPublicKey,
      ttlMs: rest.expires - clock.now(),
      sshPublicKey: ssh ? sshPublicKey : undefined,
    },
  );
  return {
    step: "result",
    result: { credentials: credentialsOf(issued) },
    acknowledge: rest.acknowledge,
  };
}
