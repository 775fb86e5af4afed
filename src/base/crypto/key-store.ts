import type { KeyObject } from "node:crypto";
import { boundSuiteOf, spkiDer } from "./keys.ts";
import { signingInput, type JwsHeader } from "./jws.ts";
import type { BoundKeySuite } from "./public-key.ts";
import { sha256Hex } from "./random.ts";

/**
 * Keys that sign without being shown. The private key need not leave the store (a TPM keeps it); a
 * join needs only `sign` and `public`. Unknown keys are `not_found`.
 */
export interface KeyStore {
  /** What it can make, the one to prefer first; none for a key that was given to it. */
  readonly suites: readonly BoundKeySuite[];
  create(suite: BoundKeySuite): Promise<KeyHandle>;
  /** Oldest first. */
  list(): Promise<KeyHandle[]>;
  /** The raw signature that JWS uses (`signature.ts`). */
  sign(keyId: string, bytes: Uint8Array): Promise<Buffer>;
  public(keyId: string): Promise<KeyObject>;
  remove(keyId: string): Promise<void>;
}

export interface KeyHandle {
  /** Follows from the public key, so that any holder of it can name the key: see `keyIdOf`. */
  readonly keyId: string;
  readonly suite: BoundKeySuite;
  readonly publicKey: KeyObject;
}

/** 128 bits of SHA-256 over the SubjectPublicKeyInfo, hex: short enough for a file name. */
export const keyIdOf = (publicKey: KeyObject): string => sha256Hex(spkiDer(publicKey)).slice(0, 32);

export function handleOf(publicKey: KeyObject): KeyHandle {
  return { keyId: keyIdOf(publicKey), suite: boundSuiteOf(publicKey), publicKey };
}

/** A compact JWS made with a key of the store; `verifyJws` reads it. */
export async function signJwsWith(
  store: KeyStore,
  keyId: string,
  payload: string | Uint8Array,
  header: JwsHeader = {},
): Promise<string> {
  const input = signingInput(boundSuiteOf(await store.public(keyId)), payload, header);
  const signature = await store.sign(keyId, Buffer.from(input, "latin1"));
  return `${input}.${signature.toString("base64url")}`;
}
