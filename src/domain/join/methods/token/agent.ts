import type { HostIdentity } from "#domain/access";
import { deleteOf } from "#domain/resources";
import { checkHostId, joinAsNewHost, refreshHost } from "../../instances/hosts.ts";
import type { Attempt } from "../../attempt.ts";
import { firstJoin } from "../../instances/attempt-record.ts";
import type { JoinDependencies } from "../../dependencies.ts";
import type { Trace } from "../../events.ts";
import type { Step } from "../../protocol.ts";
import { entitlement } from "./eligible.ts";

/** An agent's first join: the token becomes a host certificate. */
export async function firstAgentJoin(
  deps: JoinDependencies,
  attempt: Attempt,
  trace: Trace,
): Promise<Step> {
  checkHostId(attempt);
  const entitled = await entitlement(deps, attempt); // 1
  trace.proven = true;
  const repeated = entitled.kind === "repeat" ? entitled.record : undefined;
  const writes = entitled.kind === "repeat" ? [] : [deleteOf(entitled.token)];
  const record = firstJoin(attempt.token);
  return await joinAsNewHost({ deps, attempt, trace, writes }, { record, repeated }); // 2 to 5
}

/** A renewal: the host certificate is the proof. */
export async function refreshAgent(
  known: { readonly deps: JoinDependencies; readonly attempt: Attempt; readonly trace: Trace },
  identity: HostIdentity,
): Promise<Step> {
  known.trace.proven = true;
  return await refreshHost({ ...known, writes: [] }, identity); // 1 to 5
}
