import { durationMs, formatDuration } from "#base/config";
import { parseSshCertificate, parseX509 } from "#base/crypto";
import { accessDenied, badParameter } from "#base/kernel";
import { peerOf, type Peer } from "#base/local";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs, durationMs as protoMs } from "@bufbuild/protobuf/wkt";
import type { HandlerContext } from "@connectrpc/connect";
import type { Credentials } from "@tenon/api/tenon/join/v1/join";
import type {
  GenerateIdentityRequest,
  GenerateIdentityResponseSchema,
} from "@tenon/api/tenon/tbot/v1/credential";
import { callerOf } from "../local-caller.ts";
import { checkJoined } from "../joined.ts";
import type { CredentialApi } from "./service.ts";

/** Within the socket's limits, and then as the cluster decides; the cluster hears who asked. */
export async function certifyFor(
  { configuration, dependencies }: CredentialApi,
  request: GenerateIdentityRequest,
  context: HandlerContext,
): Promise<MessageInitShape<typeof GenerateIdentityResponseSchema>> {
  const peer = peerOf(context);
  const log = dependencies.log.child(callerOf(context));
  try {
    const wanted = {
      tlsPublicKey: request.tlsPublicKey,
      sshPublicKey: request.sshPublicKey,
      roles: rolesFor(request, configuration),
      ttlSeconds: Math.ceil(ttlMs(request, configuration) / 1_000),
      ...routeOf(request),
      requester: requesterOf(peer),
    };
    checkJoined(dependencies);
    const credentials = await dependencies.identity.certify(wanted, context.signal);
    const expires = endOf(credentials);
    log.info("issued credentials", {
      roles: wanted.roles,
      route: request.route.value,
      expires: new Date(expires).toISOString(),
    });
    return {
      tlsCertificate: credentials.tlsCertificate,
      sshCertificate: credentials.sshCertificate,
      trust: credentials.trust,
      expires: timestampFromMs(expires),
      proxyAddr: dependencies.identity.proxyAddress,
    };
  } catch (error) {
    log.warn("refused credentials", { error });
    throw error;
  }
}

type Limits = CredentialApi["configuration"];

function rolesFor({ roles }: GenerateIdentityRequest, { roles: allowed }: Limits): string[] {
  const beyond = roles.find((role) => allowed.length > 0 && !allowed.includes(role));
  if (beyond !== undefined)
    throw accessDenied(
      `the socket does not allow the role "${beyond}"; it allows ${allowed.join(", ")}`,
    );
  return roles.length > 0 ? roles : [...allowed];
}

function ttlMs({ ttl }: GenerateIdentityRequest, { max_ttl: most }: Limits): number {
  const wanted = ttl === undefined ? 0 : protoMs(ttl);
  if (wanted < 0) throw badParameter(`a ttl of ${wanted} ms is none; give a positive one`);
  if (wanted > durationMs(most))
    throw badParameter(
      `a ttl of ${formatDuration(wanted)} is more than the socket allows, which is ${most}; ask for less`,
    );
  return wanted || durationMs(most);
}

/** As the cluster wants it. */
function routeOf({ route }: GenerateIdentityRequest) {
  if (route.case === "database") {
    const { service, database, username } = route.value;
    return { database: { service: named(service, "database server"), database, username } };
  }
  if (route.case === "kubernetes")
    return { kubernetesCluster: named(route.value.cluster, "Kubernetes cluster") };
  if (route.case === "application") return { appName: named(route.value.name, "application") };
  return {};
}

/** Without its name a route would be none, and the certificate open more than was asked for. */
function named(name: string, what: string): string {
  if (name !== "") return name;
  throw badParameter(`the route names no ${what}`);
}

const requesterOf = ({ uid, pid, executable = "" }: Peer) => ({ uid, pid, executable });

function endOf({ tlsCertificate, sshCertificate }: Credentials): number {
  if (tlsCertificate.length > 0) return parseX509(tlsCertificate).notAfter;
  return parseSshCertificate(sshCertificate).validBefore;
}
