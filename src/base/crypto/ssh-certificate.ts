import { randomBytes, type KeyObject } from "node:crypto";
import { badParameter, unauthenticated } from "#base/kernel";
import { importPublicKey, spkiDer } from "./keys.ts";
import { keySuites, publicKeyBytes, type KeySuite, type PublicKeyBytes } from "./public-key.ts";
import { signBytes, verifyBytes } from "./signature.ts";
import {
  publicFields,
  publicKeyBytesFromSshLine,
  readPublicFields,
  splitLine,
  SSH_KEY_TYPE,
  sshBlob,
  sshLine,
} from "./ssh-key.ts";
import { SshReader, sshString, uint32, uint64 } from "./ssh-wire.ts";

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

const TYPE: Readonly<Record<SshCertificateType, number>> = { user: 1, host: 2 };
const SUFFIX = "-cert-v01@openssh.com";
const CERTIFICATE_TYPE: Readonly<Record<KeySuite, string>> = {
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
    uint32(TYPE[certificate.type]),
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

interface Parsed {
  readonly certificate: SshCertificate;
  readonly signerBlob: Buffer;
  readonly signed: Buffer;
  readonly signature: Buffer;
}

/** Reads a certificate without judging its signature; `bad_parameter` for anything malformed. */
export const parseSshCertificate = (line: string): SshCertificate => parse(line).certificate;

/**
 * The certificate, if the key of `caLine` signed it; else `unauthenticated`. Validity and principals
 * are left to the caller.
 */
export function verifySshCertificate(line: string, caLine: string): SshCertificate {
  const parsed = parse(line);
  const ca = publicKeyBytesFromSshLine(caLine);
  const signature = new SshReader(parsed.signature, "the SSH signature");
  const valid =
    ca.suite === "ed25519" &&
    parsed.signerBlob.equals(sshBlob(ca)) &&
    signature.text() === SSH_KEY_TYPE.ed25519 &&
    verifyBytes(importPublicKey(ca), parsed.signed, signature.string()) &&
    signature.done;
  if (!valid) throw unauthenticated("the SSH certificate is not signed by the given authority");
  return parsed.certificate;
}

function parse(line: string): Parsed {
  const { type, blob } = splitLine(line, "the SSH certificate");
  const suite = keySuites.find((suite) => CERTIFICATE_TYPE[suite] === type);
  if (!suite) throw badParameter(`"${type.slice(0, 64)}" is not a type of SSH certificate`);
  const reader = new SshReader(blob, "the SSH certificate");
  if (reader.text() !== type) throw reader.fail("its type differs from the line's");
  reader.string(); // the nonce
  const certificate = readFields(reader, readPublicFields(reader, suite));
  reader.string(); // reserved
  const signerBlob = reader.string();
  const signed = blob.subarray(0, reader.offset);
  const signature = reader.string();
  reader.end();
  return { certificate, signerBlob, signed, signature };
}

function readFields(reader: SshReader, key: PublicKeyBytes): SshCertificate {
  const serial = reader.uint64();
  const type = reader.uint32();
  if (type !== TYPE.user && type !== TYPE.host) throw reader.fail("neither for a user nor a host");
  return {
    type: type === TYPE.user ? "user" : "host",
    publicKeyLine: sshLine(key),
    keyId: reader.text(),
    serial,
    principals: readList(reader.string()),
    validAfter: milliseconds(reader.uint64()),
    validBefore: milliseconds(reader.uint64()),
    criticalOptions: readOptions(reader.string()),
    extensions: readOptions(reader.string()),
  };
}

function milliseconds(seconds: bigint): number {
  const ms = seconds * 1000n;
  return ms > Number.MAX_SAFE_INTEGER ? Infinity : Number(ms);
}

function readList(bytes: Buffer): string[] {
  const reader = new SshReader(bytes, "the list of principals");
  const names: string[] = [];
  while (!reader.done) names.push(reader.text());
  return names;
}

function readOptions(bytes: Buffer): SshOptions {
  const reader = new SshReader(bytes, "the list of options");
  const found: [string, string][] = [];
  while (!reader.done) {
    const name = reader.text();
    if (name <= (found.at(-1)?.[0] ?? "")) throw reader.fail("options not in order, or twice");
    found.push([name, readValue(reader.string())]);
  }
  return Object.fromEntries(found);
}

function readValue(data: Buffer): string {
  if (data.length === 0) return "";
  const reader = new SshReader(data, "an option's value");
  const value = reader.text();
  reader.end();
  return value;
}
