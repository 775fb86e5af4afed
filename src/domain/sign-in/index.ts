import type { IndexDefinition } from "#base/storage";
import { credentialIndexes } from "./credentials.ts";
import { sessionIndexes } from "./sessions.ts";

export type { Acceptance } from "./accept.ts";
export { signInRemovals } from "./leftovers.ts";
export type { SignInOptions } from "./parts.ts";
export type { SessionNews } from "./follow.ts";
export type { Account } from "./account.ts";
export { browserOf } from "./browser.ts";
export { SignedOut } from "./signed-out.ts";
export type { FactorQuestion } from "./second-factor.ts";
export type { Entered, Origin, Session } from "./sessions.ts";
export { SignIn } from "./sign-in.ts";

/** What a store must index for signing in. */
export const signInIndexes: readonly IndexDefinition[] = [...credentialIndexes, ...sessionIndexes];
