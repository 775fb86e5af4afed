/**
 * Methods `oidc`, `github`, `gitlab` and `kubernetes`: the proof is an ID token that an OpenID Connect
 * issuer gave the machine. The steps, numbered as in docs/protocols/joining.md:
 *
 *   1  the token of the cluster, its role and its bot        eligible.ts
 *   2  the shape of the ID token and its issuer's name       id-token.ts
 *   3  the issuer's key                                      trust.ts, key-set.ts
 *   4  signature, audience and times                         id-token.ts
 *   5  the allow rules                                       rules.ts
 *   6  the instance or host that goes on; single use         bot.ts, agent.ts, used.ts
 *   7  locks, then the generation                            ../instances
 *   8  commit                                                ../instances
 *   9  sign                                                  ../instances
 */
import type { OidcInit } from "@tenon/api/tenon/join/v1/join";
import { badParameter } from "#base/kernel";
import type { Attempt } from "../attempt.ts";
import { conclude } from "../conclude.ts";
import type { JoinDependencies } from "../dependencies.ts";
import type { Trace } from "../events.ts";
import { dropRecord } from "../instances/attempt-record.ts";
import { checkHostId } from "../instances/hosts.ts";
import type { Step } from "../protocol.ts";
import { botInstanceName } from "#domain/resources";
import type { Method } from "./method.ts";
import { joinAgent } from "./oidc/agent.ts";
import { joinBot, recordName } from "./oidc/bot.ts";
import { challenge } from "./oidc/challenge.ts";
import { pretendToVerify } from "./oidc/decoy.ts";
import { eligibleToken, type Eligible } from "./oidc/eligible.ts";
import { Distrust, MAX_ID_TOKEN } from "./oidc/id-token.ts";
import { isOidcMethod } from "./oidc/policy.ts";
import { attributesOf, distrusted, trust, type Presented, type Trusted } from "./oidc/trust.ts";

/** Ours has some 700 bytes. */
const MAX_CERTIFICATE = 8 * 1024;

export const oidc: Method<"oidc"> = {
  async begin(deps, attempt, block) {
    checkSizes(block);
    if (attempt.role !== "Bot") checkHostId(attempt);
    const conclusion = (presented: Presented): Promise<Step> =>
      concluded({ deps, attempt, presented, previousCertificate: block.previousCertificate });
    if (block.idToken === "") return challenge(deps, attempt, conclusion);
    return await conclusion({
      idToken: block.idToken,
      audienceFrom: (base) => base,
      challenged: false,
    });
  },

  async used(deps, { joinToken, botName, botInstanceId, generation }) {
    if (joinToken === undefined || botName === undefined || generation !== 1) return;
    const name = botInstanceName(botName, botInstanceId ?? "");
    const instance = await deps.resources.get("bot_instance", name);
    const first = instance?.status?.initial_authentication;
    if (!first || !isOidcMethod(first.join_method)) return;
    await dropRecord(
      deps,
      recordName(joinToken, first.key_fingerprint),
      (record) => record.instance_id === botInstanceId,
    );
  },
};

function checkSizes({ idToken, previousCertificate }: OidcInit): void {
  if (idToken.length > MAX_ID_TOKEN)
    throw badParameter(`id_token is longer than ${MAX_ID_TOKEN} characters`);
  if (previousCertificate.length > MAX_CERTIFICATE)
    throw badParameter(`previous_certificate is longer than ${MAX_CERTIFICATE} bytes`);
}

interface Answered {
  readonly deps: JoinDependencies;
  readonly attempt: Attempt;
  readonly presented: Presented;
  readonly previousCertificate: Uint8Array;
}

const concluded = (answered: Answered): Promise<Step> =>
  conclude({
    deps: answered.deps,
    attempt: answered.attempt,
    method: "oidc",
    decide: (trace) => decide(answered, trace),
  });

/** The order of the steps. A conflict at step 8 comes back here. */
async function decide(answered: Answered, trace: Trace): Promise<Step> {
  const { deps, attempt, presented } = answered;
  const eligible = await eligibleOrPretend(deps, attempt, presented); // 1
  trace.method = eligible.token.spec.join_method;
  trace.tokenName = eligible.token.metadata.name;
  if (eligible.bot) trace.bot = eligible.bot.metadata.name;
  const trusted = await trust(deps, eligible, presented); // 2 to 5
  trace.proven = true;
  trace.claims = Object.entries(attributesOf(eligible, trusted)).map((pair) => pair.join("="));
  return await join({ ...answered, trace, eligible, trusted }); // 6 to 9
}

/** Without a token there is nothing to verify with, which must take no less time. */
async function eligibleOrPretend(
  deps: JoinDependencies,
  attempt: Attempt,
  { idToken }: Presented,
): Promise<Eligible> {
  try {
    return await eligibleToken(deps, attempt);
  } catch (error) {
    await pretendToVerify(idToken);
    throw error;
  }
}

async function join(
  known: Answered & {
    readonly trace: Trace;
    readonly eligible: Eligible;
    readonly trusted: Trusted;
  },
): Promise<Step> {
  const { eligible, trusted, trace } = known;
  const { bot } = eligible;
  try {
    if (bot) return await joinBot({ ...known, bot });
    return await joinAgent(known, trusted.verified);
  } catch (error) {
    if (!(error instanceof Distrust)) throw error;
    trace.proven = eligible.member;
    throw distrusted(eligible, error.message);
  }
}
