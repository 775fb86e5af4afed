import { parseX509, sha256Hex, spkiDer } from "#base/crypto";
import type { CertAuthority } from "#domain/resources";
import { certificateOf, jwtPublicKey } from "./signers.ts";

/** What `tctl status` shows of an authority. */
export interface AuthoritySummary {
  readonly type: string;
  readonly phase: string;
  /** `sha256:<hex>` of the active key's SubjectPublicKeyInfo: the CA pin, for the host authority. */
  readonly fingerprint: string;
  /** Milliseconds since the epoch; 0 for keys that have no end. */
  readonly notAfter: number;
}

export function describe({ spec, status }: CertAuthority): AuthoritySummary {
  const { active } = spec;
  const certificate = active.x509_certificate ? parseX509(certificateOf(active)) : undefined;
  const spki = certificate?.spki ?? spkiDer(jwtPublicKey(active));
  return {
    type: spec.type,
    phase: status?.phase ?? "standby",
    fingerprint: `sha256:${sha256Hex(spki)}`,
    notAfter: certificate?.notAfter ?? 0,
  };
}
