import { durationMs } from "#base/config";
import { parseX509, sha256Hex, spkiDer } from "#base/crypto";
import type { AuthorityPublicKeys, CertAuthority, Rotation } from "#domain/resources";
import { trustedKeys } from "./export.ts";
import { phaseOf } from "./rotation.ts";
import { certificateOf, jwtPublicKey } from "./signers.ts";

/** What `tctl status` and `tctl auth rotate status` show of an authority; times in milliseconds. */
export interface AuthoritySummary {
  readonly type: string;
  readonly phase: string;
  /** `sha256:<hex>` of the active key's SubjectPublicKeyInfo: the CA pin, for the host authority. */
  readonly fingerprint: string;
  /** 0 for keys that have no end. */
  readonly notAfter: number;
  /** Of every trusted key, the active one first. */
  readonly trustedFingerprints: readonly string[];
  /** Absent in standby. */
  readonly rotation?: RotationSummary;
}

export interface RotationSummary {
  readonly mode: Rotation["mode"];
  readonly startedAt: number;
  readonly phaseSince: number;
  /** 0: it does not begin by itself. */
  readonly nextPhaseAt: number;
  readonly graceMs: number;
  readonly oldFingerprint: string;
  readonly newFingerprint: string;
}

export function describe(authority: CertAuthority): AuthoritySummary {
  const { active, type } = authority.spec;
  const certificate = active.x509_certificate ? parseX509(certificateOf(active)) : undefined;
  const rotation = authority.status?.rotation;
  return {
    type,
    phase: phaseOf(authority),
    fingerprint: fingerprintOf(active),
    notAfter: certificate?.notAfter ?? 0,
    trustedFingerprints: trustedKeys(authority).map(fingerprintOf),
    ...(rotation ? { rotation: describeRotation(authority, rotation) } : {}),
  };
}

function describeRotation(authority: CertAuthority, rotation: Rotation): RotationSummary {
  const { mode, started_at, phase_since, next_phase_at, grace_period } = rotation;
  return {
    mode,
    startedAt: Date.parse(started_at),
    phaseSince: Date.parse(phase_since),
    nextPhaseAt: next_phase_at === undefined ? 0 : Date.parse(next_phase_at),
    graceMs: durationMs(grace_period),
    ...rotationFingerprints(authority, rotation),
  };
}

/** Of the keys before and after; empty for one that is no longer trusted. */
export function rotationFingerprints(
  authority: CertAuthority,
  { old_key_id, new_key_id }: Rotation,
): { oldFingerprint: string; newFingerprint: string } {
  const of = (id: string): string => {
    const found = trustedKeys(authority).find(({ key_id }) => key_id === id);
    return found ? fingerprintOf(found) : "";
  };
  return { oldFingerprint: of(old_key_id), newFingerprint: of(new_key_id) };
}

/** `sha256:<hex>` of the SubjectPublicKeyInfo of the X.509 key, or else of the key for tokens. */
export function fingerprintOf(keys: AuthorityPublicKeys): string {
  const spki = keys.x509_certificate
    ? parseX509(certificateOf(keys)).spki
    : spkiDer(jwtPublicKey(keys));
  return `sha256:${sha256Hex(spki)}`;
}
