import type { KeyObject } from "node:crypto";
import { badParameter } from "#base/kernel";
import type { KeyHandle, KeyStore } from "./key-store.ts";
import { boundKeyFromPem, privateKeyPem } from "./keys.ts";
import { MemoryKeyStore } from "./memory-key-store.ts";

const FIXED =
  "a static key cannot be rotated or replaced here: make another one with `tbot keypair create --static`, give the machine that one, and have an administrator put its public key on the token";

/** One key that somebody else keeps: it signs, and nothing else can be done with it. */
export class StaticKeyStore implements KeyStore {
  readonly suites = [];
  readonly #keys: MemoryKeyStore;

  constructor(privateKey: KeyObject) {
    this.#keys = new MemoryKeyStore([privateKey]);
  }

  async create(): Promise<KeyHandle> {
    throw badParameter(FIXED);
  }

  async remove(): Promise<void> {
    throw badParameter(FIXED);
  }

  list(): Promise<KeyHandle[]> {
    return this.#keys.list();
  }

  sign(keyId: string, bytes: Uint8Array): Promise<Buffer> {
    return this.#keys.sign(keyId, bytes);
  }

  public(keyId: string): Promise<KeyObject> {
    return this.#keys.public(keyId);
  }
}

/** A PEM takes 6 KiB at most, and base64 a third more. */
const MAX_STATIC_KEY = 16 * 1024;

/** Base64 of the PEM: one line without quotes, as an environment variable or a CI's secret takes it. */
export const encodeStaticKey = (privateKey: KeyObject): string =>
  Buffer.from(privateKeyPem(privateKey)).toString("base64");

/** The PEM itself is taken too. `where` names the file or variable; the message never quotes the key. */
export function decodeStaticKey(text: string, where: string): KeyObject {
  const trimmed = text.trim();
  const pem = trimmed.startsWith("-----BEGIN ") ? trimmed : decodeBase64(trimmed);
  try {
    if (trimmed.length > MAX_STATIC_KEY) throw badParameter("it is too long for one");
    return boundKeyFromPem(pem);
  } catch (error) {
    throw badParameter(
      `${where} holds no static key: it must be an unencrypted PKCS#8 key in PEM, or base64 of that, as \`tbot keypair create --static\` prints it`,
      { cause: error },
    );
  }
}

/** Lines may be wrapped, as `base64` wraps them. */
const decodeBase64 = (text: string): string =>
  Buffer.from(text.replaceAll(/\s/g, ""), "base64").toString("utf8");
