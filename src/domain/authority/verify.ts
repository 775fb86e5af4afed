import type { KeyObject } from "node:crypto";
import { parseX509, publicKeyFromSpki, verifyX509Signature, type X509 } from "#base/crypto";
import { messageOf, unauthenticated } from "#base/kernel";
import type { HostIdentity, UserIdentity } from "#domain/access";
import { decodeHost, decodeUser, identityOids } from "./identity.ts";
import { hasPurposes, profiles } from "./profiles.ts";
import { CLOCK_SKEW_MS } from "./keys.ts";
import { MAX_TTL_MS, type Trust } from "./trust.ts";

declare const verified: unique symbol;

/** A certificate that passed every check below; nothing but `ClientVerifier` makes one. */
export type VerifiedCertificate = { readonly [verified]: true; readonly der: Buffer } & (
  | { readonly kind: "user"; readonly identity: UserIdentity }
  | { readonly kind: "host"; readonly identity: HostIdentity }
);

interface Issuer {
  readonly kind: "user" | "host";
  readonly certificate: X509;
  readonly publicKey: KeyObject;
}

/** Whether this very process signed these bytes: then nobody has to verify the signature again. */
export type IsOurs = (der: Uint8Array) => boolean;

/** Verifies client certificates against one trust bundle, whose keys it imports once. */
export class ClientVerifier {
  readonly #issuers: readonly Issuer[];
  readonly #isOurs: IsOurs;

  /** Without `isOurs` every signature is verified. */
  constructor(trust: Trust, isOurs: IsOurs = () => false) {
    this.#isOurs = isOurs;
    this.#issuers = [
      ...trust.userX509.map((der) => issuer("user", der)),
      ...trust.hostX509.map((der) => issuer("host", der)),
    ];
  }

  /** `now` is in milliseconds. Every refusal is the same `unauthenticated`; `detail` has the reason. */
  verify(der: Uint8Array, now: number): VerifiedCertificate {
    // 1. It can be read, to its last byte.
    const certificate = read(der);
    // 2. An authority that we trust signed it, as the user or the host authority.
    const issuer = this.#issuers.find(
      (candidate) =>
        isNamed(certificate, candidate) &&
        (this.#isOurs(der) || verifyX509Signature(certificate, candidate.publicKey)),
    );
    if (!issuer) throw refused("no trusted authority signed it");
    // 3. It is valid now, and so is its authority.
    checkValidity(certificate, now);
    checkValidity(issuer.certificate, now);
    checkLifetime(certificate, now);
    // 4. It is for what we use it, and says nothing that we do not understand.
    checkProfile(certificate, issuer.kind);
    // 5. It says whose it is.
    const found = readIdentity(certificate, issuer.kind);
    return { der: Buffer.from(der), ...found } as VerifiedCertificate;
  }
}

/** One verification; whoever makes many with one bundle keeps a `ClientVerifier`. */
export const verifyClientCertificate = (
  der: Uint8Array,
  trust: Trust,
  now: number,
): VerifiedCertificate => new ClientVerifier(trust).verify(der, now);

function issuer(kind: "user" | "host", der: Uint8Array): Issuer {
  const certificate = parseX509(der);
  return { kind, certificate, publicKey: publicKeyFromSpki(certificate.spki) };
}

function read(der: Uint8Array): X509 {
  try {
    return parseX509(der);
  } catch (error) {
    throw refused(messageOf(error));
  }
}

/** Names and key identifiers first (RFC 5280 section 6.1.3), because they cost nothing. */
function isNamed(certificate: X509, { certificate: ca }: Issuer): boolean {
  return (
    certificate.issuerDer.equals(ca.subjectDer) &&
    certificate.authorityKeyId !== undefined &&
    ca.subjectKeyId?.equals(certificate.authorityKeyId) === true
  );
}

function checkValidity({ notBefore, notAfter, subject }: X509, now: number): void {
  const who = `"${subject.commonName ?? ""}"`;
  if (now < notBefore)
    throw refused(`${who} is not valid before ${new Date(notBefore).toISOString()}`);
  if (now > notAfter) throw refused(`${who} expired at ${new Date(notAfter).toISOString()}`);
}

/**
 * We sign nothing that lasts longer, whoever stole a key of ours might: what it signed would outlive
 * the key's rotation in connections that are open.
 */
function checkLifetime({ notAfter }: X509, now: number): void {
  if (notAfter > now + MAX_TTL_MS + CLOCK_SKEW_MS)
    throw refused(`it lasts too long, until ${new Date(notAfter).toISOString()}`);
}

function checkProfile(certificate: X509, kind: "user" | "host"): void {
  const profile = profiles[kind];
  if (certificate.isCa) throw refused("it is an authority's");
  if (certificate.keyUsages.join() !== "digitalSignature") throw refused("another key usage");
  if (!hasPurposes(certificate.extendedKeyUsages, profile)) throw refused("another purpose");
  const extra = [...certificate.extensions.keys()].find((oid) => !profile.allowed.has(oid));
  if (extra) throw refused(`an extension that does not belong there: ${extra}`);
}

function readIdentity(
  certificate: X509,
  kind: "user" | "host",
): { kind: "user"; identity: UserIdentity } | { kind: "host"; identity: HostIdentity } {
  const value = certificate.extension(identityOids[kind]);
  if (!value) throw refused("no identity in it");
  const expires = certificate.notAfter;
  try {
    if (kind === "user") return { kind, identity: { ...decodeUser(value), expires } };
    return { kind, identity: { ...decodeHost(value), expires } };
  } catch (error) {
    throw refused(messageOf(error));
  }
}

const refused = (detail: string): Error =>
  unauthenticated("the certificate is not accepted; get a new one from this cluster", { detail });
