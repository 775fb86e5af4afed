import type { KeyObject } from "node:crypto";
import { spkiDer, suiteOf } from "./keys.ts";
import { signingInput, type JwsHeader } from "./jws.ts";
import type { KeySuite } from "./public-key.ts";
import { sha256Hex } from "./random.ts";

/**
 * Keys that sign without being shown. The private key need not leave the store (a TPM keeps it); a
 * join needs only `sign` and `public`. Unknown keys are `not_found`.
 */
export interface KeyStore {
  create(suite: KeySuite): Promise<KeyHandle>;
  /** Oldest first. */
  list(): Promise<KeyHandle[]>;
  /** The raw 64-byte signature that JWS uses (`signature.ts`). */
  sign(keyId: string, bytes: Uint8Array): Promise<Buffer>;
  public(keyId: string): Promise<KeyObject>;
  remove(keyId: string): Promise<void>;
}

export interface KeyHandle {
  /** Follows from the public key, so that any holder of it can name the key: see `keyIdOf`. */
  readonly keyId: string;
  readonly suite: KeySuite;
  readonly publicKey: KeyObject;
}

/** 128 bits of SHA-256 over the SubjectPublicKeyInfo, hex: short enough for a file name. */
export const keyIdOf = (publicKey: KeyObject): string => sha256Hex(spkiDer(publicKey)).slice(0, 32);

export function handleOf(publicKey: KeyObject): KeyHandle {
  return { keyId: keyIdOf(publicKey), suite: suiteOf(publicKey), publicKey };
}

/** A compact JWS made with a key of the store; `verifyJws` reads it. */
export async function signJwsWith(
  store: KeyStore,
  keyId: string,
  payload: string | Uint8Array,
  header: JwsHeader = {},
): Promise<string> {
  const input = signingInput(suiteOf(await store.public(keyId)), payload, header);
  const signature = await store.sign(keyId, Buffer.from(input, "latin1"));
  return `${input}.${signature.toString("base64url")}`;
}
