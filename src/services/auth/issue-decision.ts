import { durationMs } from "#base/config";
import { accessDenied, notFound, unauthenticated } from "#base/kernel";
import {
  describeCaller,
  impersonation,
  loginsOf,
  maxSessionTtl,
  type Caller,
  type UserIdentity,
} from "#domain/access";
import type { UserClaims } from "#domain/authority";
import type { ClusterConfig, Resources, Role, Traits } from "#domain/resources";
import type { IssueCertificatesRequest } from "@tenon/api/tenon/auth/v1/auth";
import { checkAppAccess } from "./issue-app.ts";

/** Certificates count in seconds. */
const SHORTEST_MS = 1_000;

export type UserCaller = Extract<Caller, { kind: "user" }>;
type Request = Omit<IssueCertificatesRequest, "$typeName">;

/** What will be certified, and for how long. */
export interface Decision {
  readonly claims: UserClaims;
  readonly ttlMs: number;
}

interface Grounds {
  readonly resources: Resources;
  readonly settings: ClusterConfig["spec"];
  readonly now: number;
}

/** Whether the caller gets what it asks for; throws the refusal. Reads, but writes and signs nothing. */
export async function decide(
  caller: UserCaller,
  request: Request,
  grounds: Grounds,
): Promise<Decision> {
  const { identity } = caller;
  if (!identity.allowReissue)
    throw accessDenied(
      `the certificate of ${describeCaller(caller)} was issued without allow_reissue; use the identity it came from`,
    );
  const roles = await readRoles(grounds.resources, namesFor(caller, request.roles));
  const user = await grounds.resources.require("user", identity.user);
  const { traits } = user.spec;
  await checkRoute(identity, request.appName, { roles, traits, resources: grounds.resources });
  return {
    claims: claimsOf(identity, request, { roles, traits }),
    ttlMs: ttlOf(caller, roles, { ...grounds, wantedMs: request.ttlSeconds * 1_000 }),
  };
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

const isBotItself = ({ botName, generation }: UserIdentity): boolean =>
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

/** A certificate for one application does not lead to another one. */
async function checkRoute(
  identity: UserIdentity,
  appName: string,
  grounds: { roles: readonly Role[]; traits: Traits; resources: Resources },
): Promise<void> {
  if (identity.appName !== undefined && appName !== identity.appName)
    throw accessDenied(
      `the certificate is for application "${identity.appName}" alone; use the identity it came from`,
    );
  if (appName !== "") await checkAppAccess(appName, grounds);
}

function claimsOf(
  identity: UserIdentity,
  request: Request,
  grant: { roles: readonly Role[]; traits: Traits },
): UserClaims {
  const { user, botName, botInstanceId, joinToken, boundKeyFingerprint } = identity;
  return {
    user,
    roles: grant.roles.map((role) => role.metadata.name),
    traits: grant.traits,
    logins: [...loginsOf(grant.roles, grant.traits)],
    ...(botName === undefined ? {} : { botName }),
    ...(botInstanceId === undefined ? {} : { botInstanceId }),
    ...(joinToken === undefined ? {} : { joinToken }),
    ...(boundKeyFingerprint === undefined ? {} : { boundKeyFingerprint }),
    ...(request.appName === "" ? {} : { appName: request.appName }),
    allowReissue: request.allowReissue,
  };
}

/**
 * The shortest of what was asked (or the cluster's default), what the roles of the caller and of the
 * certificate allow, and the cluster's maximum. Outputs of a bot's own identity may outlive it, so
 * that they last while the bot renews; anything else ends with the certificate that asked for it.
 */
function ttlOf(
  caller: UserCaller,
  roles: readonly Role[],
  { settings, now, wantedMs }: Grounds & { wantedMs: number },
): number {
  const own = isBotItself(caller.identity) ? Infinity : caller.identity.expires - now;
  if (own < SHORTEST_MS)
    throw unauthenticated("the certificate is about to expire; call again with a new one");
  return Math.min(
    wantedMs || durationMs(settings.default_credential_ttl),
    durationMs(settings.max_credential_ttl),
    maxSessionTtl([...caller.roles, ...roles]),
    own,
  );
}
