import { sign, verify, type KeyObject } from "node:crypto";
import { sequence, tags, unsignedInteger } from "./der.ts";
import { DerReader, integerBytes } from "./der-reader.ts";
import { boundSuiteOf } from "./keys.ts";
import type { BoundKeySuite, KeySuite } from "./public-key.ts";

/**
 * Signatures, with the algorithm that follows from the key and from nothing else. P-256 ones have two
 * spellings: X.509 takes DER, which is OpenSSL's own; JWS and key stores take 64 bytes. Node can
 * convert (`dsaEncoding`), but that doubles the time of a signature.
 */

const DIGEST: Readonly<Record<BoundKeySuite, "sha256" | null>> = {
  ed25519: null,
  "ecdsa-p256": "sha256",
  "ml-dsa-65": null,
};

/** Bytes as JWS takes them: for P-256 the pair r ‖ s (RFC 7518 section 3.4), FIPS 204 table 2. */
export const SIGNATURE_BYTES: Readonly<Record<BoundKeySuite, number>> = {
  ed25519: 64,
  "ecdsa-p256": 64,
  "ml-dsa-65": 3309,
};

/** How X.509 names the two (RFC 8410 section 3, RFC 5758 section 3.2). */
export const SIGNATURE_OIDS: Readonly<Record<KeySuite, string>> = {
  ed25519: "1.3.101.112",
  "ecdsa-p256": "1.2.840.10045.4.3.2",
};

/** P-256 in DER, the others as they are. */
export function signDer(privateKey: KeyObject, data: Uint8Array): Buffer {
  return sign(DIGEST[boundSuiteOf(privateKey)], data, privateKey);
}

export function verifyDer(publicKey: KeyObject, data: Uint8Array, signature: Uint8Array): boolean {
  return verify(DIGEST[boundSuiteOf(publicKey)], data, publicKey, signature);
}

/** As JWS takes it: RFC 7518 section 3.4, RFC 8037 section 3.1, RFC 9964 section 3. */
export function signBytes(privateKey: KeyObject, data: Uint8Array): Buffer {
  const signature = signDer(privateKey, data);
  return boundSuiteOf(privateKey) === "ecdsa-p256" ? pairFromDer(signature) : signature;
}

export function verifyBytes(
  publicKey: KeyObject,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  const suite = boundSuiteOf(publicKey);
  if (signature.length !== SIGNATURE_BYTES[suite]) return false;
  return verifyDer(publicKey, data, suite === "ecdsa-p256" ? derFromPair(signature) : signature);
}

/** Bytes of r and of s. */
const HALF = 32;

function pairFromDer(signature: Uint8Array): Buffer {
  const reader = DerReader.of(signature).enter();
  const pair = Buffer.alloc(2 * HALF);
  for (const end of [HALF, 2 * HALF]) {
    const number = integerBytes(reader.next(tags.integer));
    const digits = number.length > HALF ? number.subarray(1) : number;
    pair.set(digits, end - digits.length);
  }
  return pair;
}

const derFromPair = (pair: Uint8Array): Buffer =>
  sequence(unsignedInteger(pair.subarray(0, HALF)), unsignedInteger(pair.subarray(HALF)));
