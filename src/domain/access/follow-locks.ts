import type { Store } from "#base/storage";
import { fromItem, Resources, type Lock } from "#domain/resources";
import type { LockSet } from "./locks.ts";

/**
 * Fills the set from the store and keeps it in step until the signal aborts. Rejects when the store
 * does (the change feed is gone, the disk is away): run it again, and it starts from a full list,
 * while the set still holds what it knew.
 */
export async function followLocks(
  set: LockSet,
  options: { readonly store: Store; readonly signal: AbortSignal; readonly onReady?: () => void },
): Promise<void> {
  const { store, signal } = options;
  const after = await store.position();
  const locks: Lock[] = [];
  for await (const lock of new Resources(store).all("lock")) locks.push(lock);
  set.replace(locks);
  options.onReady?.();
  for await (const change of store.watch({ kinds: ["lock"], after, signal })) {
    if (change.item) set.put(fromItem(change.item) as Lock);
    else set.remove(change.name);
  }
}
