import { Bell, type Clock } from "#base/kernel";
import { impersonation, lockTargetsOf, type Caller, type LockSet } from "#domain/access";
import { expiryOf, lockTargetKey, type Lock } from "#domain/resources";
import type { AuthCall } from "./parts.ts";
import { rung } from "./rung.ts";

/** All locks in force that concern the caller, at once and again after each change. */
export async function* watchLocks(
  { locks, clock }: { readonly locks: LockSet; readonly clock: Clock },
  { caller, signal }: Pick<AuthCall, "caller" | "signal">,
): AsyncGenerator<{ locks: string[] }, void, undefined> {
  const concerns = concernOf(caller);
  const bell = new Bell();
  using _changes = locks.onChange(() => bell.ring());
  while (!signal.aborted) {
    yield { locks: inForce(locks, clock.now()).filter(concerns).map(documentOf) };
    await rung(bell, signal);
  }
}

/** Agents cut whoever is locked; a bot needs to know of itself and of the roles in its outputs. */
function concernOf(caller: Caller): (lock: Lock) => boolean {
  if (caller.kind !== "user") return () => true;
  const own = new Set(lockTargetsOf(caller.identity));
  const others = impersonation(caller.roles);
  return (lock) => {
    const { role } = lock.spec.target;
    return own.has(lockTargetKey(lock)) || (role !== undefined && others.allowsRole(role));
  };
}

const inForce = (locks: LockSet, now: number): readonly Lock[] =>
  locks.all().filter((lock) => (expiryOf(lock) ?? Infinity) > now);

/** Many agents watch the same locks. */
const documents = new WeakMap<Lock, string>();

function documentOf(lock: Lock): string {
  const json = documents.get(lock) ?? JSON.stringify(lock);
  documents.set(lock, json);
  return json;
}
