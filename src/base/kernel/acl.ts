import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { badParameter, messageOf } from "./errors.ts";
import type { Logger } from "./log.ts";

const run = promisify(execFile);

/** A user or group that may use a file or directory, beside its owner. */
export type Reader = { readonly user: string } | { readonly group: string };

export interface AclPolicy {
  readonly readers: readonly Reader[];
  /** `required` fails when a reader cannot be granted access, `try` warns, `off` sets none. */
  readonly acls: "try" | "off" | "required";
  readonly log: Logger;
}

/** Grants the readers `permissions` (`r`, `rx`, …) on `path` by ACL; `bad_parameter` when that fails. */
export async function grantByAcl(
  path: string,
  permissions: string,
  { readers, acls, log }: AclPolicy,
): Promise<void> {
  if (acls === "off" || readers.length === 0) return;
  const entries = readers.map(
    (reader) => `${"user" in reader ? `u:${reader.user}` : `g:${reader.group}`}:${permissions}`,
  );
  try {
    await run("setfacl", ["-m", entries.join(","), "--", path]);
  } catch (error) {
    const problem = `cannot grant ${entries.join(", ")} on "${path}" with setfacl (${messageOf(error).trim()})`;
    if (acls === "required")
      throw badParameter(
        `${problem}; install the package acl, name existing users, or use a file system with ACLs`,
      );
    log.warn(problem);
  }
}

/**
 * Whether nobody may use `path` but its owner and those whom an ACL names. Where there is an ACL, the
 * group's bits of the mode are its mask and say nothing of the group itself.
 */
export async function isPrivate(path: string, mode: number): Promise<boolean> {
  if ((mode & 0o077) === 0) return true;
  if ((mode & 0o007) !== 0) return false;
  const { stdout } = await run("getfacl", ["-cp", "--", path]).catch(() => ({ stdout: "" }));
  return /^group::---/m.test(stdout);
}
