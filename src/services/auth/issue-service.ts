import { publicKeyFromSpki, publicKeyFromSshLine, sha256Hex, sshFingerprint } from "#base/crypto";
import { accessDenied, badParameter, codeOf } from "#base/kernel";
import { describeCaller, describeRoute } from "#domain/access";
import { actorOf } from "#domain/audit";
import { trustToProto } from "#domain/authority";
import type { CredentialsSchema } from "@tenon/api/tenon/join/v1/join";
import type { IssueCertificatesRequest } from "@tenon/api/tenon/auth/v1/auth";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { isBotItself, type UserCaller } from "./holder.ts";
import { decide, type Decision } from "./issue-decision.ts";
import { routeFields, routeOf } from "./issue-route.ts";
import type { AuthCall, AuthParts } from "./parts.ts";
import { reasonOf } from "./refusals.ts";

/** More roles than anyone has. */
const MAX_ROLES = 100;
type Request = Omit<IssueCertificatesRequest, "$typeName">;

/** Verify, decide, record, sign: in this order. */
export async function issueCertificates(
  parts: AuthParts,
  request: Request,
  call: AuthCall,
): Promise<MessageInitShape<typeof CredentialsSchema>> {
  const decision = await decideOrTell(parts, request, call);
  await parts.store.commit([parts.audit.write(issuedEvent(request, call, decision))]);
  const { tlsPublicKey, sshPublicKey } = request;
  const { ttlMs, claims } = decision;
  const issued = parts.authorities.issueUser(claims, { tlsPublicKey, sshPublicKey, ttlMs });
  return { ...issued, trust: trustToProto(issued.trust) };
}

async function decideOrTell(parts: AuthParts, request: Request, call: AuthCall): Promise<Decision> {
  try {
    checkRequest(request);
    return await decideAbout(parts, request, call);
  } catch (error) {
    if (codeOf(error) === "access_denied") tellDenied(parts, { request, call, error });
    throw error;
  }
}

async function decideAbout(
  { resources, settings, locks, clock }: AuthParts,
  request: Request,
  { caller }: AuthCall,
): Promise<Decision> {
  if (caller.kind !== "user")
    throw accessDenied(
      `${describeCaller(caller)} is not a user or a bot; only these get certificates here`,
    );
  checkRequester(request, caller);
  const grounds = { resources, settings: await settings(), now: clock.now() };
  const decision = await decide(caller, request, grounds);
  // The caller's own locks were looked at already; these are those of the roles it asks for.
  locks.check({ ...decision.claims, expires: 0 }, clock.now());
  return decision;
}

function checkRequest(request: Request): void {
  const { tlsPublicKey, sshPublicKey, roles } = request;
  if (tlsPublicKey.length === 0 && sshPublicKey === "")
    throw badParameter("give tls_public_key, ssh_public_key or both");
  if (tlsPublicKey.length > 0) publicKeyFromSpki(tlsPublicKey);
  if (sshPublicKey !== "") publicKeyFromSshLine(sshPublicKey);
  if (roles.length > MAX_ROLES)
    throw badParameter(`a certificate takes at most ${MAX_ROLES} roles`);
  const opens = describeRoute(routeOf(request));
  if (opens !== undefined && tlsPublicKey.length === 0)
    throw badParameter(`a certificate for ${opens} needs tls_public_key`);
}

/** Whoever could say what they like in the audit log is at least the bot that it is written under. */
function checkRequester({ requester }: Request, caller: UserCaller): void {
  if (requester !== undefined && !isBotItself(caller.identity))
    throw accessDenied("only a bot's own identity may say for which program it asks");
}

/** As the audit log tells of it. */
function requesterField({ requester }: Request) {
  if (requester === undefined) return {};
  const { uid, pid, executable } = requester;
  return { requester: { uid, pid, ...(executable === "" ? {} : { executable }) } };
}

function issuedEvent(
  request: Request,
  { caller, remoteAddr }: AuthCall,
  { claims, ttlMs }: Decision,
) {
  const { allowReissue, tlsPublicKey, sshPublicKey } = request;
  return {
    type: "cert.issue" as const,
    actor: actorOf(caller),
    remoteAddr,
    fields: {
      roles: [...claims.roles],
      ...routeFields(request),
      ttl_seconds: Math.floor(ttlMs / 1_000),
      key_fingerprint:
        tlsPublicKey.length > 0 ? sha256Hex(tlsPublicKey) : sshFingerprint(sshPublicKey),
      allow_reissue: allowReissue,
      ...requesterField(request),
    },
  };
}

function tellDenied(
  { audit }: AuthParts,
  { request, call, error }: { request: Request; call: AuthCall; error: unknown },
): void {
  const { roles } = request;
  audit.emit({
    type: "cert.issue.denied",
    actor: actorOf(call.caller),
    remoteAddr: call.remoteAddr,
    fields: {
      roles,
      ...routeFields(request),
      reason: reasonOf(error),
      ...requesterField(request),
    },
  });
}
