import { systemActor } from "#domain/audit";
import type { User } from "#domain/resources";
import { accept, beginRegistration, invite, openInvitation } from "./accept.ts";
import {
  accountOf,
  addPasskey,
  beginAuthenticator,
  beginPasskeyOf,
  endOne,
  endOthers,
  leave,
  removePassword,
  removePasskey,
  setPassword,
} from "./account.ts";
import { beginPasskey, enterWithPasskey, enterWithPassword } from "./enter.ts";
import { DELETED, followSession } from "./follow.ts";
import { lockedBy } from "./locked.ts";
import { ownAct, partsOf, type SignInOptions, type SignInParts } from "./parts.ts";
import { beginFactor, giveFactor } from "./second-factor.ts";
import { waysOf } from "./ways.ts";
import type { Origin, Session, Sessions } from "./sessions.ts";
import { SignedOut } from "./signed-out.ts";

type Rest<F> = F extends (parts: SignInParts, ...rest: infer R) => infer Result
  ? (...rest: R) => Result
  : never;

/** How people sign in: an invitation first, then a password with TOTP, or a passkey. */
export class SignIn {
  readonly #parts: SignInParts;

  constructor(options: SignInOptions) {
    this.#parts = partsOf(options);
  }

  get sessions(): Sessions {
    return this.#parts.sessions;
  }

  readonly invite: Rest<typeof invite> = (...rest) => invite(this.#parts, ...rest);
  readonly openInvitation: Rest<typeof openInvitation> = (token) =>
    openInvitation(this.#parts, token);
  readonly beginRegistration: Rest<typeof beginRegistration> = (token) =>
    beginRegistration(this.#parts, token);
  readonly accept: Rest<typeof accept> = (about) => accept(this.#parts, about);
  readonly enterWithPassword: Rest<typeof enterWithPassword> = (about, origin) =>
    enterWithPassword(this.#parts, about, origin);
  readonly beginPasskey: Rest<typeof beginPasskey> = () => beginPasskey(this.#parts);
  readonly enterWithPasskey: Rest<typeof enterWithPasskey> = (answer, origin) =>
    enterWithPasskey(this.#parts, answer, origin);
  readonly beginFactor: Rest<typeof beginFactor> = (session) => beginFactor(this.#parts, session);
  readonly giveFactor: Rest<typeof giveFactor> = (session, about) =>
    giveFactor(this.#parts, session, about);

  readonly waysOf: Rest<typeof waysOf> = (user) => waysOf(this.#parts, user);
  readonly accountOf: Rest<typeof accountOf> = (session) => accountOf(this.#parts, session);
  readonly beginPasskeyOf: Rest<typeof beginPasskeyOf> = (session) =>
    beginPasskeyOf(this.#parts, session);
  readonly addPasskey: Rest<typeof addPasskey> = (...rest) => addPasskey(this.#parts, ...rest);
  readonly removePasskey: Rest<typeof removePasskey> = (...rest) =>
    removePasskey(this.#parts, ...rest);
  readonly beginAuthenticator: Rest<typeof beginAuthenticator> = (session) =>
    beginAuthenticator(this.#parts, session);
  readonly setPassword: Rest<typeof setPassword> = (...rest) => setPassword(this.#parts, ...rest);
  readonly removePassword: Rest<typeof removePassword> = (...rest) =>
    removePassword(this.#parts, ...rest);
  readonly leave: Rest<typeof leave> = (...rest) => leave(this.#parts, ...rest);
  readonly endOne: Rest<typeof endOne> = (...rest) => endOne(this.#parts, ...rest);
  readonly endOthers: Rest<typeof endOthers> = (...rest) => endOthers(this.#parts, ...rest);
  readonly follow: Rest<typeof followSession> = (...rest) => followSession(this.#parts, ...rest);

  /** Who is behind a cookie. `SignedOut` when the session is over, or the person locked or deleted. */
  async authenticate(
    secret: string,
    how: { use?: boolean } = {},
  ): Promise<{ session: Session; user: User }> {
    const session = await this.sessions.read(secret, how);
    const user = await this.#parts.resources.get("user", session.user);
    if (!user) throw new SignedOut(DELETED);
    const locked = lockedBy(this.#parts, user);
    if (locked === undefined) return { session, user };
    await this.#endLocked(session.user, locked);
    throw new SignedOut(locked);
  }

  /** Ends the sessions of everybody who is locked now. */
  async endLocked(): Promise<void> {
    for (const name of await this.sessions.people()) {
      const user = await this.#parts.resources.get("user", name);
      const locked = user && lockedBy(this.#parts, user);
      if (locked !== undefined) await this.#endLocked(name, locked);
    }
  }

  async #endLocked(name: string, why: string): Promise<void> {
    const { audit, sessions } = this.#parts;
    const fields = { name, sessions: 1 };
    const event = () => audit.write({ type: "user.logout", actor: systemActor, fields });
    await sessions.end(await sessions.of(name), why, event);
  }

  /** Ends every session of a person: everywhere. */
  async endAll(user: string, origin: Origin): Promise<void> {
    const { audit, sessions } = this.#parts;
    const fields = { name: user, sessions: 1 };
    const event = () => audit.write({ ...ownAct(user, origin), type: "user.logout", fields });
    await sessions.end(await sessions.of(user), "you signed out everywhere", event);
  }
}
