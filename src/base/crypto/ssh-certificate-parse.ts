import { badParameter, unauthenticated } from "#base/kernel";
import { importPublicKey } from "./keys.ts";
import { keySuites, type PublicKeyBytes } from "./public-key.ts";
import { verifyBytes } from "./signature.ts";
import {
  CERTIFICATE_KIND,
  CERTIFICATE_TYPE,
  type SshCertificate,
  type SshOptions,
} from "./ssh-certificate.ts";
import {
  publicKeyBytesFromSshLine,
  readPublicFields,
  splitLine,
  SSH_KEY_TYPE,
  sshBlob,
  sshLine,
} from "./ssh-key.ts";
import { SshReader } from "./ssh-wire.ts";

/** Reading OpenSSH certificates (PROTOCOL.certkeys); `ssh-certificate.ts` writes them. */

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
  if (type !== CERTIFICATE_KIND.user && type !== CERTIFICATE_KIND.host)
    throw reader.fail("neither for a user nor a host");
  return {
    type: type === CERTIFICATE_KIND.user ? "user" : "host",
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
