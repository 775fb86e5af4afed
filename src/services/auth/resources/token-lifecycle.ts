import { randomToken } from "#base/crypto";
import { accessDenied, badParameter } from "#base/kernel";
import type { Write } from "#base/storage";
import { describeCaller } from "#domain/access";
import { actorOf } from "#domain/audit";
import { lowRecoveries } from "#domain/join";
import { CLUSTER_CONFIG_NAME, type Token } from "#domain/resources";
import { botGrant, checkGrant, mayGrantAnything } from "./grant-rules.ts";
import type { Change, ChangeContext, KindRules } from "./kind-rules.ts";

/** Below this a name that is the secret could be guessed. */
const MIN_SECRET_NAME = 16;

export const tokenRules: KindRules<Token> = {
  async prepare({ resource, existing }, context) {
    if (existing) checkSameUse(resource, existing);
    await checkMayMake(resource, context);
    const prepared = withRegistration(resource, existing);
    return {
      resource: prepared,
      also: await lowEvents({ resource: prepared, existing }, context),
      notices: noticesOf(resource),
    };
  },
};

/** What joined by the token keeps its meaning. */
function checkSameUse({ spec }: Token, { spec: before }: Token): void {
  for (const field of ["join_method", "bot_name"] as const) {
    if (spec[field] === before[field]) continue;
    throw badParameter(
      `spec.${field}: is "${before[field]}" and cannot become "${spec[field]}"; create another token`,
    );
  }
}

/** A token makes its holder the bot, or a service of the cluster: its maker needs as much. */
async function checkMayMake(token: Token, { caller, references }: ChangeContext): Promise<void> {
  if (token.spec.bot_name) {
    const bot = await references.require("bot", token.spec.bot_name, "spec.bot_name");
    checkGrant(caller, botGrant(bot));
  }
  if (token.spec.roles.includes("Proxy") && !mayGrantAnything(caller))
    throw accessDenied(
      `${describeCaller(caller)} may not make a token for Proxy, through which everything passes; only who may write roles can`,
    );
}

/** A limit that is lowered may cross the cluster's threshold as a recovery does. */
async function lowEvents(
  { resource, existing }: Change<Token>,
  { parts, caller, remoteAddr }: ChangeContext,
): Promise<readonly Write[]> {
  const config = await parts.resources.get("cluster_config", CLUSTER_CONFIG_NAME);
  const threshold = config?.spec.recovery_alert_threshold ?? 0;
  const draft = lowRecoveries(threshold, existing, resource);
  return draft ? [parts.audit.write({ ...draft, actor: actorOf(caller), remoteAddr })] : [];
}

type KeypairStatus = NonNullable<NonNullable<Token["status"]>["bound_keypair"]>;

const unused: KeypairStatus = {
  bound_public_key: "",
  first_instance_id: "",
  bound_bot_instance_id: "",
  recovery_count: 0,
  recovery_sequence: 0,
};

/**
 * RFD 0205, "Token Resource Example": without `initial_public_key` the first join needs a secret,
 * which is copied from the spec or made here. Once a key is bound there is none any more.
 */
function withRegistration(token: Token, existing: Token | undefined): Token {
  const onboarding = token.spec.bound_keypair?.onboarding;
  if (!onboarding) return token;
  const { registration_secret: kept, ...status } = existing?.status?.bound_keypair ?? unused;
  const needed = !onboarding.initial_public_key && !status.bound_public_key;
  const secret = onboarding.registration_secret || kept || randomToken();
  const bound_keypair = { ...status, ...(needed ? { registration_secret: secret } : {}) };
  return { ...token, status: { bound_keypair } };
}

function noticesOf({ metadata, spec }: Token): readonly string[] {
  if (spec.join_method !== "token" || metadata.name.length >= MIN_SECRET_NAME) return [];
  return [
    `the name of a token with join_method token is its secret; one of under ${MIN_SECRET_NAME} characters can be guessed`,
  ];
}
