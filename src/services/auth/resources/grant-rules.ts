import { accessDenied } from "#base/kernel";
import { describeCaller, impersonation, mayVerb, type Caller } from "#domain/access";
import { botTraits, type Bot, type Traits } from "#domain/resources";

/** What a change would let someone have. */
export interface Grant {
  readonly roles: readonly string[];
  readonly traits: Traits;
}

/** What whoever is the bot can do. */
export const botGrant = (bot: Bot): Grant => ({ roles: bot.spec.roles, traits: botTraits(bot) });

/**
 * Nobody passes on more than they have. Whoever may create and update roles can give any right, and
 * so may grant everything. Anyone else may grant, through a user, a bot or a token of a bot, only
 * roles that they hold or may impersonate, and only values of traits that they have themselves.
 */
export function checkGrant(caller: Caller, grant: Grant): void {
  if (mayGrantAnything(caller)) return;
  const who = describeCaller(caller);
  const role = grant.roles.find((name) => !hasRole(caller, name));
  if (role !== undefined)
    throw accessDenied(
      `${who} may not grant role "${role}"; only who holds it, may impersonate it, or may write roles can`,
    );
  const trait = Object.entries(grant.traits).find(([name, values]) =>
    values.some((value) => !hasTrait(caller, name, value)),
  );
  if (trait)
    throw accessDenied(
      `${who} may not grant values of trait "${trait[0]}" without having them; ask someone who may write roles`,
    );
}

/** Who can write roles can write one that allows everything. */
export const mayGrantAnything = (caller: Caller): boolean =>
  mayVerb(caller, "role", "create") && mayVerb(caller, "role", "update");

const hasRole = (caller: Caller, role: string): boolean =>
  caller.kind === "user" &&
  (caller.identity.roles.includes(role) || impersonation(caller.roles).allowsRole(role));

const hasTrait = (caller: Caller, name: string, value: string): boolean =>
  caller.kind === "user" &&
  Object.hasOwn(caller.identity.traits, name) &&
  caller.identity.traits[name]!.includes(value);

/** What `after` grants that `before` did not. */
export function addedGrant(before: Grant | undefined, after: Grant): Grant {
  const roles = after.roles.filter((role) => !before?.roles.includes(role));
  const traits = Object.entries(after.traits).map(([name, values]) => {
    const had = before && Object.hasOwn(before.traits, name) ? before.traits[name]! : [];
    return [name, values.filter((value) => !had.includes(value))] as const;
  });
  return { roles, traits: Object.fromEntries(traits) };
}
