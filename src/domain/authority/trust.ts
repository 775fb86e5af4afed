import { create } from "@bufbuild/protobuf";
import { TrustBundleSchema, type TrustBundle } from "@tenon/api/tenon/join/v1/join";
import { parseX509, publicKeyBytesFromSshLine, spkiPin } from "#base/crypto";
import { badParameter } from "#base/kernel";
import type { CertAuthority } from "#domain/resources";
import { trustedKeys } from "./export.ts";
import { certificateOf } from "./signers.ts";

/** The public halves of a cluster's authorities: all that agents, proxies and bots verify with. */
export interface Trust {
  readonly clusterName: string;
  /** X.509 certificates, DER. During a rotation there are several. */
  readonly hostX509: readonly Buffer[];
  /** Public key lines. */
  readonly hostSsh: readonly string[];
  readonly userX509: readonly Buffer[];
  readonly userSsh: readonly string[];
  readonly databaseX509: readonly Buffer[];
}

/**
 * The name in the host certificate of every proxy, which TLS clients of the cluster send as SNI and
 * verify against `hostX509`, whatever address they dialled.
 */
export const HOST_SERVER_NAME = (clusterName: string): string =>
  `proxy.${clusterName}.tenon.internal`;

/** Spec section 5: a bot's own identity lasts at most a week, and nothing lasts longer. */
export const MAX_TTL_MS = 7 * 24 * 60 * 60 * 1000;

/** A rotation trusts two sets of keys at once; many more are not ours. */
const MAX_PER_TYPE = 16;

export function trustToProto(trust: Trust): TrustBundle {
  return create(TrustBundleSchema, {
    clusterName: trust.clusterName,
    hostX509: [...trust.hostX509],
    hostSsh: [...trust.hostSsh],
    userX509: [...trust.userX509],
    userSsh: [...trust.userSsh],
    databaseX509: [...trust.databaseX509],
  });
}

/** Reads a bundle that came over the wire; `bad_parameter` unless each part is what it should be. */
export function trustFromProto(bundle: TrustBundle): Trust {
  if (bundle.clusterName === "") throw badParameter("the trust bundle names no cluster");
  if (bundle.hostX509.length === 0) throw badParameter("the trust bundle has no host authority");
  return {
    clusterName: bundle.clusterName,
    hostX509: certificates(bundle.hostX509),
    hostSsh: keyLines(bundle.hostSsh),
    userX509: certificates(bundle.userX509),
    userSsh: keyLines(bundle.userSsh),
    databaseX509: certificates(bundle.databaseX509),
  };
}

function certificates(ders: readonly Uint8Array[]): Buffer[] {
  limit(ders.length);
  return ders.map((der) => {
    if (!parseX509(der).isCa)
      throw badParameter("the trust bundle has a certificate that is no authority");
    return Buffer.from(der);
  });
}

function keyLines(lines: readonly string[]): string[] {
  limit(lines.length);
  for (const line of lines) publicKeyBytesFromSshLine(line);
  return [...lines];
}

function limit(count: number): void {
  if (count > MAX_PER_TYPE)
    throw badParameter(`the trust bundle has over ${MAX_PER_TYPE} authorities of one type`);
}

/** Whether both trust the same, in the same order: the authority that signs now comes first. */
export function sameTrust(one: Trust, other: Trust): boolean {
  const text = ({ clusterName, hostSsh, userSsh, ...x509 }: Trust): string =>
    JSON.stringify([
      clusterName,
      hostSsh,
      userSsh,
      [x509.hostX509, x509.userX509, x509.databaseX509].map((ders) => ders.map(base64)),
    ]);
  return one === other || text(one) === text(other);
}

const base64 = (der: Buffer): string => der.toString("base64");

/** `sha256:…` of each trusted host authority: what `--ca-pin` compares at the first contact. */
export const caPins = (trust: Trust): string[] => trust.hostX509.map((der) => spkiPin(der));

/** Everything that a set of authorities trusts, the keys of a rotation under way included. */
export function trustOf(
  authorities: Readonly<Record<"user" | "host" | "database", CertAuthority>>,
): Trust {
  const { user, host, database } = authorities;
  return {
    clusterName: host.spec.cluster_name,
    hostX509: trustedKeys(host).map(certificateOf),
    hostSsh: sshKeys(host),
    userX509: trustedKeys(user).map(certificateOf),
    userSsh: sshKeys(user),
    databaseX509: trustedKeys(database).map(certificateOf),
  };
}

const sshKeys = (authority: CertAuthority): string[] =>
  trustedKeys(authority).flatMap(({ ssh_public_key: key }) => key ?? []);
