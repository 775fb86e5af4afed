import { accessDenied, unauthenticated } from "#base/kernel";
import { botInstanceName, type Role, type RuleResource, type Verb } from "#domain/resources";
import { describeCaller } from "./caller.ts";
import { hostRules } from "./host-rules.ts";
import type { Caller, UserIdentity } from "./identity.ts";

type Rule = Role["spec"]["allow"]["rules"][number];

/** A decision and, when it is no, the reason that the audit log keeps. */
export type Decision =
  | { readonly allowed: true }
  /** `denied`: by a rule that says so, which nothing can outweigh. */
  | { readonly allowed: false; readonly denied: boolean; readonly reason: string };

const yes: Decision = { allowed: true };
const no = (reason: string): Decision => ({ allowed: false, denied: false, reason });
const denied = (reason: string): Decision => ({ allowed: false, denied: true, reason });

/**
 * Whoever writes these can make identities or say what identities may do, so that `*` in a role's
 * `resources` does not cover writing them: a rule must name them.
 */
export const guardedResources: readonly RuleResource[] = [
  "role",
  "user",
  "bot",
  "token",
  "cert_authority",
];
const READING: ReadonlySet<Verb> = new Set(["list", "read"]);

/** Any role's deny beats every allow; without an allow there is no access. The order is irrelevant. */
export function decideVerb(roles: readonly Role[], resource: RuleResource, verb: Verb): Decision {
  const denier = roles.find((role) =>
    role.spec.deny.rules.some((rule) => names(rule, resource) && hasVerb(rule, verb)),
  );
  if (denier) return denied(`role "${denier.metadata.name}" denies ${verb} on ${resource}`);
  const allowed = roles.some((role) =>
    role.spec.allow.rules.some((rule) => allows(rule, resource, verb)),
  );
  return allowed ? yes : no(`no role allows ${verb} on ${resource}`);
}

const names = (rule: Rule, resource: RuleResource): boolean =>
  rule.resources.includes("*") || rule.resources.includes(resource);

const hasVerb = (rule: Rule, verb: Verb): boolean =>
  rule.verbs.includes("*") || rule.verbs.includes(verb);

function allows(rule: Rule, resource: RuleResource, verb: Verb): boolean {
  const guarded = guardedResources.includes(resource) && !READING.has(verb);
  return (
    hasVerb(rule, verb) && (guarded ? rule.resources.includes(resource) : names(rule, resource))
  );
}

/** Whether the caller may do this to documents of the kind; with `name`, to this one. */
export function mayVerb(
  caller: Caller,
  resource: RuleResource,
  verb: Verb,
  name?: string,
): boolean {
  return decide(caller, resource, verb, name).allowed;
}

/** Throws `access_denied`, or `unauthenticated` for a caller without a certificate. */
export function checkVerb(caller: Caller, resource: RuleResource, verb: Verb, name?: string): void {
  if (caller.kind === "anonymous")
    throw unauthenticated("this call needs a certificate of the cluster; sign in or join first");
  const decision = decide(caller, resource, verb, name);
  if (decision.allowed) return;
  throw accessDenied(
    `${describeCaller(caller)} may not ${verb} ${resource}; ask for a role with a rule that allows it`,
    { detail: decision.reason },
  );
}

function decide(caller: Caller, resource: RuleResource, verb: Verb, name?: string): Decision {
  if (caller.kind === "admin") return yes;
  if (caller.kind === "anonymous") return no("the caller has no certificate");
  if (caller.kind === "host") return decideHost(caller.identity.roles, resource, verb);
  const decision = decideVerb(caller.roles, resource, verb);
  if (decision.allowed || decision.denied || verb !== "read") return decision;
  return isOwn(caller.identity, resource, name) ? yes : decision;
}

function decideHost(
  roles: readonly (keyof typeof hostRules)[],
  resource: RuleResource,
  verb: Verb,
): Decision {
  const allowed = roles.some((role) =>
    hostRules[role].some((rule) => rule.resources.includes(resource) && rule.verbs.includes(verb)),
  );
  return allowed ? yes : no(`hosts of roles ${roles.join(", ")} may not ${verb} ${resource}`);
}

/** What everyone may read of themselves: a person their user and roles, a bot also its bot and instance. */
function isOwn(identity: UserIdentity, resource: RuleResource, name: string | undefined): boolean {
  if (name === undefined) return false;
  const { user, roles, botName, botInstanceId } = identity;
  const own: Partial<Record<RuleResource, readonly string[]>> = {
    user: [user],
    role: roles,
    bot: botName ? [botName] : [],
    bot_instance: botName && botInstanceId ? [botInstanceName(botName, botInstanceId)] : [],
  };
  return own[resource]?.includes(name) ?? false;
}
