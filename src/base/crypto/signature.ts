import { sign, verify, type KeyObject } from "node:crypto";
import { suiteOf } from "./keys.ts";
import type { KeySuite } from "./public-key.ts";

/**
 * Raw signatures as JWS and key stores use them (RFC 7518 section 3.4, RFC 8037): 64 bytes, for P-256
 * the fixed-length pair r ‖ s. The algorithm follows from the key and from nothing else.
 */

const DIGEST: Readonly<Record<KeySuite, "sha256" | null>> = {
  ed25519: null,
  "ecdsa-p256": "sha256",
};
const SIGNATURE_BYTES = 64;

export function signBytes(privateKey: KeyObject, data: Uint8Array): Buffer {
  const digest = DIGEST[suiteOf(privateKey)];
  return sign(digest, data, { key: privateKey, dsaEncoding: "ieee-p1363" });
}

export function verifyBytes(
  publicKey: KeyObject,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  const digest = DIGEST[suiteOf(publicKey)];
  if (signature.length !== SIGNATURE_BYTES) return false;
  return verify(digest, data, { key: publicKey, dsaEncoding: "ieee-p1363" }, signature);
}

/** How X.509 names the two (RFC 8410 section 3, RFC 5758 section 3.2). */
export const SIGNATURE_OIDS: Readonly<Record<KeySuite, string>> = {
  ed25519: "1.3.101.112",
  "ecdsa-p256": "1.2.840.10045.4.3.2",
};

/** The same with P-256 signatures in DER, as X.509 has them. */
export function signDer(privateKey: KeyObject, data: Uint8Array): Buffer {
  return sign(DIGEST[suiteOf(privateKey)], data, privateKey);
}

export function verifyDer(publicKey: KeyObject, data: Uint8Array, signature: Uint8Array): boolean {
  return verify(DIGEST[suiteOf(publicKey)], data, publicKey, signature);
}
