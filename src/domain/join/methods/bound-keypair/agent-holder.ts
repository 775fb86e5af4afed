import { lockTargetsOf } from "#domain/access";
import { ownHostIdentity, type Attempt } from "../../attempt.ts";
import type { JoinDependencies } from "../../dependencies.ts";
import { claimHost, hostExpiry, issueToHost } from "../../instances/hosts.ts";
import type { Decision } from "./record.ts";
import type { Holder, OwnCertificate } from "./holder.ts";
import type { BoundStatus } from "./request.ts";

/**
 * An agent: its host id stays the same, and the token itself counts what a bot's instance counts.
 * Each recovery has an instance id of its own too, so that a copy, and what a recovery replaced, can
 * be locked without the agent that comes back.
 */
export function agentHolder(
  deps: Pick<JoinDependencies, "store" | "authorities" | "clock">,
  attempt: Attempt,
  status: Pick<BoundStatus, "generation">,
): Holder {
  const { hostId } = attempt.host;
  const expires = ({ config }: Decision): number => hostExpiry(config, attempt, deps.clock.now());
  return {
    audience: `agent:${attempt.token}`,
    bot: undefined,
    certificate: certificateOf(attempt),
    targets: (instanceId, fingerprint) =>
      lockTargetsOf({
        hostId,
        roles: [attempt.role],
        joinToken: attempt.token,
        ...(instanceId ? { instanceId } : {}),
        boundKeyFingerprint: fingerprint,
        expires: 0,
      }),
    standing: async () => ({ generation: status.generation ?? 0, since: "" }),
    // Of former instances nothing is kept, so none passes for one that a restore has taken away.
    knows: async () => true,
    marks: (generation) => ({ bound_host_id: hostId, generation }),
    writes: async (decision) => [
      await claimHost(deps, attempt, { expires: expires(decision), onlyOne: true }),
    ],
    credentials: (decision, boundKeyFingerprint) => {
      const { instance_id: instanceId, generation } = decision.move.to;
      const claims = { instanceId, generation, boundKeyFingerprint };
      return issueToHost(deps, attempt, { expires: expires(decision), claims });
    },
  };
}

/** Only of this very host: with that of another the agent is not who it says. */
function certificateOf(attempt: Attempt): OwnCertificate | undefined {
  const { hostId, instanceId, generation } = ownHostIdentity(attempt) ?? {};
  if (hostId !== attempt.host.hostId) return undefined;
  if (instanceId === undefined || generation === undefined) return undefined;
  return { instanceId, generation };
}
