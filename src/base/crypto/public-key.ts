import { badParameter } from "#base/kernel";

/**
 * The public keys that Tenon handles, as bytes. Certificates are written from these without making
 * a KeyObject: importing a P-256 key costs OpenSSL four times a signature.
 */

export const keySuites = ["ed25519", "ecdsa-p256"] as const;
export type KeySuite = (typeof keySuites)[number];

/** What a bound key may be: any suite of certificates, or ML-DSA-65 (FIPS 204), which none certify. */
export const boundKeySuites = [...keySuites, "ml-dsa-65"] as const;
export type BoundKeySuite = (typeof boundKeySuites)[number];

/** Ed25519: the 32 bytes of RFC 8032. P-256: the uncompressed point, 65 bytes (SEC 1). */
export interface PublicKeyBytes {
  readonly suite: KeySuite;
  readonly raw: Buffer;
}

/** SubjectPublicKeyInfo up to the key itself (RFC 8410 section 4, RFC 5480 section 2). */
const SPKI_PREFIX: Readonly<Record<KeySuite, Buffer>> = {
  ed25519: Buffer.from("302a300506032b6570032100", "hex"),
  "ecdsa-p256": Buffer.from("3059301306072a8648ce3d020106082a8648ce3d030107034200", "hex"),
};
const RAW_LENGTH: Readonly<Record<KeySuite, number>> = { ed25519: 32, "ecdsa-p256": 65 };

/** Reads DER SubjectPublicKeyInfo; `bad_parameter` for garbage and for any other type or curve. */
export function publicKeyBytes(spki: Uint8Array): PublicKeyBytes {
  const suite = keySuites.find(
    (suite) =>
      spki.length === SPKI_PREFIX[suite].length + RAW_LENGTH[suite] &&
      SPKI_PREFIX[suite].equals(spki.subarray(0, SPKI_PREFIX[suite].length)),
  );
  if (!suite) throw badParameter("the public key must be an Ed25519 or P-256 key in DER (SPKI)");
  const raw = Buffer.from(spki.subarray(SPKI_PREFIX[suite].length));
  return checked({ suite, raw });
}

export function spkiOf({ suite, raw }: PublicKeyBytes): Buffer {
  return Buffer.concat([SPKI_PREFIX[suite], raw]);
}

/** Passes a key on if it is one: right length, and for P-256 a point of the curve. */
export function checked(key: PublicKeyBytes): PublicKeyBytes {
  if (key.raw.length !== RAW_LENGTH[key.suite])
    throw badParameter(`an ${key.suite} public key is ${RAW_LENGTH[key.suite]} bytes long`);
  if (key.suite === "ecdsa-p256" && !isPointOfP256(key.raw))
    throw badParameter("the P-256 public key is not an uncompressed point of the curve");
  return key;
}

/** FIPS 186-4, D.1.2.3. */
const P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;

/** y² = x³ - 3x + b: arithmetic on public values, to refuse a bad key without importing it. */
function isPointOfP256(point: Buffer): boolean {
  if (point[0] !== 4) return false;
  const hex = point.toString("hex");
  const x = BigInt(`0x${hex.slice(2, 66)}`);
  const y = BigInt(`0x${hex.slice(66)}`);
  return x < P && y < P && (y * y - (x * x * x - 3n * x + B)) % P === 0n;
}
