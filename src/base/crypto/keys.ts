import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  type JsonWebKey,
} from "node:crypto";
import { badParameter } from "#base/kernel";
import { pem } from "./pem.ts";
import {
  publicKeyBytes,
  spkiOf,
  type BoundKeySuite,
  type KeySuite,
  type PublicKeyBytes,
} from "./public-key.ts";
import { sha256 } from "./random.ts";

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const GENERATE: Readonly<Record<BoundKeySuite, () => KeyPair>> = {
  ed25519: () => generateKeyPairSync("ed25519"),
  "ecdsa-p256": () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
  "ml-dsa-65": () => generateKeyPairSync("ml-dsa-65"),
};

/** Takes under 0.5 ms for every suite, so it may run on the event loop. */
export function generateKeyPair(suite: BoundKeySuite): KeyPair {
  try {
    return GENERATE[suite]();
  } catch (error) {
    throw badParameter(`this version of Node has no keys of suite "${suite}"`, { cause: error });
  }
}

/** The suite of a key, private or public; `bad_parameter` for any other type or curve. */
export function suiteOf(key: KeyObject): KeySuite {
  if (key.asymmetricKeyType === "ed25519") return "ed25519";
  if (key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "prime256v1")
    return "ecdsa-p256";
  throw badParameter(
    `a key of type "${key.asymmetricKeyType ?? key.type}" is not supported; use Ed25519 or P-256`,
  );
}

/** The suite of a key that is bound, or may be; `bad_parameter` for any other. */
export const boundSuiteOf = (key: KeyObject): BoundKeySuite =>
  key.asymmetricKeyType === "ml-dsa-65" ? "ml-dsa-65" : suiteOf(key);

/** The public half of a private key; a public key as it is. */
export const publicKeyOf = (key: KeyObject): KeyObject =>
  key.type === "private" ? createPublicKey(key) : key;

/** DER SubjectPublicKeyInfo of a key or of a private key's public half. */
export const spkiDer = (key: KeyObject): Buffer =>
  publicKeyOf(key).export({ type: "spki", format: "der" });

export function publicKeyFromSpki(der: Uint8Array): KeyObject {
  return importPublicKey(publicKeyBytes(der));
}

/**
 * Text is the quickest way in, a fifth of the time of DER or JWK: given an object, Node first looks
 * whether it is a key, and finds out by throwing.
 */
export function importPublicKey(key: PublicKeyBytes): KeyObject {
  try {
    return createPublicKey(pem("PUBLIC KEY", spkiOf(key)));
  } catch (error) {
    throw badParameter(`the ${key.suite} public key is not valid`, { cause: error });
  }
}

/** The JSON Web Key of a public key (RFC 7518 section 6.2, RFC 8037 section 2). */
export function jwkOf({ suite, raw }: PublicKeyBytes): JsonWebKey {
  if (suite === "ed25519") return { kty: "OKP", crv: "Ed25519", x: raw.toString("base64url") };
  const x = raw.subarray(1, 33).toString("base64url");
  return { kty: "EC", crv: "P-256", x, y: raw.subarray(33).toString("base64url") };
}

/** SHA-256 thumbprint, base64url (RFC 7638): names a key in `kid`. */
export function jwkThumbprint(key: PublicKeyBytes): string {
  const { crv, kty, x, y } = jwkOf(key);
  const members = y === undefined ? { crv, kty, x } : { crv, kty, x, y };
  return sha256(JSON.stringify(members)).toString("base64url");
}

/** PKCS#8, PEM, unencrypted. */
export const privateKeyPem = (key: KeyObject): string =>
  key.export({ type: "pkcs8", format: "pem" }).toString();

/** Reads an unencrypted PKCS#8 PEM; the message never quotes it. */
export function privateKeyFromPem(pem: string): KeyObject {
  const key = importPrivateKey(pem);
  suiteOf(key);
  return key;
}

/** The same for a bound key, which may also be of ML-DSA. */
export function boundKeyFromPem(pem: string): KeyObject {
  const key = importPrivateKey(pem);
  boundSuiteOf(key);
  return key;
}

function importPrivateKey(pem: string): KeyObject {
  try {
    return createPrivateKey({ key: pem, format: "pem" });
  } catch (error) {
    throw badParameter("the private key is not an unencrypted PKCS#8 key in PEM", { cause: error });
  }
}
