import { createPublicKey, type KeyObject } from "node:crypto";
import { badParameter } from "#base/kernel";
import { boundSuiteOf, publicKeyOf } from "./keys.ts";
import {
  fingerprintOfBlob,
  lineOf,
  publicKeyFromSshLine,
  splitLine,
  sshFingerprint,
  sshPublicKeyLine,
} from "./ssh-key.ts";
import { SshReader, sshString } from "./ssh-wire.ts";

/**
 * Bound keys as people and tokens spell them: OpenSSH lines and fingerprints. OpenSSH itself has no
 * line for ML-DSA keys alone; theirs is the one of draft-sfluhrer-ssh-mldsa-08 section 4, which other
 * implementations of SSH already write.
 */

const ML_DSA_TYPE = "ssh-mldsa-65";
/** FIPS 204 table 2. */
const ML_DSA_PUBLIC_BYTES = 1952;

/** `ssh-ed25519 AAAA… comment` of a key, or of a private key's public half. */
export function boundKeyLine(key: KeyObject, comment = ""): string {
  if (boundSuiteOf(key) !== "ml-dsa-65") return sshPublicKeyLine(key, comment);
  return lineOf(ML_DSA_TYPE, mlDsaBlob(key), comment);
}

/** `bad_parameter` for garbage and for any other type. */
export function boundKeyFromLine(line: string): KeyObject {
  return isMlDsa(line) ? importMlDsa(readMlDsaLine(line)) : publicKeyFromSshLine(line);
}

/** `SHA256:…` as `ssh-keygen -l` prints it. */
export function boundKeyFingerprint(key: KeyObject | string): string {
  if (typeof key !== "string")
    return boundSuiteOf(key) === "ml-dsa-65"
      ? fingerprintOfBlob(mlDsaBlob(key))
      : sshFingerprint(key);
  if (!isMlDsa(key)) return sshFingerprint(key);
  readMlDsaLine(key);
  return fingerprintOfBlob(splitLine(key, WHAT).blob);
}

const WHAT = "the bound public key";

const isMlDsa = (line: string): boolean => /^\s*ssh-mldsa-65[ \t]/.test(line);

function mlDsaBlob(key: KeyObject): Buffer {
  const { pub = "" } = publicKeyOf(key).export({ format: "jwk" });
  const raw = Buffer.from(typeof pub === "string" ? pub : "", "base64url");
  return Buffer.concat([sshString(ML_DSA_TYPE), sshString(raw)]);
}

function readMlDsaLine(line: string): Buffer {
  const reader = new SshReader(splitLine(line, WHAT).blob, WHAT);
  if (reader.text() !== ML_DSA_TYPE) throw reader.fail("its type differs from the line's");
  const raw = reader.string();
  reader.end();
  if (raw.length !== ML_DSA_PUBLIC_BYTES)
    throw badParameter(`an ML-DSA-65 public key is ${ML_DSA_PUBLIC_BYTES} bytes long`);
  return raw;
}

/** RFC 9964 section 4: an algorithm key pair. */
function importMlDsa(raw: Buffer): KeyObject {
  const key = { kty: "AKP", alg: "ML-DSA-65", pub: raw.toString("base64url") };
  try {
    return createPublicKey({ key, format: "jwk" });
  } catch (error) {
    throw badParameter("this version of Node takes no ML-DSA-65 public keys", { cause: error });
  }
}
