import { badParameter } from "#base/kernel";
import { createLocalJWKSet, type JWK, type LocalJWKSet } from "jose";
import * as z from "zod";
import { isSound } from "./sound-key.ts";

/** Asymmetric ones only: with a shared key, everyone who can verify a token could make one. */
export const ALGORITHMS: readonly string[] = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];

/** More keys than any issuer has. */
const MAX_KEYS = 100;
/** 8192 bits in base64url; longer ones make a verification take milliseconds. */
const MAX_MODULUS = 1366;
/** 64 bits: a long exponent is as slow as a private one. */
const MAX_EXPONENT = 11;

const base64url = z.string().regex(/^[A-Za-z0-9_-]+$/);
const coordinate = base64url.max(128);
const facts = {
  kid: z.string().max(256).exactOptional(),
  alg: z.enum(ALGORITHMS).exactOptional(),
  use: z.literal("sig").exactOptional(),
  key_ops: z
    .array(z.string())
    .refine((operations) => operations.includes("verify"))
    .exactOptional(),
};

/** RFC 7518 section 6 and RFC 8037: what verification needs of a key, and nothing else of it. */
const usableKey = z.discriminatedUnion("kty", [
  z.object({
    ...facts,
    kty: z.literal("RSA"),
    n: base64url.max(MAX_MODULUS),
    e: base64url.max(MAX_EXPONENT),
  }),
  z.object({
    ...facts,
    kty: z.literal("EC"),
    crv: z.enum(["P-256", "P-384", "P-521"]),
    x: coordinate,
    y: coordinate,
  }),
  z.object({ ...facts, kty: z.literal("OKP"), crv: z.literal("Ed25519"), x: coordinate }),
]);

const keySet = z.object({ keys: z.array(z.unknown()).max(MAX_KEYS) });

/** The keys of one issuer that can verify its ID tokens. */
export class KeySet {
  /** Finds the one key that a token's header means; throws errors of `jose`. */
  readonly resolve: LocalJWKSet;
  readonly #ids: ReadonlySet<string | undefined>;

  private constructor(keys: readonly JWK[]) {
    this.resolve = createLocalJWKSet({ keys: [...keys] });
    this.#ids = new Set(keys.map(({ kid }) => kid));
  }

  /**
   * Reads a JSON Web Key Set (RFC 7517). Keys for other purposes are left out; throws
   * `bad_parameter` when none is left, or it is no key set.
   */
  static read(document: unknown): KeySet {
    const parsed = keySet.safeParse(document);
    if (!parsed.success)
      throw badParameter(`the key set must be {"keys": […]} with at most ${MAX_KEYS} keys`);
    const keys = parsed.data.keys
      .flatMap((key) => usableKey.safeParse(key).data ?? [])
      .filter(isSound);
    if (keys.length > 0) return new KeySet(keys);
    throw badParameter(
      `the key set holds no sound public RSA, EC or Ed25519 key for signatures (${parsed.data.keys.length} others)`,
    );
  }

  /** Whether a token that names this key may find it here. */
  has(kid: string | undefined): boolean {
    return kid === undefined || this.#ids.has(kid);
  }
}
