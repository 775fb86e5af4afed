import { CodedError, unavailable } from "#base/kernel";
import type { JoinDependencies } from "../../dependencies.ts";
import { Refusal, toMember, toStranger } from "../../refusal.ts";
import type { Eligible } from "./eligible.ts";
import { Distrust, readIdToken, VerifiedIdToken, type UnverifiedIdToken } from "./id-token.ts";
import { KeySet } from "./key-set.ts";
import { pretendToVerify } from "./decoy.ts";
import { claimAt, fittingRule, type Rule } from "./rules.ts";

/** An ID token as it came. */
export interface Presented {
  readonly idToken: string;
  /** Its audience, from the one that the policy names; and whether it answers a challenge. */
  readonly audienceFrom: (base: string) => string;
  readonly challenged: boolean;
}

/** An ID token that lets its bearer join, and the rule that said so. */
export interface Trusted {
  readonly verified: VerifiedIdToken;
  readonly rule: Rule;
}

/** 2 to 5. Throws a refusal that tells a stranger nothing. */
export async function trust(
  deps: Pick<JoinDependencies, "issuers" | "authorities" | "clock">,
  eligible: Eligible,
  presented: Presented,
): Promise<Trusted> {
  try {
    return await check(deps, eligible, presented);
  } catch (error) {
    if (!(error instanceof Distrust)) throw error;
    if (!error.signatureSeen) await pretendToVerify(presented.idToken);
    throw distrusted(eligible, error.message);
  }
}

/** Whose certificate shows that it belongs here is told what is wrong. */
export const distrusted = ({ member }: Pick<Eligible, "member">, reason: string): Refusal =>
  member ? toMember(`the join was refused: ${reason}`) : toStranger(reason);

const unseen = (reason: string): Distrust => new Distrust(reason, { signatureSeen: false });

async function check(
  deps: Pick<JoinDependencies, "issuers" | "authorities" | "clock">,
  eligible: Eligible,
  { idToken, audienceFrom, challenged }: Presented,
): Promise<Trusted> {
  const { policy } = eligible;
  if (policy.challenge && !challenged)
    throw unseen("the token takes only ID tokens that answer a challenge");
  const unverified = readIdToken(idToken); // 2
  if (policy.issuer !== undefined && unverified.issuer !== policy.issuer)
    throw unseen(
      `the ID token says it is of issuer ${JSON.stringify(unverified.issuer.slice(0, 256))}, not "${policy.issuer}"`,
    );
  const verified = await VerifiedIdToken.verify(unverified, {
    issuer: policy.issuer,
    audience: audienceFrom(policy.audience ?? deps.authorities.trust().clusterName),
    maxAgeMs: policy.maxAgeMs,
    keys: await keysFor(deps, eligible, unverified), // 3
    now: deps.clock.now(),
  }); // 4
  const fit = fittingRule(policy.rules, verified.claims); // 5
  if ("reason" in fit) throw new Distrust(fit.reason, { signatureSeen: true });
  return { verified, rule: fit.rule };
}

/** 3. The keys that the token's settings hold, or that the issuer publishes. */
async function keysFor(
  { issuers }: Pick<JoinDependencies, "issuers">,
  eligible: Eligible,
  { issuer, kid }: UnverifiedIdToken,
): Promise<KeySet> {
  const { jwks } = eligible.policy;
  try {
    return jwks === undefined ? await issuers.find(issuer, kid) : KeySet.read(jwks);
  } catch (error) {
    if (error instanceof CodedError) throw keyless(eligible, error);
    throw error;
  }
}

/** A member's certificate is still good: it should try again, not join anew. */
function keyless({ member, policy }: Eligible, error: CodedError): Refusal {
  const where = policy.jwks === undefined ? `issuer "${policy.issuer ?? ""}"` : "the token's jwks";
  const reason = `no key to verify the ID token with: ${where}: ${error.detail ?? error.message}`;
  return member ? new Refusal({ told: unavailable(reason), reason }) : toStranger(reason);
}

/** Long enough for a reference; the claims of a rule may also be of any other kind. */
const MAX_ATTRIBUTE = 256;

/** What the bot instance remembers of an ID token. */
export function attributesOf(
  { policy }: Eligible,
  { verified, rule }: Trusted,
): Record<string, string> {
  const paths = [
    ["iss"],
    ["sub"],
    ...policy.remembered.map((name) => [name]),
    ...rule.map(({ path }) => path),
  ];
  const entries = paths.flatMap((path) => {
    const value = claimAt(verified.claims, path);
    if (value === undefined) return [];
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return [[path.join("."), text.slice(0, MAX_ATTRIBUTE)] as const];
  });
  return Object.fromEntries(entries);
}
