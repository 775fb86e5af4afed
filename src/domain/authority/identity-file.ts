import {
  derFromPem,
  parseSshCertificate,
  parseX509,
  privateKeyFromPem,
  privateKeyPem,
  publicKeyBytesFromSshLine,
  spkiDer,
  x509Pem,
} from "#base/crypto";
import { badParameter } from "#base/kernel";
import type { KeyObject } from "node:crypto";
import { hostPattern } from "./export.ts";
import type { Trust } from "./trust.ts";

/** What one needs to be someone at a cluster, in one file of text: `tctl --identity`. */
export interface IdentityFile {
  readonly privateKey: KeyObject;
  /** DER. */
  readonly tlsCertificate: Buffer;
  /** OpenSSH certificate line; empty for none. */
  readonly sshCertificate: string;
  readonly trust: Pick<Trust, "clusterName" | "hostX509" | "hostSsh">;
}

/** Real ones have some 4 KiB; a rotation adds authorities. */
const MAX_BYTES = 256 * 1024;

/**
 * In this order: the private key (PKCS#8 PEM), the SSH certificate, the X.509 certificate, a
 * `@cert-authority` line for each SSH host authority, and the X.509 host authorities.
 */
export function encodeIdentityFile(identity: IdentityFile): string {
  const { privateKey, tlsCertificate, sshCertificate, trust } = identity;
  const { clusterName, hostSsh, hostX509 } = trust;
  const hosts = hostPattern(clusterName);
  const authorities = hostSsh.map((line) => `@cert-authority ${hosts} ${line}\n`);
  return [
    privateKeyPem(privateKey),
    ...(sshCertificate ? [`${sshCertificate.trim()}\n`] : []),
    x509Pem(tlsCertificate),
    ...authorities,
    ...hostX509.map((der) => x509Pem(der)),
  ].join("");
}

/** The inverse; `bad_parameter` names the part that is missing or wrong, and quotes none. */
export function decodeIdentityFile(text: string): IdentityFile {
  if (text.length > MAX_BYTES)
    throw badParameter(`an identity file has at most ${MAX_BYTES} bytes`);
  const key = /-----BEGIN PRIVATE KEY-----[^-]*-----END PRIVATE KEY-----/.exec(text)?.[0];
  if (!key) throw badParameter("the identity file holds no private key; is it an identity file?");
  const privateKey = privateKeyFromPem(key);
  const [tlsCertificate, ...hostX509] = derFromPem(text);
  if (!tlsCertificate || hostX509.length === 0)
    throw badParameter("the identity file must hold a certificate and those of host authorities");
  if (!spkiDer(privateKey).equals(parseX509(tlsCertificate).spki))
    throw badParameter("the private key of the identity file is not that of its certificate");
  if (!hostX509.every((der) => parseX509(der).isCa))
    throw badParameter("the identity file holds more than one certificate that is no authority");
  const sshCertificate = /^\S+-cert-v01@openssh\.com .+$/m.exec(text)?.[0].trim() ?? "";
  if (sshCertificate) parseSshCertificate(sshCertificate);
  return { privateKey, tlsCertificate, sshCertificate, trust: { ...hostsOf(text), hostX509 } };
}

function hostsOf(text: string): Pick<Trust, "clusterName" | "hostSsh"> {
  const lines = [...text.matchAll(/^@cert-authority \*\.([^,\s]+),\S+ (.+)$/gm)];
  const [, clusterName] = lines[0] ?? [];
  if (!clusterName)
    throw badParameter("the identity file has no @cert-authority line of its cluster");
  const hostSsh = lines.map(([, , line]) => line!.trim());
  for (const line of hostSsh) publicKeyBytesFromSshLine(line);
  return { clusterName, hostSsh };
}
