import { codeOf, messageOf } from "#base/kernel";
import type { PublicKeyCredentialRequestOptionsJSON } from "@simplewebauthn/server";
import type { Acceptance } from "./accept.ts";
import { afterCode, afterPasskey } from "./answer.ts";
import { credentialsOf, writeOfCredentials } from "./credentials.ts";
import { partyOf, tellRefused, type PasskeyQuestion, type SignInParts } from "./parts.ts";
import { authenticationOptions } from "./passkey.ts";
import type { Origin, Session } from "./sessions.ts";

/** What this person can be asked for. */
export interface FactorQuestion {
  readonly totp: boolean;
  readonly passkey?: PasskeyQuestion<PublicKeyCredentialRequestOptionsJSON>;
}

const purposeOf = ({ id }: Session): string => `factor ${id}`;

export async function beginFactor(parts: SignInParts, session: Session): Promise<FactorQuestion> {
  const { credentials } = await credentialsOf(parts.store, session.user);
  const totp = credentials.totp !== undefined;
  if (credentials.passkeys.length === 0) return { totp };
  const options = await authenticationOptions(partyOf(parts), credentials.passkeys);
  const { challenge } = options;
  const challenge_id = parts.challenges.put({ challenge, purpose: purposeOf(session) });
  return { totp, passkey: { challenge_id, options } };
}

/** Counts for further actions of an administrator for a while, in this session only. */
export async function giveFactor(
  parts: SignInParts,
  session: Session,
  { answer, origin }: { answer: Pick<Acceptance, "code" | "passkey">; origin: Origin },
): Promise<Session> {
  const { store, throttle, sessions } = parts;
  const { user: name } = session;
  const key = `factor ${name}`;
  await throttle.check([key]);
  try {
    const held = await credentialsOf(store, name);
    const next = answer.passkey
      ? await afterPasskey(parts, held.credentials, {
          answer: answer.passkey,
          purpose: purposeOf(session),
        })
      : await afterCode(parts, held.credentials, answer.code);
    await store.commit([writeOfCredentials(held, next)]);
  } catch (error) {
    if (codeOf(error) === "unauthenticated") await throttle.failed([key]);
    tellRefused(parts, { name, reason: `second factor: ${messageOf(error)}` }, origin);
    throw error;
  }
  await throttle.succeeded(key);
  return await sessions.factorGiven(session);
}
