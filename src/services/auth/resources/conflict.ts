import { codeOf, compareFailed } from "#base/kernel";
import type { Committed, Store, Write } from "#base/storage";

/** Others wrote at the same time what this write rests on: it is to be decided again. */
export class Conflict extends Error {
  override readonly name = "Conflict";
}

const CONFLICTS: ReadonlySet<string> = new Set(["compare_failed", "already_exists", "not_found"]);

export async function commitOrConflict(store: Store, writes: readonly Write[]): Promise<Committed> {
  try {
    return await store.commit(writes);
  } catch (cause) {
    if (CONFLICTS.has(codeOf(cause))) throw new Conflict("the commit met another", { cause });
    throw cause;
  }
}

/** More turns help only against someone who writes the same documents without pause. */
const MAX_TURNS = 5;

/** Decides and commits again while others get in between. */
export async function retryingConflicts<T>(turn: () => Promise<T>): Promise<T> {
  for (let left = MAX_TURNS; left > 0; left--) {
    try {
      return await turn();
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
    }
  }
  throw compareFailed("others keep changing the same documents; read them again and try once more");
}
