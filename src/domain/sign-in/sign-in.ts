import { accept, beginRegistration, invite, openInvitation } from "./accept.ts";
import { beginPasskey, enterWithPasskey, enterWithPassword } from "./enter.ts";
import { ownAct, partsOf, type SignInOptions, type SignInParts } from "./parts.ts";
import { beginFactor, giveFactor } from "./second-factor.ts";
import { waysOf } from "./ways.ts";
import type { Origin, Sessions } from "./sessions.ts";

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

  /** Ends every session of a person: everywhere. */
  async endAll(user: string, origin: Origin): Promise<void> {
    const { store, audit, sessions } = this.#parts;
    const removals = await sessions.removalsOf(user);
    const fields = { name: user, sessions: removals.length };
    const event = audit.write({ ...ownAct(user, origin), type: "user.logout", fields });
    await store.commit([...removals, event]);
  }
}
