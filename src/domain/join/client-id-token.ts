import { badParameter } from "#base/kernel";
import { privateKeyFromPem, spkiDer, sshPublicKeyLine } from "#base/crypto";
import { checkChallenge } from "./challenge.ts";
import type { PendingAttempt } from "./client-state.ts";
import { challengedAudience } from "./methods/oidc/audience.ts";

/** Where a machine gets the ID token that its platform gives it. Both reject with a code. */
export type IdTokenSource =
  /** One that lies there: it is read again for every join. */
  | { readonly kind: "held"; readonly read: (signal: AbortSignal) => Promise<string> }
  /** One for whatever audience is asked for: it answers a challenge. */
  | {
      readonly kind: "on_demand";
      readonly request: (audience: string, signal: AbortSignal) => Promise<string>;
    };

/** Gives the solution of a challenge, whose document it gets. */
export type Answer = (document: string) => Promise<string>;

/** `undefined` where no ID token can be asked for. */
export function answerWith(
  source: IdTokenSource | undefined,
  attempt: PendingAttempt,
  signal: AbortSignal,
): Answer | undefined {
  if (source?.kind !== "on_demand") return undefined;
  return async (document) => {
    const expected = { token: attempt.token, keyId: attempt.attempt_id };
    const { clusterName } = checkChallenge(document, expected);
    const keys = {
      tlsPublicKey: spkiDer(privateKeyFromPem(attempt.tls_private_key)),
      sshPublicKey: sshPublicKeyLine(privateKeyFromPem(attempt.ssh_private_key)),
    };
    const idToken = await source.request(
      challengedAudience(clusterName, { document, ...keys }),
      signal,
    );
    if (idToken === "") throw badParameter("the platform gave an empty ID token");
    return idToken;
  };
}
