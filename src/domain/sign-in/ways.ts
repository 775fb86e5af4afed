import { credentialsOf } from "./credentials.ts";
import type { SignInParts } from "./parts.ts";

/** How somebody signs in, for an administrator: no name of a device and no time. */
export interface Ways {
  /** With an authenticator app. */
  readonly password: boolean;
  /** How many. */
  readonly passkeys: number;
}

export async function waysOf({ store }: Pick<SignInParts, "store">, user: string): Promise<Ways> {
  const { credentials } = await credentialsOf(store, user);
  return { password: credentials.password !== undefined, passkeys: credentials.passkeys.length };
}
