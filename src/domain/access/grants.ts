import { durationMs } from "#base/config";
import type { Role, Traits } from "#domain/resources";
import { expandAll, fitsAny } from "./pattern.ts";

/** What the schema of `role` gives to a role that does not say: for an identity without roles. */
const DEFAULT_MAX_SESSION_TTL = "12h";

/** What a login may be: the empty one would mean any to OpenSSH, and a comma separates them. */
const LOGIN = /^[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,254}$/;

/** The logins that the roles allow, less those that any of them denies; sorted. */
export function loginsOf(roles: readonly Role[], traits: Traits): readonly string[] {
  const denied = roles.flatMap((role) => role.spec.deny.logins);
  const allowed = roles.flatMap((role) => expandAll(role.spec.allow.logins, traits));
  return [...new Set(allowed)]
    .filter((login) => LOGIN.test(login) && !fitsAny(denied, traits, login))
    .sort();
}

/** Whom the roles may impersonate. */
export interface Impersonation {
  /** Named one by one; sorted. What an unspecific request gets. */
  readonly roles: readonly string[];
  readonly users: readonly string[];
  /** Also knows `*`. */
  allowsRole(name: string): boolean;
  allowsUser(name: string): boolean;
}

export function impersonation(roles: readonly Role[]): Impersonation {
  const side = (what: "roles" | "users") => {
    const allowed = roles.flatMap((role) => role.spec.allow.impersonate[what]);
    const denied = roles.flatMap((role) => role.spec.deny.impersonate[what]);
    const allows = (name: string): boolean =>
      fitsAny(allowed, {}, name) && !fitsAny(denied, {}, name);
    const named = allowed.filter((name) => !name.includes("*") && allows(name));
    return { named: [...new Set(named)].sort(), allows };
  };
  const [forRoles, forUsers] = [side("roles"), side("users")];
  return {
    roles: forRoles.named,
    users: forUsers.named,
    allowsRole: forRoles.allows,
    allowsUser: forUsers.allows,
  };
}

/** Milliseconds: the shortest of the roles. */
export function maxSessionTtl(roles: readonly Role[]): number {
  const ttls = roles.map((role) => durationMs(role.spec.options.max_session_ttl));
  return Math.min(...(ttls.length > 0 ? ttls : [durationMs(DEFAULT_MAX_SESSION_TTL)]));
}
