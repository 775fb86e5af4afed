import { codeOf, siteOf, unauthenticated } from "#base/kernel";
import type { PublicKeyCredentialRequestOptionsJSON } from "@simplewebauthn/server";
import { afterCode, afterPasskey, handleIn } from "./answer.ts";
import { credentialsByHandle, credentialsOf, writeOfCredentials } from "./credentials.ts";
import type { Credentials, Held } from "./credentials.ts";
import { checkLocked } from "./locked.ts";
import { ownAct, partyOf, tellRefused } from "./parts.ts";
import type { PasskeyAnswer, PasskeyQuestion, SignInParts } from "./parts.ts";
import { authenticationOptions } from "./passkey.ts";
import type { Entered, Origin } from "./sessions.ts";

const SIGN_IN = "sign in";

interface Attempt {
  /** What is slowed down when it fails. */
  readonly keys: readonly string[];
  /** The name that was given, for the audit log. */
  readonly name: string;
  readonly origin: Origin;
}

/** Signs in with a password and a code. One refusal for whatever was wrong. */
export async function enterWithPassword(
  parts: SignInParts,
  about: { user: string; password: string; code: string },
  origin: Origin,
): Promise<Entered> {
  const { user: name, password, code } = about;
  const account = `user ${name}`;
  const attempt = { keys: [account, addressKey(origin)], name, origin };
  return await attempted(parts, attempt, async () => {
    const held = await credentialsOf(parts.store, name);
    const right = await parts.passwords.matches(password, held.credentials.password);
    if (!(await parts.resources.get("user", name))) throw refused("unknown user");
    if (!right) throw refused("wrong password");
    const next = await afterCode(parts, held.credentials, code);
    const done = await entered(parts, { held, next, method: "password", origin });
    await parts.throttle.succeeded(account);
    return done;
  });
}

/** Anybody may ask: it names nobody. */
export async function beginPasskey(
  parts: SignInParts,
): Promise<PasskeyQuestion<PublicKeyCredentialRequestOptionsJSON>> {
  const options = await authenticationOptions(partyOf(parts));
  const { challenge } = options;
  return { challenge_id: parts.challenges.put({ challenge, purpose: SIGN_IN }), options };
}

export async function enterWithPasskey(
  parts: SignInParts,
  answer: PasskeyAnswer,
  origin: Origin,
): Promise<Entered> {
  const held = await credentialsByHandle(parts.store, handleIn(answer.response));
  const name = held?.credentials.user ?? "";
  const attempt = { keys: [addressKey(origin)], name, origin };
  return await attempted(parts, attempt, async () => {
    if (!held || !(await parts.resources.get("user", name))) throw refused("no such passkey");
    const next = await afterPasskey(parts, held.credentials, { answer, purpose: SIGN_IN });
    return await entered(parts, { held, next, method: "passkey", origin });
  });
}

/** Slows down whoever fails, and tells the audit log why; the caller hears one sentence. */
async function attempted(
  parts: SignInParts,
  { keys, name, origin }: Attempt,
  run: () => Promise<Entered>,
): Promise<Entered> {
  await parts.throttle.check(keys);
  try {
    return await run();
  } catch (error) {
    if (!["unauthenticated", "bad_parameter"].includes(codeOf(error))) throw error;
    await parts.throttle.failed(keys);
    const reason = (error as { detail?: string }).detail ?? (error as Error).message;
    tellRefused(parts, { name, reason }, origin);
    throw unauthenticated("the name, the password, the code or the passkey is wrong");
  }
}

const addressKey = ({ remoteAddr }: Origin): string => `address ${siteOf(remoteAddr)}`;

const refused = (detail: string): Error => unauthenticated("refused", { detail });

async function entered(
  parts: SignInParts,
  about: { held: Held; next: Credentials; method: string; origin: Origin },
): Promise<Entered> {
  const { held, next, method, origin } = about;
  const { user: name } = next;
  await checkLocked(parts, name);
  const { store, audit, sessions } = parts;
  const { entered: done, write } = sessions.begin(name, origin);
  const event = { ...ownAct(name, origin), type: "user.login", fields: { name, method } } as const;
  try {
    await store.commit([writeOfCredentials(held, next), write, audit.write(event)]);
    return done;
  } catch (error) {
    if (codeOf(error) !== "compare_failed") throw error;
    throw unauthenticated("refused", { detail: "the same code was used at the same time" });
  }
}
