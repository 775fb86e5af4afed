import type { KeyObject } from "node:crypto";
import { badParameter, notFound } from "#base/kernel";
import type { KeyHandle, KeyStore } from "../key-store.ts";
import type { BoundKeySuite, KeySuite } from "../public-key.ts";
import { CURVES, SUITES } from "./curves.ts";
import { nextId, readEntries, templates, type Entry } from "./objects.ts";
import type { Pkcs11Session } from "./session.ts";
import { Pkcs11Token, type TokenOptions } from "./token.ts";

export interface Pkcs11Options extends TokenOptions {
  /** CKA_LABEL of the keys; those of other labels are not ours. */
  readonly keyLabel: string;
}

/**
 * Keys inside a token (an HSM, a smart card, a TPM 2.0 through tpm2-pkcs11). They are made there, not
 * to be extracted; only signatures leave it.
 */
export class Pkcs11KeyStore implements KeyStore, AsyncDisposable {
  readonly suites: readonly BoundKeySuite[];
  readonly #token: Pkcs11Token;
  readonly #keyLabel: string;
  #entries: { readonly session: number; readonly list: readonly Entry[] } = {
    session: 0,
    list: [],
  };

  private constructor(token: Pkcs11Token, keyLabel: string, suites: readonly KeySuite[]) {
    this.#token = token;
    this.#keyLabel = keyLabel;
    this.suites = suites;
  }

  /** Logs in; fails when the module, the token, the PIN or the token's abilities do not do. */
  static async open(options: Pkcs11Options): Promise<Pkcs11KeyStore> {
    await using owned = new AsyncDisposableStack();
    const token = owned.use(await Pkcs11Token.open(options));
    const offered = await token.run((session) => session.mechanisms());
    const suites = SUITES.filter(
      (suite) => offered.has(CURVES[suite].keyPairGen) && offered.has(CURVES[suite].sign),
    );
    if (suites.length === 0)
      throw badParameter(`${token.where} makes neither Ed25519 nor ECDSA P-256 keys`);
    const store = new Pkcs11KeyStore(token, options.keyLabel, suites);
    await store.list();
    owned.move();
    return store;
  }

  async create(suite: BoundKeySuite): Promise<KeyHandle> {
    const known = SUITES.find((known) => known === suite && this.suites.includes(known));
    if (!known)
      throw badParameter(
        `${this.#token.where} makes no keys of suite "${suite}"; it has ${this.suites.join(", ")}`,
      );
    return await this.#token.run(async (session, number) => {
      const id = nextId(await this.#current(session, number));
      const { keyPairGen } = CURVES[known];
      await session.generateKeyPair(keyPairGen, templates(CURVES[known], this.#keyLabel, id));
      const entries = await this.#read(session, number);
      return entries.find((entry) => entry.id.equals(id))!.handle;
    });
  }

  async list(): Promise<KeyHandle[]> {
    const entries = await this.#token.run((session, number) => this.#read(session, number));
    return entries.map(({ handle }) => handle);
  }

  async sign(keyId: string, bytes: Uint8Array): Promise<Buffer> {
    return await this.#with(keyId, async (session, { suite, privateKey }) => {
      const { sign, input } = CURVES[suite];
      return await session.sign(sign, privateKey, input(bytes));
    });
  }

  async public(keyId: string): Promise<KeyObject> {
    return await this.#with(keyId, async (_session, { handle }) => handle.publicKey);
  }

  async remove(keyId: string): Promise<void> {
    await this.#with(keyId, async (session, entry, number) => {
      await session.destroy(entry.privateKey);
      await session.destroy(entry.publicKey);
      await this.#read(session, number);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#token[Symbol.asyncDispose]();
  }

  async #with<T>(
    keyId: string,
    work: (session: Pkcs11Session, entry: Entry, number: number) => Promise<T>,
  ): Promise<T> {
    return await this.#token.run(async (session, number) => {
      const entries = await this.#current(session, number);
      const entry = entries.find(({ handle }) => handle.keyId === keyId);
      if (entry) return await work(session, entry, number);
      throw notFound(`no key "${keyId}" with label "${this.#keyLabel}" in ${this.#token.where}`);
    });
  }

  async #current(session: Pkcs11Session, number: number): Promise<readonly Entry[]> {
    if (this.#entries.session === number) return this.#entries.list;
    return await this.#read(session, number);
  }

  async #read(session: Pkcs11Session, number: number): Promise<readonly Entry[]> {
    const where = `with label "${this.#keyLabel}" in ${this.#token.where}`;
    const list = await readEntries(session, this.#keyLabel, where);
    this.#entries = { session: number, list };
    return list;
  }
}
