import type { KeyObject } from "node:crypto";
import { codeOf } from "#base/kernel";
import { decodeJoinState, type JoinStateClaims } from "./join-state.ts";
import type { Circumstances } from "./keys.ts";

/** Public keys of the join authority. */
export interface JoinKeys {
  readonly trusted: readonly KeyObject[];
  /** Those of rotations that have ended, with their last moment, milliseconds since the epoch. */
  readonly retired: readonly { readonly publicKey: KeyObject; readonly until: number }[];
}

export interface OutdatedJoinState {
  readonly claims: JoinStateClaims;
  /** When it began not to count, milliseconds since the epoch. */
  readonly since: number;
}

/** See `Authorities.verifyJoinState`. */
export function verifyJoinState(
  jwt: string,
  keys: JoinKeys,
  about: Circumstances,
): JoinStateClaims {
  const recent = keys.retired.filter(({ until }) => until > about.now);
  return decodeJoinState(jwt, [...keys.trusted, ...recent.map((key) => key.publicKey)], about);
}

/** See `Authorities.outdatedJoinState`. */
export function outdatedJoinState(
  jwt: string,
  { retired }: JoinKeys,
  about: Pick<Circumstances, "clusterName">,
): OutdatedJoinState | undefined {
  for (const { publicKey, until } of retired) {
    try {
      return { claims: decodeJoinState(jwt, [publicKey], about), since: until };
    } catch (error) {
      if (codeOf(error) !== "unauthenticated") throw error;
    }
  }
  return undefined;
}
