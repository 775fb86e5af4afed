import type { Clock } from "#base/kernel";
import type { Store, Write } from "#base/storage";
import { credentialsOf, removalOfCredentials } from "./credentials.ts";
import { Sessions } from "./sessions.ts";

/** What a person signed in with goes with the person: another of the same name must not inherit it. */
export async function signInRemovals(
  store: Store,
  user: string,
  clock: Clock,
): Promise<readonly Write[]> {
  const held = await credentialsOf(store, user);
  return [...removalOfCredentials(held), ...(await new Sessions(store, clock).removalsOf(user))];
}
