import type { KeyObject } from "node:crypto";
import { unauthenticated } from "#base/kernel";
import { boundSuiteOf } from "./keys.ts";
import type { BoundKeySuite } from "./public-key.ts";
import { signBytes, verifyBytes } from "./signature.ts";

/** JWS in compact form (RFC 7515), with the one algorithm of each suite. */

/** RFC 8037 section 3.1, RFC 7518 section 3.4, RFC 9964 section 3. */
const ALGORITHM: Readonly<Record<BoundKeySuite, string>> = {
  ed25519: "EdDSA",
  "ecdsa-p256": "ES256",
  "ml-dsa-65": "ML-DSA-65",
};

/** Join states and challenges are under 1 KiB, application tokens under 8; the rest is an attack. */
export const MAX_JWS_BYTES = 64 * 1024;

/** Header members beside `alg`, such as `kid` and `typ`. */
export type JwsHeader = Readonly<Record<string, string>>;

export function signJws(
  payload: string | Uint8Array,
  privateKey: KeyObject,
  header: JwsHeader = {},
): string {
  const input = signingInput(boundSuiteOf(privateKey), payload, header);
  return `${input}.${signBytes(privateKey, Buffer.from(input, "latin1")).toString("base64url")}`;
}

/** What is signed: the encoded header, a dot, the encoded payload. */
export function signingInput(
  suite: BoundKeySuite,
  payload: string | Uint8Array,
  header: JwsHeader = {},
): string {
  const protectedHeader = Buffer.from(JSON.stringify({ ...header, alg: ALGORITHM[suite] }));
  const body = typeof payload === "string" ? Buffer.from(payload) : base(payload);
  return `${protectedHeader.toString("base64url")}.${body.toString("base64url")}`;
}

export interface VerifiedJws {
  readonly payload: Buffer;
  readonly header: Readonly<Record<string, unknown>>;
}

/**
 * Verifies with the algorithm of the key; a header that names another one, or `crit` extensions, is
 * refused. Every failure is one `unauthenticated`; `detail` says which check it was.
 */
export function verifyJws(compact: string, publicKey: KeyObject): VerifiedJws {
  if (compact.length > MAX_JWS_BYTES) throw refused("too long");
  const parts = compact.split(".");
  const [head, body, tail] = parts.map(decodeBase64url);
  if (parts.length !== 3 || !head || !body || !tail) throw refused("not three base64url parts");
  const header = parseHeader(head);
  if (header["alg"] !== ALGORITHM[boundSuiteOf(publicKey)]) throw refused("another algorithm");
  if ("crit" in header || "b64" in header) throw refused("a critical header");
  const input = Buffer.from(compact.slice(0, compact.lastIndexOf(".")), "latin1");
  if (!verifyBytes(publicKey, input, tail)) throw refused("a wrong signature");
  return { payload: body, header };
}

/** Only the canonical spelling: Node's own decoder also takes padding, spaces and loose bits. */
function decodeBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes : undefined;
}

function parseHeader(bytes: Buffer): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(bytes.toString("utf8"));
    if (typeof header === "object" && header !== null && !Array.isArray(header))
      return { ...header };
  } catch {
    // answered below
  }
  throw refused("a header that is not a JSON object");
}

function refused(detail: string): Error {
  return unauthenticated("the signed document is not valid", { detail });
}

function base(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
