import type { KeyObject } from "node:crypto";
import { signJws, verifyJws } from "#base/crypto";
import { unauthenticated } from "#base/kernel";
import { recoveryModes } from "#domain/resources";
import * as z from "zod";
import type { Circumstances } from "./keys.ts";
import type { JwtSigner } from "./signers.ts";

/** The join state document (RFD 0205, "The Join State Document"): a JWT that only we read. */

const claims = z.strictObject({
  /** The cluster. */
  iss: z.string(),
  /** The bot. */
  aud: z.string(),
  /** The join token. */
  sub: z.string(),
  /** Seconds since the epoch. */
  iat: z.int(),
  nbf: z.int(),
  bot_instance_id: z.string(),
  /** Fingerprint of the key that is bound: who still uses it after a rotation is a copy. */
  bound_key: z.string().exactOptional(),
  /** Names the token's life: a token deleted and made anew begins another, with another first instance. */
  first_instance_id: z.string(),
  recovery_sequence: z.int().min(0),
  recovery_count: z.int().min(0),
  recovery_limit: z.int().min(0),
  recovery_mode: z.enum(recoveryModes),
});

/** What a machine reads of its own state, also when the cluster is newer and says more. */
const { recovery_mode, recovery_limit, recovery_count } = claims.shape;
const recoveries = z.object({ recovery_mode, recovery_limit, recovery_count });

export type JoinStateClaims = z.infer<typeof claims>;
/** What the caller says; issuer and times are added. */
export type JoinStateDraft = Omit<JoinStateClaims, "iss" | "iat" | "nbf">;

/** RFC 8725 section 3.11: a type of its own, so that no other JWT passes for one. */
const TYPE = "join-state+jwt";

export function encodeJoinState(
  draft: JoinStateDraft,
  signer: JwtSigner,
  about: Circumstances,
): string {
  const iat = Math.floor(about.now / 1000);
  const state: JoinStateClaims = { iss: about.clusterName, iat, nbf: iat, ...draft };
  return signJws(JSON.stringify(state), signer.privateKey, { typ: TYPE, kid: signer.keyId });
}

/**
 * The claims of a join state that one of `keys` signed for this cluster. The caller compares `aud`,
 * `sub`, the times, the instance and the sequence, because what follows differs. Every failure is
 * `unauthenticated`; `detail` has the reason.
 */
export function decodeJoinState(
  jwt: string,
  keys: readonly KeyObject[],
  about: Pick<Circumstances, "clusterName">,
): JoinStateClaims {
  return claimsOf(verifiedPayload(jwt, keys), about);
}

/** The same of a state that is known to be ours: nothing is verified. */
export const readJoinState = (
  jwt: string,
  about: Pick<Circumstances, "clusterName">,
): JoinStateClaims => claimsOf(Buffer.from(jwt.split(".")[1] ?? "", "base64url"), about);

function claimsOf(
  payload: Buffer,
  { clusterName }: Pick<Circumstances, "clusterName">,
): JoinStateClaims {
  const state = readClaims(payload);
  if (state.iss !== clusterName) throw refused("it is of another cluster");
  return state;
}

/**
 * How many recoveries the state says are left, for the machine that holds it: it cannot verify the
 * signature, and need not, for it only shows the number. None for a state without a limit (mode
 * other than `standard`), or one that is not readable.
 */
export function recoveriesLeft(jwt: string): number | undefined {
  try {
    const payload = Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString("utf8");
    const state = recoveries.parse(JSON.parse(payload));
    if (state.recovery_mode !== "standard") return undefined;
    return Math.max(0, state.recovery_limit - state.recovery_count);
  } catch {
    return undefined;
  }
}

function verifiedPayload(jwt: string, keys: readonly KeyObject[]): Buffer {
  for (const key of keys) {
    try {
      const { payload, header } = verifyJws(jwt, key);
      if (header["typ"] === TYPE) return payload;
    } catch {
      // another trusted key may have signed it
    }
  }
  throw refused("no trusted key signed it");
}

function readClaims(payload: Buffer): JoinStateClaims {
  try {
    return claims.parse(JSON.parse(payload.toString("utf8")));
  } catch {
    throw refused("its claims are not those of a join state");
  }
}

const refused = (detail: string): Error =>
  unauthenticated("the join state is not valid", { detail });
