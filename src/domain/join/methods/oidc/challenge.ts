import type { Attempt } from "../../attempt.ts";
import { challengeDocument } from "../../challenge.ts";
import type { JoinDependencies } from "../../dependencies.ts";
import type { Step } from "../../protocol.ts";
import { challengedAudience } from "./audience.ts";
import type { Presented } from "./trust.ts";

/**
 * "oidc with nonce": who can get an ID token on demand gets one for this very join. Everyone who asks
 * is challenged, whatever the token: a stranger learns nothing by it.
 */
export function challenge(
  { authorities, clock }: Pick<JoinDependencies, "authorities" | "clock">,
  attempt: Attempt,
  solved: (presented: Presented) => Promise<Step>,
): Step {
  const { clusterName } = authorities.trust();
  const document = challengeDocument({
    iss: clusterName,
    aud: attempt.token,
    sub: attempt.id,
    now: clock.now(),
  });
  const audienceFrom = (base: string): string => challengedAudience(base, { ...attempt, document });
  return {
    step: "challenge",
    document,
    publicKey: "",
    solve: (idToken) => solved({ idToken, audienceFrom, challenged: true }),
  };
}
