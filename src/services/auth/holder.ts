import { accessDenied, notFound } from "#base/kernel";
import {
  describeCaller,
  impersonation,
  type Caller,
  type Holder,
  type UserIdentity,
} from "#domain/access";
import type { Resources, Role } from "#domain/resources";

export type UserCaller = Extract<Caller, { kind: "user" }>;

/** What a caller may act with: the roles that it asks for, or all that it may take, and its traits. */
export async function holderFor(
  caller: UserCaller,
  wanted: readonly string[],
  resources: Resources,
): Promise<Holder> {
  const roles = await readRoles(resources, namesFor(caller, wanted));
  const { spec } = await resources.require("user", caller.identity.user);
  return { roles, traits: spec.traits };
}

/** The roles asked for, or all that the caller may take; `access_denied` names the one it may not. */
function namesFor(caller: UserCaller, wanted: readonly string[]): readonly string[] {
  const may = mayTake(caller);
  const refused = wanted.find((role) => !may.allows(role));
  if (refused !== undefined)
    throw accessDenied(
      `${describeCaller(caller)} may not use role "${refused}"; it may use ${may.roles.join(", ") || "none"}`,
    );
  return [...new Set(wanted.length > 0 ? wanted : may.roles)];
}

/**
 * A bot's own identity holds only the role that lets it impersonate others. An output may be issued
 * anew with what it has and no more, and a person with what they have or may impersonate.
 */
function mayTake({ identity, roles }: UserCaller) {
  const others = impersonation(roles);
  const mayImpersonate = (role: string): boolean => others.allowsRole(role);
  if (isBotItself(identity)) return { roles: others.roles, allows: mayImpersonate };
  const has = (role: string): boolean => identity.roles.includes(role);
  if (identity.botName) return { roles: identity.roles, allows: has };
  const allows = (role: string): boolean => has(role) || mayImpersonate(role);
  return { roles: identity.roles, allows };
}

export const isBotItself = ({ botName, generation }: UserIdentity): boolean =>
  botName !== undefined && generation !== undefined;

async function readRoles(resources: Resources, names: readonly string[]): Promise<readonly Role[]> {
  return await Promise.all(
    names.map(async (name) => {
      const role = await resources.get("role", name);
      if (!role) throw notFound(`role "${name}" does not exist any more`);
      return role;
    }),
  );
}
