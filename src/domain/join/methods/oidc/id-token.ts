import { sha256Hex } from "#base/crypto";
import { MAX_ID_TOKEN_AGE_MS } from "#domain/resources";
import {
  decodeJwt,
  decodeProtectedHeader,
  errors,
  jwtVerify,
  type JWTPayload,
  type ProtectedHeaderParameters,
} from "jose";
import { ALGORITHMS, type KeySet } from "./key-set.ts";

/** Real ones have 1 to 3 KiB; those with many groups some more. */
export const MAX_ID_TOKEN = 16 * 1024;

/** Clocks of issuers, clusters and machines differ by seconds; a minute is generous. */
export const LEEWAY_S = 60;

/** Why an ID token is not taken: for the audit log, and for who has proven to be a member. */
export class Distrust extends Error {
  override readonly name = "Distrust";
  /** Whether its signature was looked at. */
  readonly signatureSeen: boolean;

  constructor(reason: string, options: { readonly signatureSeen: boolean }) {
    super(reason);
    this.signatureSeen = options.signatureSeen;
  }
}

const unread = (reason: string): Distrust => new Distrust(reason, { signatureSeen: false });

/** What an ID token says of itself before anything of it is verified. */
export interface UnverifiedIdToken {
  readonly text: string;
  readonly kid: string | undefined;
  readonly issuer: string;
}

const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
/** RFC 8725 section 3.11: what else is signed by the same keys says so. */
const TYPES: ReadonlySet<string> = new Set(["JWT", "JOSE"]);

/** The algorithm that a text names which looks like an ID token. */
export function readAlgorithm(text: string): string | undefined {
  if (text.length > MAX_ID_TOKEN || !COMPACT.test(text)) return undefined;
  try {
    return decodeProtectedHeader(text).alg;
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** 2. The shape: three parts, an algorithm of the list, nothing critical, an issuer. */
export function readIdToken(text: string): UnverifiedIdToken {
  if (text.length > MAX_ID_TOKEN)
    throw unread(`the ID token is longer than ${MAX_ID_TOKEN} characters`);
  if (!COMPACT.test(text)) throw unread("the ID token is not a compact JWS");
  const header = decoded(() => decodeProtectedHeader(text), "header");
  checkHeader(header);
  const { iss } = decoded(() => decodeJwt(text), "payload");
  if (typeof iss !== "string") throw unread("the ID token has no issuer");
  return { text, kid: header.kid, issuer: iss };
}

function checkHeader({ alg, typ, kid, crit }: ProtectedHeaderParameters): void {
  if (typeof alg !== "string" || !ALGORITHMS.includes(alg))
    throw unread(`algorithm ${shown(alg)} is not one of ${ALGORITHMS.join(", ")}`);
  if (typ !== undefined && !(typeof typ === "string" && TYPES.has(typ.toUpperCase())))
    throw unread(`type ${shown(typ)} is not that of an ID token`);
  // RFC 7515 section 4.1.11: what is critical and not understood makes the whole invalid.
  if (crit !== undefined) throw unread(`critical headers are not understood: ${shown(crit)}`);
  if (kid !== undefined && typeof kid !== "string")
    throw unread(`key id ${shown(kid)} is not a text`);
}

function decoded<T>(decode: () => T, part: string): T {
  try {
    return decode();
  } catch (error) {
    if (error instanceof TypeError || error instanceof errors.JOSEError)
      throw unread(`the ID token's ${part} cannot be read`);
    throw error;
  }
}

/** What verification compares an ID token with. */
export interface Expected {
  /** `undefined`: whoever holds the keys. */
  readonly issuer: string | undefined;
  readonly audience: string;
  readonly maxAgeMs: number;
  readonly keys: KeySet;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Proof that an issuer said this, for us, not long ago. Only `verify` makes one. */
export class VerifiedIdToken {
  readonly claims: Readonly<JWTPayload>;
  /** Names this very token: what is signed, whatever its signature was made to look like. */
  readonly digest: string;
  /** When nobody would take it any more, milliseconds since the epoch. */
  readonly usableUntil: number;

  private constructor(parts: { claims: JWTPayload; digest: string; usableUntil: number }) {
    this.claims = parts.claims;
    this.digest = parts.digest;
    this.usableUntil = parts.usableUntil;
  }

  /**
   * 3 and 4. OpenID Connect Core section 3.1.3.7: the signature by the issuer's key, `iss`, `aud`,
   * `exp`, `nbf`, `iat`. Throws `Distrust`.
   */
  static async verify({ text }: UnverifiedIdToken, expected: Expected): Promise<VerifiedIdToken> {
    const claims = await verifiedClaims(text, expected);
    const { exp = 0, iat = 0 } = claims;
    checkParties(claims, expected);
    const lastSecond = Math.min(exp, iat + MAX_ID_TOKEN_AGE_MS / 1000 + 1) + LEEWAY_S;
    const digest = sha256Hex(text.slice(0, text.lastIndexOf(".")));
    return new VerifiedIdToken({ claims, digest, usableUntil: lastSecond * 1000 });
  }
}

async function verifiedClaims(text: string, expected: Expected): Promise<JWTPayload> {
  const { issuer, audience, maxAgeMs, keys, now } = expected;
  try {
    const { payload } = await jwtVerify(text, keys.resolve, {
      algorithms: [...ALGORITHMS],
      ...(issuer === undefined ? {} : { issuer }),
      audience,
      clockTolerance: LEEWAY_S,
      maxTokenAge: maxAgeMs / 1000,
      requiredClaims: ["iss", "aud", "sub", "exp", "iat"],
      currentDate: new Date(now),
    });
    return payload;
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error;
    throw new Distrust(reasonOf(error), { signatureSeen: !KEYLESS.has(error.code) });
  }
}

/**
 * "The ID Token MUST be rejected if […] it contains additional audiences not trusted by the Client":
 * each of the others could join with what it was given.
 */
function checkParties({ aud, sub }: JWTPayload, { audience }: Expected): void {
  const others = [aud].flat().filter((each) => each !== audience);
  if (others.length > 0)
    throw seen(`the ID token is for others too: ${shown(others)}; ask for one audience`);
  if (typeof sub !== "string" || sub === "") throw seen("the ID token has no subject");
}

const seen = (reason: string): Distrust => new Distrust(reason, { signatureSeen: true });

/** Thrown before there is a key to verify with. */
const KEYLESS: ReadonlySet<string> = new Set([
  "ERR_JWKS_NO_MATCHING_KEY",
  "ERR_JWKS_MULTIPLE_MATCHING_KEYS",
]);

/** The one translator of `jose`'s errors. */
function reasonOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return `the ID token ${expiredHow(error)}`;
  if (error instanceof errors.JWTClaimValidationFailed) return claimReason(error);
  return reasons[error.code] ?? `the ID token is not valid (${error.code})`;
}

const reasons: Readonly<Record<string, string>> = {
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: "the signature is not by the issuer's key",
  ERR_JWKS_NO_MATCHING_KEY: "the issuer has no key of this id and algorithm",
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: "several keys of the issuer fit, and the ID token names none",
};

const expiredHow = ({ claim, payload }: errors.JWTExpired): string =>
  claim === "iat"
    ? `is too old: it was issued ${timeOf(payload.iat)}`
    : `expired ${timeOf(payload.exp)}`;

function claimReason({ claim, reason, payload }: errors.JWTClaimValidationFailed): string {
  if (reason === "missing") return `claim "${claim}" is missing`;
  if (claim === "nbf" || claim === "iat")
    return `the ID token is from the future: ${claim} is ${timeOf(payload[claim])}`;
  return `claim "${claim}" is ${shown(payload[claim])}`;
}

const timeOf = (seconds: unknown): string => {
  const date = new Date(typeof seconds === "number" ? seconds * 1000 : Number.NaN);
  return Number.isNaN(date.getTime()) ? `at ${shown(seconds)}` : `at ${date.toISOString()}`;
};

const MAX_SHOWN = 128;

/** Quoted as JSON, so that no sign of it can be taken for ours. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}…`;
}
