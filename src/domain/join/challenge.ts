import type { KeyObject } from "node:crypto";
import {
  boundKeyFingerprint,
  boundKeyFromLine,
  constantTimeEqual,
  randomToken,
  verifyJws,
} from "#base/crypto";
import { badParameter, CodedError, type Clock } from "#base/kernel";
import * as z from "zod";

/** A key that a client says it holds. */
export interface OfferedKey {
  /** OpenSSH public key line without comment. */
  readonly line: string;
  /** `SHA256:…`: names the key in challenges, certificates, locks and the audit log. */
  readonly fingerprint: string;
  readonly key: KeyObject;
}

/** ML-DSA takes 2,650 characters. */
const MAX_KEY_LINE = 4096;

/** Throws `bad_parameter` unless it is a public key line of a supported type. */
export function readOfferedKey(text: string): OfferedKey {
  if (text.length > MAX_KEY_LINE)
    throw badParameter(`public_key is longer than ${MAX_KEY_LINE} characters`);
  const key = boundKeyFromLine(text);
  const line = text
    .trim()
    .split(/[ \t]+/, 2)
    .join(" ");
  return { line, fingerprint: boundKeyFingerprint(line), key };
}

/** The fingerprint of a stored line, which is often that of a key at hand. */
export const fingerprintOf = (line: string, known: OfferedKey): string =>
  line === known.line ? known.fingerprint : boundKeyFingerprint(line);

/** join.md section 2, step 3: `{iss, aud, sub: key id, nbf, iat, exp: +60 s, nonce}`. */
const document = z.strictObject({
  /** The cluster. */
  iss: z.string(),
  /** The token: a solution for one is none for another. */
  aud: z.string(),
  /** Fingerprint of the key that must sign; for an ID token the attempt. */
  sub: z.string(),
  nbf: z.int(),
  iat: z.int(),
  exp: z.int(),
  nonce: z.string().regex(/^[0-9a-f]{32,128}$/),
});

const LIFETIME_S = 60;
const NONCE_BYTES = 32;
/** A JWS over a document of some 400 bytes; a signature of ML-DSA alone takes 4,412 characters. */
const MAX_SOLUTION = 8192;

export function challengeDocument(about: {
  readonly iss: string;
  readonly aud: string;
  readonly sub: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}): string {
  const { iss, aud, sub, now } = about;
  const iat = Math.floor(now / 1000);
  const claims = { iss, aud, sub, nbf: iat, iat, exp: iat + LIFETIME_S };
  return JSON.stringify({ ...claims, nonce: randomToken(NONCE_BYTES) });
}

/** One question to one key, to be answered once. */
export class Challenge {
  readonly document: string;
  readonly key: OfferedKey;
  readonly #clock: Clock;
  #open = true;

  constructor(options: { clusterName: string; token: string; key: OfferedKey; clock: Clock }) {
    const { clusterName: iss, token: aud, key, clock } = options;
    this.document = challengeDocument({ iss, aud, sub: key.fingerprint, now: clock.now() });
    this.key = key;
    this.#clock = clock;
  }

  /** The proof, or `undefined`. A second try finds the challenge closed, whatever the first was. */
  solve(jws: string): SolvedChallenge | undefined {
    if (!this.#open || jws.length > MAX_SOLUTION) return undefined;
    this.#open = false;
    return SolvedChallenge.check(this, jws, this.#clock.now());
  }
}

/** Proof that the client holds the private half of `key`. Only a solved challenge makes one. */
export class SolvedChallenge {
  readonly key: OfferedKey;

  private constructor(key: OfferedKey) {
    this.key = key;
  }

  /** "algorithm from the key, never from the header; single use" */
  static check(challenge: Challenge, jws: string, now: number): SolvedChallenge | undefined {
    const payload = signedBy(challenge.key.key, jws);
    if (payload === undefined || !constantTimeEqual(payload, challenge.document)) return undefined;
    const { nbf, exp } = document.parse(JSON.parse(payload));
    if (now < nbf * 1000 || now >= exp * 1000) return undefined;
    return new SolvedChallenge(challenge.key);
  }
}

function signedBy(key: KeyObject, jws: string): string | undefined {
  try {
    return verifyJws(jws, key).payload.toString("utf8");
  } catch (error) {
    if (error instanceof CodedError) return undefined;
    throw error;
  }
}

/**
 * The client's side: what it is asked to sign must be a challenge, for its token and its key, or it
 * could be made to sign something else. Times are left to the server: a machine whose clock is wrong
 * must still be able to join.
 */
export function checkChallenge(
  text: string,
  expected: { token: string; keyId: string },
): { readonly clusterName: string } {
  const parsed = document.safeParse(parseJson(text));
  if (!parsed.success) throw badParameter("the server sent a challenge that is none; not signed");
  const { iss, aud, sub } = parsed.data;
  if (aud !== expected.token || sub !== expected.keyId)
    throw badParameter(
      `the server sent a challenge for token "${aud}" and key "${sub}" that was not asked for; not signed`,
    );
  return { clusterName: iss };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
