import { randomUUID } from "node:crypto";
import {
  issueSshCertificate,
  issueX509,
  privateExtension,
  subjectAltName,
  type SshSigner,
} from "#base/crypto";
import { badParameter } from "#base/kernel";
import {
  encodeHost,
  encodeUser,
  identityOids,
  type HostClaims,
  type UserClaims,
} from "./identity.ts";
import { profiles } from "./profiles.ts";
import type { X509Signer } from "./signers.ts";
import { hostExtensions, userExtensions, userKeyId, userPrincipals } from "./ssh.ts";
import { HOST_SERVER_NAME } from "./trust.ts";

/** One certificate each, of what has been decided and recorded; nothing here decides. */

/** Milliseconds since the epoch, whole seconds. */
export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface HostNames {
  readonly dnsNames?: readonly string[] | undefined;
  readonly ipAddresses?: readonly string[] | undefined;
  readonly sshPrincipals?: readonly string[] | undefined;
}

/** Who signs, for which cluster, and how long it holds. */
export interface Issuance<Signer> extends Validity {
  readonly signer: Signer;
  readonly clusterName: string;
}

const userExtension = privateExtension(identityOids.user);
const hostExtension = privateExtension(identityOids.host);

export function userX509(
  claims: UserClaims,
  publicKeySpki: Uint8Array,
  { signer, notBefore, notAfter }: Issuance<X509Signer>,
): Buffer {
  return issueX509({
    issuer: signer.issuer,
    subject: { commonName: claims.user },
    publicKeySpki,
    notBefore,
    notAfter,
    extensions: [...profiles.user.fixed, userExtension(encodeUser(claims))],
  });
}

export function userSsh(
  claims: UserClaims,
  publicKeyLine: string,
  { signer, notBefore, notAfter }: Issuance<SshSigner>,
): string {
  return issueSshCertificate({
    type: "user",
    signer,
    publicKeyLine,
    keyId: userKeyId(claims),
    serial: randomSerial(),
    principals: userPrincipals(claims),
    validAfter: notBefore,
    validBefore: notAfter,
    criticalOptions: {},
    extensions: userExtensions(claims),
  });
}

export function hostX509(
  host: { readonly claims: HostClaims; readonly names: HostNames },
  publicKeySpki: Uint8Array,
  { signer, clusterName, notBefore, notAfter }: Issuance<X509Signer>,
): Buffer {
  const { claims, names } = host;
  const altNames = {
    dnsNames: dnsNames(host, clusterName),
    ipAddresses: names.ipAddresses ?? [],
  };
  return issueX509({
    issuer: signer.issuer,
    subject: { commonName: claims.hostId, organization: clusterName },
    publicKeySpki,
    notBefore,
    notAfter,
    extensions: [
      ...profiles.host.fixed,
      subjectAltName(altNames),
      hostExtension(encodeHost(claims)),
    ],
  });
}

/** Only proxies get the name by which clients know a proxy. */
function dnsNames(
  { claims, names }: { readonly claims: HostClaims; readonly names: HostNames },
  clusterName: string,
): string[] {
  const proxyName = HOST_SERVER_NAME(clusterName);
  const isProxy = claims.roles.includes("Proxy");
  const given = names.dnsNames ?? [];
  const reserved = given.find((name) => name.toLowerCase().endsWith(`.${INTERNAL_DOMAIN}`));
  if (reserved !== undefined && !(isProxy && reserved === proxyName))
    throw badParameter(`the name "${reserved}" is reserved: ${INTERNAL_DOMAIN} is for the cluster`);
  return [
    ...new Set([`${claims.hostId}.${clusterName}`, ...given, ...(isProxy ? [proxyName] : [])]),
  ];
}

const INTERNAL_DOMAIN = "tenon.internal";

export function hostSsh(
  host: { readonly claims: HostClaims; readonly names: HostNames },
  publicKeyLine: string,
  { signer, clusterName, notBefore, notAfter }: Issuance<SshSigner>,
): string {
  const { hostId } = host.claims;
  const principals = [hostId, `${hostId}.${clusterName}`, ...(host.names.sshPrincipals ?? [])];
  return issueSshCertificate({
    type: "host",
    signer,
    publicKeyLine,
    keyId: hostId,
    serial: randomSerial(),
    principals: [...new Set(principals)],
    validAfter: notBefore,
    validBefore: notAfter,
    criticalOptions: {},
    extensions: hostExtensions(host.claims),
  });
}

/** 60 random bits, from the pool that Node keeps for UUIDs. */
const randomSerial = (): bigint => BigInt(`0x${randomUUID().replaceAll("-", "").slice(0, 16)}`);
