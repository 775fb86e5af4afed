import { codeOf, limitExceeded } from "#base/kernel";
import type { Change, Store } from "#base/storage";

interface Following {
  readonly kinds: readonly string[];
  readonly after: number;
  readonly signal: AbortSignal;
}

/** How often a feed that breaks before it brings anything is taken up again. */
const MAX_RESUMES = 3;

/**
 * Takes the feed up again where it broke, as long as the store still holds what came since; after
 * that, `limit_exceeded`.
 */
export async function* following(
  store: Store,
  { kinds, after, signal }: Following,
): AsyncGenerator<Change, void, undefined> {
  // Changes of one batch may share a position: so resuming counts how many of it were passed on.
  let last = { position: after + 1, passed: 0 };
  for (let broken = 0; ; broken++) {
    try {
      let skip = last.passed;
      for await (const change of store.watch({ kinds, after: last.position - 1, signal })) {
        if (change.position === last.position && skip-- > 0) continue;
        const passed = change.position === last.position ? last.passed + 1 : 1;
        last = { position: change.position, passed };
        broken = 0;
        yield change;
      }
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (codeOf(error) === "compare_failed") throw tooSlow();
      if (broken >= MAX_RESUMES) throw error;
    }
  }
}

const tooSlow = (): Error =>
  limitExceeded(
    "the reader fell behind what the change feed still holds; list again, then watch anew",
  );
