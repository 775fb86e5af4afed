import { privateKeyPem, x509Pem } from "#base/crypto";
import { lockTargetsOf } from "#domain/access";
import { HOST_SERVER_NAME, verifyClientCertificate } from "#domain/authority";
import type { TlsCredentials } from "#services/tunnel";
import type { OutputCredentials } from "#services/bot-client";

export function tlsCredentials({
  privateKey,
  tlsCertificate,
  trust,
  expires,
}: OutputCredentials): TlsCredentials {
  return {
    cert: x509Pem(tlsCertificate),
    key: privateKeyPem(privateKey),
    ca: trust.hostX509.map((der) => x509Pem(der)),
    serverName: HOST_SERVER_NAME(trust.clusterName),
    expires,
  };
}

/** What locks may name the holder of these credentials by, also after they have expired. */
export function lockTargets(
  credentials: Pick<OutputCredentials, "tlsCertificate" | "trust" | "expires">,
): readonly string[] {
  const { tlsCertificate, trust, expires } = credentials;
  return lockTargetsOf(verifyClientCertificate(tlsCertificate, trust, expires - 1).identity);
}
