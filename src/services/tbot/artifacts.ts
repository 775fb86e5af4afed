import { yamlOf } from "#base/config";
import { privateKeyPem, sshPublicKeyLine, x509Pem } from "#base/crypto";
import { encodeIdentityFile, HOST_SERVER_NAME, type Trust } from "#domain/authority";
import type { Artifact } from "./destinations/destination.ts";
import type { GeneratedIdentity, OutputCredentials } from "#services/bot-client";
import { sshFiles } from "./ssh-files.ts";

/** Spec section 5, "Artifacts": what an identity is as files. `where` is their directory. */
export function identityFiles(
  credentials: OutputCredentials,
  where: string,
  options: { readonly ssh_config: "on" | "off" },
): Artifact[] {
  return [
    { name: "identity", data: encodeIdentityFile(credentials) },
    ...keyFiles(credentials),
    ...certificateAuthorityFiles(credentials.trust),
    ...(options.ssh_config === "on" ? sshFiles(credentials, where) : []),
  ];
}

/** For whatever speaks TLS: an application, a database. */
export function routeFiles(
  credentials: OutputCredentials,
  options: { readonly specific_tls_extensions: boolean },
): Artifact[] {
  return [
    ...tlsFiles(credentials),
    ...(options.specific_tls_extensions ? specificTlsFiles(credentials) : []),
  ];
}

/** For kubectl, which holds key, certificate and authority in its one file. */
export function kubernetesFiles(credentials: GeneratedIdentity, cluster: string): Artifact[] {
  return [
    ...tlsFiles(credentials),
    { name: "kubeconfig.yaml", data: kubeconfig(credentials, cluster) },
  ];
}

function kubeconfig(credentials: GeneratedIdentity, name: string): string {
  const { trust, tlsCertificate, privateKey, proxyAddress } = credentials;
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const cluster = {
    server: `https://${proxyAddress}`,
    "tls-server-name": HOST_SERVER_NAME(trust.clusterName),
    "certificate-authority-data": base64(bundle(trust.hostX509)),
  };
  const user = {
    "client-certificate-data": base64(x509Pem(tlsCertificate)),
    "client-key-data": base64(privateKeyPem(privateKey)),
  };
  return yamlOf({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
  });
}

/** One private key serves SSH and TLS: PKCS#8, which both read. */
function keyFiles(credentials: OutputCredentials): Artifact[] {
  return [
    { name: "key", data: privateKeyPem(credentials.privateKey) },
    { name: "key.pub", data: `${sshPublicKeyLine(credentials.publicKey)}\n`, public: true },
    { name: "key-cert.pub", data: `${credentials.sshCertificate}\n`, public: true },
    { name: "tlscert", data: x509Pem(credentials.tlsCertificate), public: true },
  ];
}

function tlsFiles(credentials: OutputCredentials): Artifact[] {
  return [
    { name: "key", data: privateKeyPem(credentials.privateKey) },
    { name: "tlscert", data: x509Pem(credentials.tlsCertificate), public: true },
    ...certificateAuthorityFiles(credentials.trust),
  ];
}

function specificTlsFiles(credentials: OutputCredentials): Artifact[] {
  return [
    { name: "tls.key", data: privateKeyPem(credentials.privateKey) },
    { name: "tls.crt", data: x509Pem(credentials.tlsCertificate), public: true },
    { name: "tls.cas", data: bundle(credentials.trust.hostX509), public: true },
  ];
}

function certificateAuthorityFiles(trust: Trust): Artifact[] {
  return [
    { name: "tenon-host-ca.crt", data: bundle(trust.hostX509), public: true },
    { name: "tenon-user-ca.crt", data: bundle(trust.userX509), public: true },
    { name: "tenon-database-ca.crt", data: bundle(trust.databaseX509), public: true },
  ];
}

const bundle = (certificates: readonly Buffer[]): string =>
  certificates.map((der) => x509Pem(der)).join("");
