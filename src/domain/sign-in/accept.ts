import { badParameter } from "#base/kernel";
import { systemActor, type Actor } from "#domain/audit";
import type { PublicKeyCredentialCreationOptionsJSON } from "@simplewebauthn/server";
import { browserOf } from "./browser.ts";
import { credentialsOf, writeOfCredentials, type Credentials, type Held } from "./credentials.ts";
import {
  newInvitation,
  readInvitation,
  removalOfInvitation,
  type Invitation,
  type InvitationPurpose,
} from "./invitations.ts";
import { checkLocked } from "./locked.ts";
import { withNewPasskey } from "./new-passkey.ts";
import { methodsOf, ownAct, partyOf } from "./parts.ts";
import type { PasskeyAnswer, PasskeyQuestion, SignInParts } from "./parts.ts";
import { registrationOptions } from "./passkey.ts";
import type { Entered, Origin } from "./sessions.ts";
import { newTotp, totpUri } from "./totp.ts";

/** What somebody answers to an invitation: a password with its code, a passkey, or both. */
export interface Acceptance {
  readonly password?: string | undefined;
  readonly code?: string | undefined;
  readonly passkey?: PasskeyAnswer | undefined;
}

/** A link for a user that exists; it is a secret. */
export async function invite(
  { store, resources, audit, clock, origin }: SignInParts,
  about: { user: string; purpose: InvitationPurpose },
  by: { actor: Actor; remoteAddr?: string } = { actor: systemActor },
): Promise<{ url: string; expires: number }> {
  await resources.require("user", about.user);
  const { write, token, expires } = newInvitation(clock, about);
  const fields = { name: about.user, purpose: about.purpose };
  await store.commit([write, audit.write({ type: "user.invite", ...by, fields })]);
  // After the #, so that it reaches no server's log.
  return { url: `${origin()}/web/invitation#${token}`, expires };
}

/** What the page of an invitation shows; it changes nothing. */
export async function openInvitation(
  { store, clusterName }: SignInParts,
  token: string,
): Promise<Invitation & { readonly totpUri: string }> {
  const invitation = await readInvitation(store, token);
  const { user, totp_secret: secret } = invitation;
  return { ...invitation, totpUri: await totpUri({ secret, user, clusterName }) };
}

export async function beginRegistration(
  parts: SignInParts,
  token: string,
): Promise<PasskeyQuestion<PublicKeyCredentialCreationOptionsJSON>> {
  const { user } = await readInvitation(parts.store, token);
  const { credentials } = await credentialsOf(parts.store, user);
  const { handle, passkeys: known } = credentials;
  const bytes = new Uint8Array(Buffer.from(handle));
  const options = await registrationOptions(partyOf(parts), { user, handle: bytes, known });
  // The handle may be fresh: the acceptance stores the one that the passkey was made with.
  const challenge = JSON.stringify([options.challenge, handle]);
  const purpose = `accept ${user}`;
  return { challenge_id: parts.challenges.put({ challenge, purpose }), options };
}

/** Takes up an invitation: stores how the person signs in from now on, and signs in. */
export async function accept(
  parts: SignInParts,
  { token, answer, origin }: { token: string; answer: Acceptance; origin: Origin },
): Promise<Entered> {
  const { store, audit, sessions } = parts;
  const invitation = await readInvitation(store, token);
  const { user } = invitation;
  await checkLocked(parts, user);
  const held = await credentialsOf(store, user);
  const name = await browserOf(origin.agent);
  const next = await accepted(parts, { invitation, held, answer, name });
  const { entered, write } = sessions.begin(user, origin);
  const fields = { name: user, methods: methodsOf(next), change: invitation.purpose };
  await store.commit([
    removalOfInvitation(invitation),
    writeOfCredentials(held, next),
    ...(await sessions.endingsOf(user, "how you sign in was changed, by a link")),
    write,
    audit.write({ ...ownAct(user, origin), type: "user.credentials", fields }),
  ]);
  return entered;
}

interface Answered {
  readonly invitation: Invitation;
  readonly held: Held;
  readonly answer: Acceptance;
  /** Of the passkey that is made. */
  readonly name: string;
}

async function accepted(
  parts: SignInParts,
  { invitation, held, answer, name }: Answered,
): Promise<Credentials> {
  const { user, purpose } = invitation;
  const { credentials } = held;
  if (answer.password === undefined && answer.passkey === undefined)
    throw badParameter("choose a password with an authenticator app, or a passkey");
  const base =
    purpose === "recovery" ? { user, handle: credentials.handle, passkeys: [] } : credentials;
  const chosen =
    answer.password === undefined ? base : await withPassword(parts, base, { invitation, answer });
  if (!answer.passkey) return chosen;
  const { challenge_id, response } = answer.passkey;
  const text = parts.challenges.take(challenge_id, `accept ${user}`);
  const [challenge, handle] = JSON.parse(text) as [string, string];
  return await withNewPasskey(parts, { ...chosen, handle }, { challenge, response, name });
}

async function withPassword(
  { passwords, clock }: SignInParts,
  base: Credentials,
  { invitation, answer }: Pick<Answered, "invitation" | "answer">,
): Promise<Credentials> {
  const { password = "", code = "" } = answer;
  const hashed = await passwords.hash(password);
  const totp = await newTotp(invitation.totp_secret, code, clock.now());
  return { ...base, password: hashed, totp };
}
