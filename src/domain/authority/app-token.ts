import { randomToken, signJws } from "#base/crypto";
import type { Traits } from "#domain/resources";
import { CLOCK_SKEW_MS, type Circumstances } from "./keys.ts";
import type { JwtSigner } from "./signers.ts";

/** Tells an HTTP application who calls, as a JWT that it can verify with the `app` authority's keys. */
export interface AppTokenRequest {
  /** The application's address, which becomes the audience. */
  readonly uri: string;
  readonly user: string;
  readonly roles: readonly string[];
  readonly traits: Traits;
  readonly ttlMs: number;
}

export function encodeAppToken(
  request: AppTokenRequest,
  signer: JwtSigner,
  about: Circumstances,
): string {
  const { uri, user, roles, traits, ttlMs } = request;
  const claims = {
    iss: about.clusterName,
    aud: uri,
    sub: user,
    username: user,
    roles,
    traits,
    iat: Math.floor(about.now / 1000),
    nbf: Math.floor((about.now - CLOCK_SKEW_MS) / 1000),
    exp: Math.floor((about.now + ttlMs) / 1000),
    jti: randomToken(),
  };
  return signJws(JSON.stringify(claims), signer.privateKey, { typ: "JWT", kid: signer.keyId });
}
