import { sha256 } from "./random.ts";

/** A million documents in 16 MiB, of which the system gives what is used. A power of two. */
const SLOTS = 2 ** 20;
/** 128 bits: nobody finds another document with a digest that is here. */
const DIGEST_BYTES = 16;

/**
 * Documents that are known to be genuine, because this process signed them: to find one here takes a
 * thirtieth of verifying its signature. The table has a fixed size, and whatever falls into the place
 * of another replaces it; so what is not found has to be verified.
 */
export class KnownDocuments {
  #table: Buffer | undefined;

  add(document: string | Uint8Array): void {
    const digest = sha256(document);
    this.#table ??= Buffer.alloc(SLOTS * DIGEST_BYTES);
    digest.copy(this.#table, placeOf(digest), 0, DIGEST_BYTES);
  }

  has(document: string | Uint8Array): boolean {
    if (!this.#table) return false;
    const digest = sha256(document);
    const place = placeOf(digest);
    return digest.compare(this.#table, place, place + DIGEST_BYTES, 0, DIGEST_BYTES) === 0;
  }
}

/** By bytes of the digest that are not in the table: they count too. */
const placeOf = (digest: Buffer): number =>
  (digest.readUInt32BE(DIGEST_BYTES) & (SLOTS - 1)) * DIGEST_BYTES;
