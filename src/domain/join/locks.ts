import type { Store } from "#base/storage";
import { lockedError } from "#domain/access";
import { fromItem, type Lock } from "#domain/resources";
import type { JoinDependencies } from "./dependencies.ts";
import { Refusal } from "./refusal.ts";

/**
 * 4. "Locks: user, bot instance, join token, public key, role. (After the challenge, so that a
 * stranger learns nothing; before join state, so that a locked client does not make more locks.)"
 *
 * The set in memory may be some milliseconds behind. That is harmless for a certificate that the
 * lock names anyway, but a machine that leaves its locked instance for a new one (`leaving`) would
 * escape: then the store itself is asked.
 */
export async function checkLocks(
  { locks, store, clock }: Pick<JoinDependencies, "locks" | "store" | "clock">,
  targets: readonly string[],
  options: { readonly leaving: boolean },
): Promise<void> {
  const now = clock.now();
  const lock =
    locks.inForce(targets, now) ??
    (options.leaving ? await stored(store, targets, now) : undefined);
  if (!lock) return;
  const told = lockedError(lock);
  throw new Refusal({ told, reason: `${told.message} (lock "${lock.metadata.name}")` });
}

async function stored(
  store: Store,
  targets: readonly string[],
  now: number,
): Promise<Lock | undefined> {
  const pages = await Promise.all(
    targets.map((target) =>
      store.list({ kind: "lock", index: "target", from: target, to: `${target}\0` }),
    ),
  );
  const locks = pages.flatMap((page) => page.items.map((item) => fromItem(item)));
  return locks.find((found): found is Lock => found.kind === "lock" && inForce(found, now));
}

const inForce = ({ spec }: Lock, now: number): boolean =>
  spec.expires === undefined || Date.parse(spec.expires) > now;
