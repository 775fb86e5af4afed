import { formatDuration } from "#base/config";
import type { GetStatusResponse_Authority } from "@tenon/api/tenon/auth/v1/auth";
import { timeOf } from "./time.ts";

/** An authority as programs read it. */
export function plainAuthority(authority: GetStatusResponse_Authority): object {
  const { type, phase, fingerprint, notAfter, trustedFingerprints, rotation } = authority;
  return {
    type,
    phase,
    fingerprint,
    not_after: timeOf(notAfter),
    trusted_fingerprints: trustedFingerprints,
    ...(rotation ? { rotation: plainRotation(rotation) } : {}),
  };
}

const plainRotation = (rotation: NonNullable<GetStatusResponse_Authority["rotation"]>): object => ({
  mode: rotation.mode,
  started_at: timeOf(rotation.startedAt),
  phase_since: timeOf(rotation.phaseSince),
  ...(rotation.nextPhaseAt > 0n ? { next_phase_at: timeOf(rotation.nextPhaseAt) } : {}),
  grace_period: formatDuration(Number(rotation.gracePeriodSeconds) * 1_000),
  old_fingerprint: rotation.oldFingerprint,
  new_fingerprint: rotation.newFingerprint,
  behind: rotation.behind,
});
