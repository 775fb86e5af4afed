import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { badParameter, limitExceeded } from "#base/kernel";
import * as z from "zod";
import {
  MAX_PASSWORD_BYTES,
  MAX_PASSWORD_CHECKS,
  MAX_PASSWORD_QUEUE,
  MIN_PASSWORD,
} from "./limits.ts";

/** scrypt (RFC 7914), base64; the cost stands beside the hash, so that it can be raised. */
export const storedPassword = z.strictObject({
  cost: z.int(),
  block_size: z.int(),
  parallelization: z.int(),
  salt: z.string(),
  hash: z.string(),
});
export type StoredPassword = z.infer<typeof storedPassword>;

/** OWASP's recommendation for scrypt: N = 2^17, r = 8, p = 1. */
const COST = { cost: 2 ** 17, block_size: 8, parallelization: 1 };
const HASH_BYTES = 32;
/** scrypt takes 128 · N · r bytes, and OpenSSL wants some room beside them. */
const memoryOf = ({ cost, block_size }: Omit<StoredPassword, "salt" | "hash">): number =>
  256 * cost * block_size;

/** What nobody has: a check against it takes as long as one against a real password. */
const decoy: StoredPassword = {
  ...COST,
  salt: randomBytes(16).toString("base64"),
  hash: randomBytes(HASH_BYTES).toString("base64"),
};

/** Hashes and compares, a few at a time: the memory that it takes is bounded. */
export class Passwords {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /** `bad_parameter` for one that is too short or too long. */
  async hash(password: string): Promise<StoredPassword> {
    checkPassword(password);
    const salt = randomBytes(16).toString("base64");
    const hash = await this.#derive(password, { ...COST, salt });
    return { ...COST, salt, hash: hash.toString("base64") };
  }

  /** Takes the same time when there is none to compare with. */
  async matches(password: string, stored: StoredPassword | undefined): Promise<boolean> {
    if (Buffer.byteLength(password) > MAX_PASSWORD_BYTES) return false;
    const against = stored ?? decoy;
    const hash = await this.#derive(password, against);
    return timingSafeEqual(hash, Buffer.from(against.hash, "base64")) && stored !== undefined;
  }

  async #derive(password: string, about: Omit<StoredPassword, "hash">): Promise<Buffer> {
    await this.#turn();
    try {
      return await derive(password, about);
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }

  async #turn(): Promise<void> {
    if (this.#running >= MAX_PASSWORD_CHECKS) {
      if (this.#waiting.length >= MAX_PASSWORD_QUEUE)
        throw limitExceeded("too many people sign in at once; try again in a few seconds");
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running += 1;
  }
}

/** Counted and compared in one Unicode form, whatever the keyboard sends. */
function checkPassword(password: string): void {
  if (password.normalize("NFKC").length < MIN_PASSWORD)
    throw badParameter(`a password has at least ${MIN_PASSWORD} characters; a few words will do`);
  if (Buffer.byteLength(password) > MAX_PASSWORD_BYTES)
    throw badParameter(`a password has at most ${MAX_PASSWORD_BYTES} bytes`);
}

function derive(password: string, about: Omit<StoredPassword, "hash">): Promise<Buffer> {
  const { cost, block_size, parallelization, salt } = about;
  const options = {
    N: cost,
    r: block_size,
    p: parallelization,
    maxmem: memoryOf(about),
  };
  return new Promise((resolve, reject) => {
    const text = password.normalize("NFKC");
    scrypt(text, Buffer.from(salt, "base64"), HASH_BYTES, options, (error, hash) =>
      error ? reject(error) : resolve(hash),
    );
  });
}
