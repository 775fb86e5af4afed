import { badParameter, notFound } from "#base/kernel";
import type { PublicKeyCredentialCreationOptionsJSON } from "@simplewebauthn/server";
import { credentialsOf, writeOfCredentials, type Credentials } from "./credentials.ts";
import { withNewPasskey } from "./new-passkey.ts";
import { methodsOf, ownAct, partyOf } from "./parts.ts";
import type { PasskeyAnswer, PasskeyQuestion, SignInParts } from "./parts.ts";
import { registrationOptions } from "./passkey.ts";
import type { Origin, Session } from "./sessions.ts";
import { newTotp, newTotpSecret, totpUri, totpUsed } from "./totp.ts";

/** How somebody signs in, without any secret. Times are RFC 3339, and empty for what was never used. */
export interface Account {
  readonly user: string;
  readonly password: boolean;
  readonly authenticator?: { readonly used: string };
  readonly passkeys: readonly {
    readonly id: string;
    readonly name: string;
    readonly created: string;
    readonly used: string;
  }[];
}

export async function accountOf(
  { store }: Pick<SignInParts, "store">,
  { user }: Session,
): Promise<Account> {
  const { credentials } = await credentialsOf(store, user);
  const { password, totp, passkeys } = credentials;
  const used = totp && totpUsed(totp);
  return {
    user,
    password: password !== undefined,
    ...(totp && { authenticator: { used: used ? new Date(used).toISOString() : "" } }),
    passkeys: passkeys.map(({ id, name, created, used = "" }) => ({ id, name, created, used })),
  };
}

/** An answer counts in this session only. */
const passkeyPurpose = ({ id }: Session): string => `passkey ${id}`;
const authenticatorPurpose = ({ id }: Session): string => `authenticator ${id}`;

export async function beginPasskeyOf(
  parts: SignInParts,
  session: Session,
): Promise<PasskeyQuestion<PublicKeyCredentialCreationOptionsJSON>> {
  const { user } = session;
  const { credentials } = await credentialsOf(parts.store, user);
  const handle = new Uint8Array(Buffer.from(credentials.handle));
  const about = { user, handle, known: credentials.passkeys };
  const options = await registrationOptions(partyOf(parts), about);
  const { challenge } = options;
  const purpose = passkeyPurpose(session);
  return { challenge_id: parts.challenges.put({ challenge, purpose }), options };
}

export async function addPasskey(
  parts: SignInParts,
  session: Session,
  { name, answer, origin }: { name: string; answer: PasskeyAnswer; origin: Origin },
): Promise<void> {
  const challenge = parts.challenges.take(answer.challenge_id, passkeyPurpose(session));
  const { response } = answer;
  await changed(parts, { session, origin, change: "a passkey was added" }, async (credentials) =>
    withNewPasskey(parts, credentials, { challenge, response, name }),
  );
}

export async function removePasskey(
  parts: SignInParts,
  session: Session,
  { id, origin }: { id: string; origin: Origin },
): Promise<void> {
  await changed(parts, { session, origin, change: "a passkey was removed" }, (credentials) => {
    const passkeys = credentials.passkeys.filter((passkey) => passkey.id !== id);
    if (passkeys.length === credentials.passkeys.length)
      throw notFound("there is no such passkey; it was removed already");
    return { ...credentials, passkeys };
  });
}

/** A new secret for an authenticator app; it counts once a code of it comes with `setPassword`. */
export async function beginAuthenticator(
  { challenges, clusterName }: SignInParts,
  session: Session,
): Promise<{ challenge_id: string; totp_secret: string; totp_uri: string }> {
  const secret = newTotpSecret();
  const purpose = authenticatorPurpose(session);
  const challenge_id = challenges.put({ challenge: secret, purpose });
  const totp_uri = await totpUri({ secret, user: session.user, clusterName });
  return { challenge_id, totp_secret: secret, totp_uri };
}

export interface NewPassword {
  readonly password?: string | undefined;
  readonly authenticator?: { readonly challenge_id: string; readonly code: string } | undefined;
}

/** Another password, another authenticator app, or both. Whoever is signed in elsewhere is out. */
export async function setPassword(
  parts: SignInParts,
  session: Session,
  { password, authenticator, origin }: NewPassword & { origin: Origin },
): Promise<void> {
  const { passwords, challenges, clock } = parts;
  const change = password === undefined ? "another authenticator app" : "another password";
  await changed(parts, { session, origin, change }, async (credentials) => {
    if (password === undefined && !credentials.password)
      throw badParameter("choose a password with the authenticator app");
    if (!authenticator && !credentials.totp)
      throw badParameter("a password needs an authenticator app beside it; set one up with it");
    const { challenge_id: id = "", code = "" } = authenticator ?? {};
    const purpose = authenticatorPurpose(session);
    const totp = authenticator
      ? await newTotp(challenges.read(id, purpose), code, clock.now())
      : credentials.totp;
    const hashed = password === undefined ? credentials.password : await passwords.hash(password);
    return { ...credentials, password: hashed, totp };
  });
  await endOthers(parts, session, origin);
}

/** Both: neither is a way in without the other. */
export async function removePassword(
  parts: SignInParts,
  session: Session,
  origin: Origin,
): Promise<void> {
  const change = "the password was removed";
  await changed(parts, { session, origin, change }, (credentials) => ({
    ...credentials,
    password: undefined,
    totp: undefined,
  }));
}

/** Ends this one. */
export async function leave(
  { sessions, audit }: SignInParts,
  session: Session,
  origin: Origin,
): Promise<void> {
  const event = () => audit.write(logout(session.user, origin));
  await sessions.end([session], "you are signed out", event);
}

/** Ends what this person has open elsewhere; how many there were. */
export async function endOthers(
  { sessions, audit }: SignInParts,
  session: Session,
  origin: Origin,
): Promise<number> {
  const others = (await sessions.of(session.user)).filter(({ id }) => id !== session.id);
  await sessions.end(others, ELSEWHERE, () => audit.write(logout(session.user, origin)));
  return others.length;
}

/** `not_found` for another person's, as for none. */
export async function endOne(
  { sessions, audit }: SignInParts,
  session: Session,
  { id, origin }: { id: string; origin: Origin },
): Promise<void> {
  const found = (await sessions.of(session.user)).filter((each) => each.id === id);
  if (found.length === 0) throw notFound("this session has ended already");
  await sessions.end(found, ELSEWHERE, () => audit.write(logout(session.user, origin)));
}

const ELSEWHERE = "you were signed out from another place";

const logout = (name: string, origin: Origin) =>
  ({ ...ownAct(name, origin), type: "user.logout", fields: { name, sessions: 1 } }) as const;

/** One change of somebody's own credentials, with its event; never to none. */
async function changed(
  { store, audit }: SignInParts,
  { session, origin, change }: { session: Session; origin: Origin; change: string },
  make: (credentials: Credentials) => Credentials | Promise<Credentials>,
): Promise<void> {
  const held = await credentialsOf(store, session.user);
  const next = await make(held.credentials);
  if (methodsOf(next).length === 0)
    throw badParameter("this is the only way in; add another one before you remove it");
  const fields = { name: session.user, methods: methodsOf(next), change };
  const event = { ...ownAct(session.user, origin), type: "user.credentials", fields } as const;
  await store.commit([writeOfCredentials(held, next), audit.write(event)]);
}
