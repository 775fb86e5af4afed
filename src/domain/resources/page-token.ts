import { badParameter } from "#base/kernel";
import type { Json, Store } from "#base/storage";
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

const KIND = "internal";
const NAME = "page_token_key";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** A cursor of the store and a key: far above what a true token needs. */
const MAX_TOKEN = 8_192;

/**
 * Page tokens: where a listing goes on, sealed (AES-256-GCM) with a key that the store keeps, so that
 * any server of the cluster can open them, none can be forged, and the names inside stay hidden. A
 * token is bound to its query: it opens for no other.
 */
export class PageTokens {
  readonly #store: Store;
  #key: Promise<Buffer> | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  async seal(cursor: Json, query: Json): Promise<string> {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv("aes-256-gcm", await this.#sealingKey(), nonce);
    cipher.setAAD(bindingOf(query));
    const body = Buffer.concat([cipher.update(JSON.stringify(cursor)), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString("base64url");
  }

  /** The cursor; `bad_parameter` for a token that is not ours or is for another query. */
  async open(token: string, query: Json): Promise<unknown> {
    const bytes = Buffer.from(token, "base64url");
    if (token.length > MAX_TOKEN || bytes.length <= NONCE_BYTES + TAG_BYTES) throw invalid();
    const nonce = bytes.subarray(0, NONCE_BYTES);
    const decipher = createDecipheriv("aes-256-gcm", await this.#sealingKey(), nonce, {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(bindingOf(query));
    decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    const head = decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES));
    try {
      return JSON.parse(Buffer.concat([head, decipher.final()]).toString());
    } catch {
      throw invalid();
    }
  }

  #sealingKey(): Promise<Buffer> {
    this.#key ??= this.#load().catch((error: unknown) => {
      this.#key = undefined;
      throw error;
    });
    return this.#key;
  }

  async #load(): Promise<Buffer> {
    const stored = await this.#stored();
    if (stored) return stored;
    const fresh = randomBytes(32);
    const value = { key: fresh.toString("base64") };
    try {
      await this.#store.commit([{ op: "create", kind: KIND, name: NAME, value }]);
      return fresh;
    } catch (error) {
      const other = await this.#stored();
      if (other) return other;
      throw error;
    }
  }

  async #stored(): Promise<Buffer | undefined> {
    const item = await this.#store.get(KIND, NAME);
    return typeof item?.value.key === "string" ? Buffer.from(item.value.key, "base64") : undefined;
  }
}

const bindingOf = (query: Json): Buffer => Buffer.from(JSON.stringify(query));

const invalid = (): Error =>
  badParameter("the page token is not one of this query; start again from the first page");
