import { lockTargetsOf } from "#domain/access";
import { botInstanceName, writeOf, type Bot } from "#domain/resources";
import { ownIdentity, type Attempt } from "../../attempt.ts";
import type { JoinDependencies } from "../../dependencies.ts";
import {
  authenticationOf,
  botClaims,
  issueToBot,
  newInstance,
  refreshedInstance,
} from "../../issuing.ts";
import type { Holder } from "./holder.ts";
import { isRecovery, keyOf, type Decision } from "./record.ts";

/** A bot: each recovery is an instance of its own, which counts its refreshes. */
export function botHolder(
  { resources, authorities }: Pick<JoinDependencies, "resources" | "authorities">,
  attempt: Attempt,
  bot: Bot,
): Holder {
  const { name } = bot.metadata;
  const own = ownIdentity(attempt);
  const instanceOf = (instanceId: string) =>
    resources.get("bot_instance", botInstanceName(name, instanceId));
  const claims = (instanceId: string, generation: number, fingerprint: string) =>
    botClaims({
      bot,
      instanceId,
      generation,
      token: attempt.token,
      boundKeyFingerprint: fingerprint,
    });
  return {
    audience: name,
    bot: name,
    certificate: own && { instanceId: own.botInstanceId, generation: own.generation },
    targets: (instanceId, fingerprint) =>
      lockTargetsOf({ ...claims(instanceId, 0, fingerprint), expires: 0 }),
    knows: async (instanceId) => (await instanceOf(instanceId)) !== undefined,
    standing: async (instanceId) => {
      const instance = await instanceOf(instanceId);
      if (!instance) return undefined;
      const last = instance.status?.latest_authentications.at(-1);
      return {
        generation: instance.status?.generation ?? 0,
        since: last ? ` since ${last.time} from ${last.remote_addr}` : "",
        instance,
      };
    },
    marks: () => ({}),
    writes: async (decision) => instanceWrites(name, decision),
    credentials: ({ config, move }, fingerprint) =>
      issueToBot({
        authorities,
        config,
        attempt,
        claims: claims(move.to.instance_id, move.to.generation, fingerprint),
      }),
  };
}

function instanceWrites(bot: string, decision: Decision) {
  const { request, move, now, config } = decision;
  if (move.kind === "repeat") return [];
  const authentication = authenticationOf(request.attempt, {
    now,
    config,
    method: "bound_keypair",
    generation: move.to.generation,
    recovery: isRecovery(decision),
    attributes: { bound_key: keyOf(decision).fingerprint },
  });
  if (move.kind === "refresh" && move.standing.instance)
    return [writeOf(refreshedInstance(move.standing.instance, authentication), "update")];
  const instance = newInstance({
    bot,
    instanceId: move.to.instance_id,
    previous: move.previous,
    first: authentication,
  });
  return [writeOf(instance, "create")];
}
