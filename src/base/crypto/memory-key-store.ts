import type { KeyObject } from "node:crypto";
import { notFound } from "#base/kernel";
import { handleOf, type KeyHandle, type KeyStore } from "./key-store.ts";
import { generateKeyPair, publicKeyOf } from "./keys.ts";
import { boundKeySuites, type BoundKeySuite } from "./public-key.ts";
import { signBytes } from "./signature.ts";

interface Entry {
  readonly handle: KeyHandle;
  readonly privateKey: KeyObject;
}

/** Keys that end with the process: for bots without storage, and for tests. */
export class MemoryKeyStore implements KeyStore {
  readonly suites = boundKeySuites;
  readonly #entries = new Map<string, Entry>();

  /** `keys`: private keys to begin with, such as a static key. */
  constructor(keys: readonly KeyObject[] = []) {
    for (const key of keys) this.#add(key);
  }

  async create(suite: BoundKeySuite): Promise<KeyHandle> {
    return this.#add(generateKeyPair(suite).privateKey);
  }

  async list(): Promise<KeyHandle[]> {
    return [...this.#entries.values()].map(({ handle }) => handle);
  }

  async sign(keyId: string, bytes: Uint8Array): Promise<Buffer> {
    return signBytes(this.#entry(keyId).privateKey, bytes);
  }

  async public(keyId: string): Promise<KeyObject> {
    return this.#entry(keyId).handle.publicKey;
  }

  async remove(keyId: string): Promise<void> {
    this.#entry(keyId);
    this.#entries.delete(keyId);
  }

  #add(privateKey: KeyObject): KeyHandle {
    const handle = handleOf(publicKeyOf(privateKey));
    this.#entries.set(handle.keyId, { handle, privateKey });
    return handle;
  }

  #entry(keyId: string): Entry {
    const entry = this.#entries.get(keyId);
    if (!entry) throw notFound(`no key "${keyId}" in the key store`);
    return entry;
  }
}
