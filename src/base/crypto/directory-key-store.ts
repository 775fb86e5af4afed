import type { KeyObject } from "node:crypto";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  badParameter,
  ensurePrivateDirectory,
  fileError,
  messageOf,
  notFound,
  syncDirectory,
  writeFileAtomic,
} from "#base/kernel";
import { boundKeyLine } from "./bound-key.ts";
import { handleOf, type KeyHandle, type KeyStore } from "./key-store.ts";
import { boundKeyFromPem, generateKeyPair, privateKeyPem, publicKeyOf } from "./keys.ts";
import { boundKeySuites, type BoundKeySuite } from "./public-key.ts";
import { signBytes } from "./signature.ts";

interface Entry {
  readonly handle: KeyHandle;
  readonly privateKey: KeyObject;
  readonly number: number;
  /** Without its extension. */
  readonly path: string;
}

/** `key-<number>-<key id>.pem` holds the private key, `.pub` beside it the OpenSSH public key. */
const FILE = /^key-(\d{6,})-([0-9a-f]{32})\.pem$/;

/**
 * Keys as files: PKCS#8 PEM, 0600 in a 0700 directory, each written atomically. Numbers grow, so the
 * order survives a copy. The `.pub` files are for people; only the private ones are read.
 */
export class DirectoryKeyStore implements KeyStore {
  readonly suites = boundKeySuites;
  readonly #directory: string;
  readonly #entries: Map<string, Entry>;

  private constructor(directory: string, entries: Map<string, Entry>) {
    this.#directory = directory;
    this.#entries = entries;
  }

  /** Makes the directory when it is missing; `bad_parameter` names a key file that is damaged. */
  static async open(directory: string): Promise<DirectoryKeyStore> {
    await ensurePrivateDirectory(directory);
    const entries = await readEntries(directory);
    return new DirectoryKeyStore(directory, new Map(entries.map((e) => [e.handle.keyId, e])));
  }

  async create(suite: BoundKeySuite): Promise<KeyHandle> {
    const { privateKey, publicKey } = generateKeyPair(suite);
    const handle = handleOf(publicKey);
    const number = Math.max(0, ...[...this.#entries.values()].map((entry) => entry.number)) + 1;
    const name = `key-${String(number).padStart(6, "0")}-${handle.keyId}`;
    const entry = { handle, privateKey, number, path: join(this.#directory, name) };
    this.#entries.set(handle.keyId, entry);
    try {
      await writeFileAtomic(`${entry.path}.pub`, `${boundKeyLine(publicKey)}\n`);
      await writeFileAtomic(`${entry.path}.pem`, privateKeyPem(privateKey));
    } catch (error) {
      this.#entries.delete(handle.keyId);
      throw error;
    }
    return handle;
  }

  async list(): Promise<KeyHandle[]> {
    const entries = [...this.#entries.values()].sort((a, b) => a.number - b.number);
    return entries.map(({ handle }) => handle);
  }

  async sign(keyId: string, bytes: Uint8Array): Promise<Buffer> {
    return signBytes(this.#entry(keyId).privateKey, bytes);
  }

  async public(keyId: string): Promise<KeyObject> {
    return this.#entry(keyId).handle.publicKey;
  }

  async remove(keyId: string): Promise<void> {
    const { path } = this.#entry(keyId);
    this.#entries.delete(keyId);
    try {
      await rm(`${path}.pem`, { force: true });
      await rm(`${path}.pub`, { force: true });
      await syncDirectory(this.#directory);
    } catch (error) {
      throw fileError(`cannot remove the key "${path}.pem"`, error);
    }
  }

  #entry(keyId: string): Entry {
    const entry = this.#entries.get(keyId);
    if (!entry) throw notFound(`no key "${keyId}" in "${this.#directory}"`);
    return entry;
  }
}

async function readEntries(directory: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  const names = await readdir(directory).catch((error: unknown) => {
    throw fileError(`cannot list the keys in "${directory}"`, error);
  });
  for (const name of names) {
    const [, number, keyId] = FILE.exec(name) ?? [];
    if (number && keyId) entries.push(await readEntry(directory, name, Number(number)));
  }
  return entries;
}

async function readEntry(directory: string, name: string, number: number): Promise<Entry> {
  const file = join(directory, name);
  const pem = await readFile(file, "utf8").catch((error: unknown) => {
    throw fileError(`cannot read the key "${file}"`, error);
  });
  try {
    const privateKey = boundKeyFromPem(pem);
    const handle = handleOf(publicKeyOf(privateKey));
    if (!name.includes(handle.keyId)) throw badParameter("it holds another key than its name says");
    return { handle, privateKey, number, path: file.slice(0, -".pem".length) };
  } catch (error) {
    throw badParameter(`the key file "${file}" is damaged: ${messageOf(error)}`, { cause: error });
  }
}
