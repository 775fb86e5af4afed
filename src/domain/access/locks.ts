import { accessDenied, type CodedError } from "#base/kernel";
import { expiryOf, lockTargetKey, type Lock } from "#domain/resources";
import type { HostIdentity, UserIdentity } from "./identity.ts";

/** What of a person's identity a lock can name. */
type LockedPerson = Pick<
  UserIdentity,
  "user" | "roles" | "botInstanceId" | "joinToken" | "boundKeyFingerprint"
>;

/** The keys (`user:alice`) of every lock that would stop the holder of this identity. */
export function lockTargetsOf(identity: LockedPerson | HostIdentity): readonly string[] {
  const { roles, joinToken, boundKeyFingerprint } = identity;
  const instanceId = "hostId" in identity ? identity.instanceId : identity.botInstanceId;
  const joined = [
    ...(instanceId ? [`bot_instance_id:${instanceId}`] : []),
    ...(boundKeyFingerprint ? [`public_key:${boundKeyFingerprint}`] : []),
    ...(joinToken ? [`join_token:${joinToken}`] : []),
  ];
  if ("hostId" in identity) return [`server_id:${identity.hostId}`, ...joined];
  return [`user:${identity.user}`, ...roles.map((role) => `role:${role}`), ...joined];
}

/** What the holder of a locked identity is told. */
export const lockedError = (lock: Lock): CodedError =>
  accessDenied(
    `${lockTargetKey(lock).replace(":", ' "')}" is locked${lock.spec.message ? `: ${lock.spec.message}` : ""}`,
    { detail: `lock "${lock.metadata.name}"` },
  );

/**
 * The locks in force, by target, in memory: what everything that holds a connection or a credential
 * asks before it serves, and again whenever the set changes.
 */
export class LockSet {
  readonly #byName = new Map<string, Lock>();
  readonly #byTarget = new Map<string, Set<Lock>>();
  readonly #listeners = new Set<() => void>();

  get size(): number {
    return this.#byName.size;
  }

  /** Every lock known, also those that have ended but were not yet removed. */
  all(): readonly Lock[] {
    return [...this.#byName.values()];
  }

  /** Forgets what was there. */
  replace(locks: Iterable<Lock>): void {
    this.#byName.clear();
    this.#byTarget.clear();
    for (const lock of locks) this.#add(lock);
    this.#changed();
  }

  put(lock: Lock): void {
    this.#drop(lock.metadata.name);
    this.#add(lock);
    this.#changed();
  }

  remove(name: string): void {
    this.#drop(name);
    this.#changed();
  }

  /** A lock on any of the targets that has not ended at `now` (milliseconds since the epoch). */
  inForce(targets: Iterable<string>, now: number): Lock | undefined {
    for (const target of targets) {
      for (const lock of this.#byTarget.get(target) ?? []) {
        if ((expiryOf(lock) ?? Infinity) > now) return lock;
      }
    }
    return undefined;
  }

  match(identity: LockedPerson | HostIdentity, now: number): Lock | undefined {
    return this.inForce(lockTargetsOf(identity), now);
  }

  /** Throws `access_denied` with the lock's message. */
  check(identity: UserIdentity | HostIdentity, now: number): void {
    const lock = this.match(identity, now);
    if (lock) throw lockedError(lock);
  }

  /** Calls `listener` after every change, until disposed: live connections are to be matched again. */
  onChange(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  #add(lock: Lock): void {
    this.#byName.set(lock.metadata.name, lock);
    const target = lockTargetKey(lock);
    const locks = this.#byTarget.get(target) ?? new Set();
    this.#byTarget.set(target, locks.add(lock));
  }

  #drop(name: string): void {
    const lock = this.#byName.get(name);
    if (!lock) return;
    this.#byName.delete(name);
    const target = lockTargetKey(lock);
    const locks = this.#byTarget.get(target);
    locks?.delete(lock);
    if (locks?.size === 0) this.#byTarget.delete(target);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
