import { randomBytes, type KeyObject } from "node:crypto";
import { badParameter } from "#base/kernel";
import { spkiDer } from "./keys.ts";
import { publicKeyBytes, type KeySuite } from "./public-key.ts";
import { signBytes } from "./signature.ts";
import { publicFields, publicKeyBytesFromSshLine, SSH_KEY_TYPE, sshBlob } from "./ssh-key.ts";
import { sshString, uint32, uint64 } from "./ssh-wire.ts";

/** OpenSSH certificates (PROTOCOL.certkeys), for Ed25519 and P-256 keys, signed by Ed25519 keys. */

export type SshCertificateType = "user" | "host";

/** Names to values; an empty value is a flag (`permit-pty`). */
export type SshOptions = Readonly<Record<string, string>>;

export interface SshCertificate {
  readonly type: SshCertificateType;
  /** The certified key, as a line. */
  readonly publicKeyLine: string;
  readonly keyId: string;
  readonly serial: bigint;
  readonly principals: readonly string[];
  /** Milliseconds since the epoch, whole seconds; `Infinity` for a certificate without end. */
  readonly validAfter: number;
  readonly validBefore: number;
  readonly criticalOptions: SshOptions;
  readonly extensions: SshOptions;
}

/** The signer with its public half made ready: exporting it costs as much as a signature. */
export interface SshSigner {
  readonly privateKey: KeyObject;
  readonly blob: Buffer;
}

export function sshSigner(privateKey: KeyObject): SshSigner {
  const key = publicKeyBytes(spkiDer(privateKey));
  if (key.suite !== "ed25519") throw badParameter("SSH certificates are signed by Ed25519 keys");
  return { privateKey, blob: sshBlob(key) };
}

/** Numbers of the two types of certificate. */
export const CERTIFICATE_KIND: Readonly<Record<SshCertificateType, number>> = { user: 1, host: 2 };
const SUFFIX = "-cert-v01@openssh.com";
export const CERTIFICATE_TYPE: Readonly<Record<KeySuite, string>> = {
  ed25519: SSH_KEY_TYPE.ed25519 + SUFFIX,
  "ecdsa-p256": SSH_KEY_TYPE["ecdsa-p256"] + SUFFIX,
};
const NONCE_BYTES = 32;
const FOREVER = 0xffff_ffff_ffff_ffffn;

/** Writes and signs; gives the line `ssh-ed25519-cert-v01@openssh.com AAAA…`. */
export function issueSshCertificate(
  certificate: SshCertificate & { readonly signer: SshSigner },
): string {
  const key = publicKeyBytesFromSshLine(certificate.publicKeyLine);
  const { signer } = certificate;
  const body = Buffer.concat([
    sshString(CERTIFICATE_TYPE[key.suite]),
    sshString(randomBytes(NONCE_BYTES)),
    publicFields(key),
    uint64(certificate.serial),
    uint32(CERTIFICATE_KIND[certificate.type]),
    sshString(certificate.keyId),
    sshString(Buffer.concat(checkedPrincipals(certificate.principals).map(sshString))),
    seconds(certificate.validAfter),
    seconds(certificate.validBefore),
    options(certificate.criticalOptions),
    options(certificate.extensions),
    sshString(""),
    sshString(signer.blob),
  ]);
  const raw = signBytes(signer.privateKey, body);
  const signature = Buffer.concat([sshString(SSH_KEY_TYPE.ed25519), sshString(raw)]);
  const line = Buffer.concat([body, sshString(signature)]).toString("base64");
  return `${CERTIFICATE_TYPE[key.suite]} ${line}`;
}

/** An empty list would be valid for every principal, so none is written. */
function checkedPrincipals(principals: readonly string[]): readonly string[] {
  if (principals.length === 0)
    throw badParameter("an SSH certificate needs at least one principal; none would mean all");
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  const bad = principals.find((name) => name === "" || /[\u0000-\u001f\u007f,]/.test(name));
  if (bad !== undefined)
    throw badParameter(
      `"${bad}" cannot be an SSH principal: it is empty or has a forbidden character`,
    );
  return principals;
}

function seconds(ms: number): Buffer {
  return uint64(ms === Infinity ? FOREVER : BigInt(Math.floor(ms / 1000)));
}

/** Sorted by name, each once; a value is a string within the data string. */
function options(values: SshOptions): Buffer {
  const parts: Buffer[] = [];
  for (const name of Object.keys(values).sort()) {
    const value = values[name]!;
    parts.push(sshString(name), sshString(value === "" ? "" : sshString(value)));
  }
  return sshString(Buffer.concat(parts));
}
