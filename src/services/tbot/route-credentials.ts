import { lockTargetsOf } from "#domain/access";
import { verifyClientCertificate } from "#domain/authority";
import type { OutputCredentials } from "#services/bot-client";

/** What locks may name the holder of these credentials by, also after they have expired. */
export function lockTargets(
  credentials: Pick<OutputCredentials, "tlsCertificate" | "trust" | "expires">,
): readonly string[] {
  const { tlsCertificate, trust, expires } = credentials;
  return lockTargetsOf(verifyClientCertificate(tlsCertificate, trust, expires - 1).identity);
}
