/**
 * Method `token`: the name of the token is a secret that works once. docs/protocols/joining.md
 * numbers its steps: 1 entitlement, 2 locks, 3 generation or host id, 4 commit, 5 sign.
 */
import { maskedToken, ownHostIdentity, ownIdentity, type Attempt } from "../attempt.ts";
import { conclude } from "../conclude.ts";
import type { JoinDependencies } from "../dependencies.ts";
import type { Trace } from "../events.ts";
import { dropRecord, firstJoin, refresh } from "../instances/attempt-record.ts";
import type { Step } from "../protocol.ts";
import type { Method } from "./method.ts";
import { firstAgentJoin, refreshAgent } from "./token/agent.ts";
import { firstBotJoin, refreshBot } from "./token/bot.ts";

export const token: Method<"tokenMethod"> = {
  begin: (deps, attempt) =>
    conclude({
      deps,
      attempt,
      method: "token",
      tokenName: display(attempt),
      decide: (trace) => decide(deps, attempt, trace),
    }),

  async used(deps, { joinToken, botInstanceId, generation }) {
    if (joinToken === undefined || botInstanceId === undefined || generation === undefined) return;
    const name = generation === 1 ? firstJoin(joinToken) : refresh(botInstanceId);
    await dropRecord(
      deps,
      name,
      (record) => record.instance_id === botInstanceId && record.to_generation === generation,
    );
  },
};

/** The proof is a certificate that this token gave, or else the token. */
async function decide(deps: JoinDependencies, attempt: Attempt, trace: Trace): Promise<Step> {
  if (attempt.role !== "Bot") {
    const host = ownHostIdentity(attempt);
    return host
      ? await refreshAgent({ deps, attempt, trace }, host)
      : await firstAgentJoin(deps, attempt, trace);
  }
  const certificate = ownIdentity(attempt);
  return certificate
    ? await refreshBot({ deps, attempt, trace }, certificate)
    : await firstBotJoin(deps, attempt, trace);
}

/** Whose certificate carries the name has used it up. */
const display = ({ token, certificate }: Attempt): string =>
  certificate?.identity.joinToken === token ? token : maskedToken(token);
