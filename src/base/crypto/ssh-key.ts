import { randomBytes, type KeyObject } from "node:crypto";
import { badParameter } from "#base/kernel";
import { importPublicKey, publicKeyOf, spkiDer, suiteOf } from "./keys.ts";
import { pem } from "./pem.ts";
import {
  checked,
  keySuites,
  publicKeyBytes,
  type KeySuite,
  type PublicKeyBytes,
} from "./public-key.ts";
import { sha256 } from "./random.ts";
import { mpint, SshReader, sshString, uint32 } from "./ssh-wire.ts";

/** OpenSSH's spelling of keys: lines, fingerprints and the private key file. */

/** Names of key types (RFC 8709, RFC 5656). */
export const SSH_KEY_TYPE: Readonly<Record<KeySuite, string>> = {
  ed25519: "ssh-ed25519",
  "ecdsa-p256": "ecdsa-sha2-nistp256",
};
export const SSH_CURVE = "nistp256";

/** A key takes 80 to 140 characters, a certificate with the largest identity 50 thousand. */
const MAX_LINE = 64 * 1024;

/** The fields of a public key after its type, as in a key or in a certificate. */
export function publicFields({ suite, raw }: PublicKeyBytes): Buffer {
  if (suite === "ed25519") return sshString(raw);
  return Buffer.concat([sshString(SSH_CURVE), sshString(raw)]);
}

export function readPublicFields(reader: SshReader, suite: KeySuite): PublicKeyBytes {
  if (suite === "ecdsa-p256" && reader.text() !== SSH_CURVE) throw reader.fail("another curve");
  return checked({ suite, raw: reader.string() });
}

/** The public key blob: type and fields. */
export function sshBlob(key: PublicKeyBytes): Buffer {
  return Buffer.concat([sshString(SSH_KEY_TYPE[key.suite]), publicFields(key)]);
}

/** Reads `type base64 [comment]`; `bad_parameter` for garbage and for any other type. */
export function publicKeyBytesFromSshLine(line: string): PublicKeyBytes {
  const { type, blob } = splitLine(line, "the SSH public key");
  const suite = keySuites.find((suite) => SSH_KEY_TYPE[suite] === type);
  if (!suite)
    throw badParameter(
      `an SSH public key must start with ${Object.values(SSH_KEY_TYPE).join(" or ")}`,
    );
  const reader = new SshReader(blob, "the SSH public key");
  if (reader.text() !== type) throw reader.fail("its type differs from the line's");
  const key = readPublicFields(reader, suite);
  reader.end();
  return key;
}

/** Takes a line apart; shared by keys and certificates. */
export function splitLine(line: string, what: string): { type: string; blob: Buffer } {
  const text = line.trim();
  const [type = "", base64 = ""] = text.split(/[ \t]+/, 2);
  if (text.length > MAX_LINE || /[\r\n\0]/.test(text))
    throw badParameter(`${what} must be one line of at most ${MAX_LINE} characters`);
  const blob = Buffer.from(base64, "base64");
  if (blob.length === 0 || blob.toString("base64") !== base64)
    throw badParameter(`${what} is not "type base64 [comment]"`);
  return { type, blob };
}

export function sshLine(key: PublicKeyBytes, comment = ""): string {
  return lineOf(SSH_KEY_TYPE[key.suite], sshBlob(key), comment);
}

export function lineOf(type: string, blob: Buffer, comment: string): string {
  const line = `${type} ${blob.toString("base64")}`;
  return comment ? `${line} ${comment.replaceAll(/[\r\n\0]/g, " ")}` : line;
}

/** `ssh-ed25519 AAAA… comment` of a key, or of a private key's public half. */
export const sshPublicKeyLine = (key: KeyObject, comment?: string): string =>
  sshLine(publicKeyBytes(spkiDer(key)), comment);

export const publicKeyFromSshLine = (line: string): KeyObject =>
  importPublicKey(publicKeyBytesFromSshLine(line));

/** `SHA256:…` as `ssh-keygen -l` prints it. */
export function sshFingerprint(key: KeyObject | string): string {
  const bytes =
    typeof key === "string" ? publicKeyBytesFromSshLine(key) : publicKeyBytes(spkiDer(key));
  return fingerprintOfBlob(sshBlob(bytes));
}

export const fingerprintOfBlob = (blob: Uint8Array): string =>
  `SHA256:${sha256(blob).toString("base64").replaceAll("=", "")}`;

const MAGIC = Buffer.from("openssh-key-v1\0");
/** Unencrypted files are padded to this many bytes (PROTOCOL.key). */
const BLOCK_BYTES = 8;

/** `-----BEGIN OPENSSH PRIVATE KEY-----`, unencrypted: what `ssh -i` reads (PROTOCOL.key). */
export function openSshPrivateKey(key: KeyObject, comment = ""): string {
  const publicKey = publicKeyBytes(spkiDer(publicKeyOf(key)));
  const check = randomBytes(4);
  const secret = pad(
    Buffer.concat([
      check,
      check,
      sshString(SSH_KEY_TYPE[suiteOf(key)]),
      publicFields(publicKey),
      privateFields(key, publicKey),
      sshString(comment),
    ]),
  );
  const none = sshString("none");
  const head = [MAGIC, none, none, sshString(""), uint32(1), sshString(sshBlob(publicKey))];
  return pem("OPENSSH PRIVATE KEY", Buffer.concat([...head, sshString(secret)]), 70);
}

function privateFields(key: KeyObject, publicKey: PublicKeyBytes): Buffer {
  const scalar = Buffer.from(key.export({ format: "jwk" }).d ?? "", "base64url");
  if (publicKey.suite === "ed25519") return sshString(Buffer.concat([scalar, publicKey.raw]));
  return mpint(scalar);
}

function pad(bytes: Buffer): Buffer {
  const missing = (BLOCK_BYTES - (bytes.length % BLOCK_BYTES)) % BLOCK_BYTES;
  return Buffer.concat([bytes, Buffer.from(Array.from({ length: missing }, (_, i) => i + 1))]);
}
