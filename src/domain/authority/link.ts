import {
  derFromPem,
  issueX509,
  parseX509,
  privateKeyFromPem,
  x509Issuer,
  x509Pem,
} from "#base/crypto";
import { internal } from "#base/kernel";
import type { AuthorityPublicKeys, CertAuthority } from "#domain/resources";
import { AUTHORITY_EXTENSIONS } from "./keys.ts";
import { retiredKeys } from "./rotation.ts";
import { certificateOf, type StoredKeys } from "./signers.ts";

/**
 * "New with old" of RFC 4210 section 4.4: the new key of an authority, certified by the one before
 * it. A server shows it below its own certificate, and then also those verify it who know only the
 * old key. Both authorities have one name, so it is self-issued, and no path length counts it (RFC
 * 5280 section 4.2.1.9).
 */
export function linkCertificate(fresh: AuthorityPublicKeys, old: StoredKeys): string {
  const { subject, spki, notBefore, notAfter } = parseX509(certificateOf(fresh));
  const issuing = certificateOf(old.publicKeys);
  const { x509 } = old.privateKeys;
  if (!x509) throw internal(`the authority keys "${old.publicKeys.key_id}" cannot certify a key`);
  const der = issueX509({
    issuer: x509Issuer(issuing, privateKeyFromPem(x509)),
    subject,
    publicKeySpki: spki,
    notBefore,
    notAfter: Math.min(notAfter, parseX509(issuing).notAfter),
    extensions: AUTHORITY_EXTENSIONS,
  });
  return x509Pem(der);
}

/**
 * What servers show below certificates of the active keys, DER: while the keys before them are
 * trusted, and then for those who were away. `now` in milliseconds.
 */
export function linksOf(authority: CertAuthority, now: number): readonly Buffer[] {
  const { active } = authority.spec;
  if (!active.linked_certificate) return [];
  const rotating = authority.status?.rotation?.new_key_id === active.key_id;
  const helpful = rotating || retiredKeys(authority).some(({ until }) => until > now);
  return helpful ? derFromPem(active.linked_certificate) : [];
}
