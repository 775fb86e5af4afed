import { badParameter, unauthenticated } from "#base/kernel";
import { withPasskey, type Credentials } from "./credentials.ts";
import { partyOf, type PasskeyAnswer, type SignInParts } from "./parts.ts";
import { authenticated } from "./passkey.ts";
import { totpStep } from "./totp.ts";

/** The credentials after a passkey solved its challenge. `unauthenticated` when it did not. */
export async function afterPasskey(
  parts: SignInParts,
  credentials: Credentials,
  { answer, purpose }: { answer: PasskeyAnswer; purpose: string },
): Promise<Credentials> {
  const challenge = parts.challenges.take(answer.challenge_id, purpose);
  const { response } = answer;
  const id = stringIn(response, "id");
  const passkey = credentials.passkeys.find((known) => known.id === id);
  if (!passkey)
    throw unauthenticated("the passkey was not accepted", { detail: "unknown passkey" });
  const about = { response, challenge, passkey, now: parts.clock.now() };
  return withPasskey(credentials, await authenticated(partyOf(parts), about));
}

/** The credentials after a code was used up. */
export async function afterCode(
  { clock }: Pick<SignInParts, "clock">,
  credentials: Credentials,
  code: string | undefined,
): Promise<Credentials> {
  const { totp } = credentials;
  if (code === undefined || !totp)
    throw badParameter("give a code of your authenticator app, or use a passkey");
  const step = await totpStep(code, totp, clock.now());
  if (step === undefined) throw unauthenticated("the code is wrong, or was used already");
  return { ...credentials, totp: { ...totp, used_step: step } };
}

/** The handle that a passkey brings, as it was given to it. */
export function handleIn(response: unknown): string {
  const inner = typeof response === "object" && response && "response" in response;
  const handle = inner ? stringIn(response.response, "userHandle") : "";
  return Buffer.from(handle, "base64url").toString("utf8");
}

function stringIn(value: unknown, field: string): string {
  const found: unknown = typeof value === "object" && value ? Reflect.get(value, field) : undefined;
  return typeof found === "string" ? found : "";
}
