import { privateKeyPem, x509Pem } from "#base/crypto";
import { unavailable } from "#base/kernel";
import { HOST_SERVER_NAME } from "#domain/authority";
import type { Enrolment } from "#services/enrolment";
import type { TlsCredentials } from "#services/tunnel";

/** What the agent shows to the proxy, and knows it by; `unavailable` before it has joined. */
export function tunnelCredentials(enrolment: Enrolment): TlsCredentials {
  const identity = enrolment.current;
  if (!identity) throw unavailable("this agent has not joined the cluster yet");
  return {
    cert: x509Pem(identity.tlsCertificate),
    key: privateKeyPem(identity.tlsPrivateKey),
    ca: identity.trust.hostX509.map((der) => x509Pem(der)),
    serverName: HOST_SERVER_NAME(identity.trust.clusterName),
    expires: identity.expires,
  };
}
