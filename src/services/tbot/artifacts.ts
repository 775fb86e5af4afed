import { privateKeyPem, sshPublicKeyLine, x509Pem } from "#base/crypto";
import type { Trust } from "#domain/authority";
import type { Artifact } from "./destinations/destination.ts";
import type { OutputCredentials } from "./identity.ts";

/** Spec section 5, "Artifacts". One private key serves SSH and TLS: PKCS#8, which both read. */
export function keyFiles(credentials: OutputCredentials): Artifact[] {
  return [
    { name: "key", data: privateKeyPem(credentials.privateKey) },
    { name: "key.pub", data: `${sshPublicKeyLine(credentials.publicKey)}\n`, public: true },
    { name: "key-cert.pub", data: `${credentials.sshCertificate}\n`, public: true },
    { name: "tlscert", data: x509Pem(credentials.tlsCertificate), public: true },
  ];
}

export function tlsFiles(credentials: OutputCredentials): Artifact[] {
  return [
    { name: "key", data: privateKeyPem(credentials.privateKey) },
    { name: "tlscert", data: x509Pem(credentials.tlsCertificate), public: true },
    ...certificateAuthorityFiles(credentials.trust),
  ];
}

export function specificTlsFiles(credentials: OutputCredentials): Artifact[] {
  return [
    { name: "tls.key", data: privateKeyPem(credentials.privateKey) },
    { name: "tls.crt", data: x509Pem(credentials.tlsCertificate), public: true },
    { name: "tls.cas", data: bundle(credentials.trust.hostX509), public: true },
  ];
}

export function certificateAuthorityFiles(trust: Trust): Artifact[] {
  return [
    { name: "tenon-host-ca.crt", data: bundle(trust.hostX509), public: true },
    { name: "tenon-user-ca.crt", data: bundle(trust.userX509), public: true },
    { name: "tenon-database-ca.crt", data: bundle(trust.databaseX509), public: true },
  ];
}

const bundle = (certificates: readonly Buffer[]): string =>
  certificates.map((der) => x509Pem(der)).join("");
