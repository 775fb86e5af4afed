import type { Clock } from "#base/kernel";
import type { Store } from "#base/storage";
import type { LockSet } from "#domain/access";
import type { AuditLog, EventDraft } from "#domain/audit";
import type { Resources } from "#domain/resources";
import { Challenges } from "./challenges.ts";
import type { Credentials } from "./credentials.ts";
import type { RelyingParty } from "./passkey.ts";
import { Passwords } from "./password.ts";
import { Sessions, type Origin } from "./sessions.ts";
import { Throttle } from "./throttle.ts";

export interface SignInOptions {
  readonly store: Store;
  readonly resources: Pick<Resources, "get" | "require">;
  readonly audit: Pick<AuditLog, "write" | "emit">;
  readonly clock: Clock;
  readonly locks: Pick<LockSet, "inForce">;
  readonly clusterName: string;
  /** Where the page is, `https://host[:port]`; passkeys are bound to it. */
  readonly origin: () => string;
}

/** What every way of signing in is made of. */
export interface SignInParts extends SignInOptions {
  readonly sessions: Sessions;
  readonly challenges: Challenges;
  readonly throttle: Throttle;
  readonly passwords: Passwords;
}

export interface PasskeyAnswer {
  readonly challenge_id: string;
  /** As the browser's WebAuthn API gives it, in JSON. */
  readonly response: unknown;
}

export interface PasskeyQuestion<Options> {
  readonly challenge_id: string;
  readonly options: Options;
}

export function partsOf(options: SignInOptions): SignInParts {
  const { store, clock } = options;
  return {
    ...options,
    sessions: new Sessions(store, clock),
    challenges: new Challenges(clock),
    throttle: new Throttle(store, clock),
    passwords: new Passwords(),
  };
}

export const partyOf = ({ clusterName, origin }: SignInOptions): RelyingParty => ({
  clusterName,
  origin: origin(),
});

/** Who did it, for events about somebody's own account. */
export const ownAct = (
  user: string,
  { remoteAddr }: Origin,
): Pick<EventDraft, "actor" | "remoteAddr"> => ({
  actor: { kind: "user", name: user },
  remoteAddr,
});

/** A refusal: the reason is for the audit log only. */
export function tellRefused(
  { audit }: Pick<SignInParts, "audit">,
  { name, reason }: { name: string; reason: string },
  { remoteAddr }: Origin,
): void {
  const actor = { kind: "anonymous", name: "" } as const;
  audit.emit({ type: "user.login.failed", actor, remoteAddr, fields: { name, reason } });
}

/** The words of a person's credentials, for the audit log. */
export const methodsOf = ({ password, passkeys }: Credentials): string[] => [
  ...(password ? ["password and TOTP"] : []),
  ...(passkeys.length > 0 ? [`passkeys: ${passkeys.length}`] : []),
];
