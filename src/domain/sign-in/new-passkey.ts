import { limitExceeded } from "#base/kernel";
import { withPasskey, type Credentials } from "./credentials.ts";
import { MAX_PASSKEYS } from "./limits.ts";
import { partyOf, type SignInParts } from "./parts.ts";
import { registered } from "./passkey.ts";

/** The credentials with a passkey that was made for this challenge. */
export async function withNewPasskey(
  parts: SignInParts,
  credentials: Credentials,
  made: { readonly challenge: string; readonly response: unknown; readonly name: string },
): Promise<Credentials> {
  if (credentials.passkeys.length >= MAX_PASSKEYS)
    throw limitExceeded(`an account has at most ${MAX_PASSKEYS} passkeys`);
  const about = { ...made, now: parts.clock.now() };
  return withPasskey(credentials, await registered(partyOf(parts), about));
}
