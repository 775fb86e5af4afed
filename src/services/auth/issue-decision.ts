import { durationMs } from "#base/config";
import { accessDenied, unauthenticated } from "#base/kernel";
import {
  describeCaller,
  loginsOf,
  maxSessionTtl,
  type Holder,
  type UserIdentity,
} from "#domain/access";
import type { UserClaims } from "#domain/authority";
import type { ClusterConfig, Resources, Role } from "#domain/resources";
import type { IssueCertificatesRequest } from "@tenon/api/tenon/auth/v1/auth";
import { holderFor, isBotItself, type UserCaller } from "./holder.ts";
import { checkNarrow, checkRoute, routeOf } from "./issue-route.ts";

/** Certificates count in seconds. */
const SHORTEST_MS = 1_000;

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
  const holder = await holderFor(caller, request.roles, grounds.resources);
  const route = routeOf(request);
  checkNarrow(identity, route);
  await checkRoute(route, holder, grounds.resources);
  return {
    claims: claimsOf(identity, request, holder),
    ttlMs: ttlOf(caller, holder.roles, { ...grounds, wantedMs: request.ttlSeconds * 1_000 }),
  };
}

function claimsOf(identity: UserIdentity, request: Request, grant: Holder): UserClaims {
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
    ...routeOf(request),
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
