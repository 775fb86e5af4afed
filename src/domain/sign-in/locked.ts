import { accessDenied } from "#base/kernel";
import { lockedError, lockTargetsOf } from "#domain/access";
import type { User } from "#domain/resources";
import type { SignInParts } from "./parts.ts";

type Parts = Pick<SignInParts, "locks" | "clock">;

/** What somebody who is locked is told; nothing for anybody else. */
export function lockedBy({ locks, clock }: Parts, { metadata, spec }: User): string | undefined {
  const targets = lockTargetsOf({ user: metadata.name, roles: spec.roles });
  const lock = locks.inForce(targets, clock.now());
  return lock && lockedError(lock).message;
}

/** `access_denied` with the lock's message: said only to who has proved to be that person. */
export async function checkLocked(
  parts: Parts & Pick<SignInParts, "resources">,
  name: string,
): Promise<void> {
  const user = await parts.resources.require("user", name);
  const lock = lockedBy(parts, user);
  if (lock !== undefined) throw accessDenied(lock);
}
