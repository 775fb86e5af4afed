import { randomBytes } from "node:crypto";
import { chmod, mkdir, open, readdir, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { badParameter, CodedError, messageOf, type ErrorCode } from "./errors.ts";

/** What the file system's answers mean: our code, and words for people. */
const ANSWERS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ENOENT: ["not_found", "no such file or directory"],
  ENOTDIR: ["bad_parameter", "a part of the path is not a directory"],
  EISDIR: ["bad_parameter", "it is a directory"],
  ENAMETOOLONG: ["bad_parameter", "the name is too long"],
  EACCES: ["access_denied", "permission denied"],
  EPERM: ["access_denied", "operation not permitted"],
  EROFS: ["access_denied", "the file system is read-only"],
  EEXIST: ["already_exists", "it exists already"],
  ENOSPC: ["unavailable", "the disk is full"],
  EDQUOT: ["unavailable", "the disk quota is used up"],
  EFBIG: ["unavailable", "a file may not grow that large here (ulimit -f)"],
  EIO: ["unavailable", "the disk failed"],
  EMFILE: ["limit_exceeded", "this process has too many open files"],
  ENFILE: ["limit_exceeded", "the system has too many open files"],
};

/** The one translator of what the file system answers. `doing` reads like `cannot write "/etc/x"`. */
export function fileError(doing: string, error: unknown): CodedError {
  const errno = error instanceof Error && "code" in error ? String(error.code) : "";
  const [code, words] = ANSWERS[errno] ?? ["internal", messageOf(error)];
  const reason = errno in ANSWERS ? `${errno}, ${words}` : words;
  return new CodedError(code, `${doing}: ${reason}`, { cause: error });
}

export interface WriteOptions {
  /** Default 0600. */
  readonly mode?: number;
  /** Runs on the complete file before it gets its name: for ACLs, which a reader must never miss. */
  readonly beforeRename?: (temporary: string) => Promise<void>;
}

/**
 * Replaces the file in one step: a reader, or the next start after a crash, sees the old content or
 * the new, never a part. `mode` holds from the first byte on. A symbolic link at `path` is replaced,
 * not followed. The directory must exist.
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  options: WriteOptions = {},
): Promise<void> {
  const directory = dirname(path);
  const temporary = join(directory, `.${basename(path)}.${randomBytes(8).toString("hex")}.tmp`);
  try {
    await writeNew(temporary, data, options.mode ?? 0o600);
    await options.beforeRename?.(temporary);
    await rename(temporary, path);
    await syncDirectory(directory);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error instanceof CodedError ? error : fileError(`cannot write "${path}"`, error);
  }
}

const TEMPORARY = /^\..+\.[0-9a-f]{16}\.tmp$/;

/**
 * Removes what writes left that were killed before their end; there may be secrets in it. Only for a
 * directory in which nobody else writes. One that is not there yet has none.
 */
export async function removeLeftovers(directory: string): Promise<void> {
  try {
    const names = await readdir(directory);
    const left = names.filter((name) => TEMPORARY.test(name));
    await Promise.all(left.map((name) => rm(join(directory, name), { force: true })));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return;
    throw fileError(`cannot clear "${directory}"`, error);
  }
}

async function writeNew(path: string, data: string | Uint8Array, mode: number): Promise<void> {
  await using file = await open(path, "wx", mode);
  await file.chmod(mode); // the umask may have taken bits that the caller asked for
  await file.writeFile(data);
  await file.sync();
}

/** Makes a rename or a removal in `directory` survive a power cut. */
export async function syncDirectory(directory: string): Promise<void> {
  await using handle: FileHandle = await open(directory, "r");
  await handle.sync();
}

/** Makes `path` a directory that only its owner can enter (0700), with its parents. */
export async function ensurePrivateDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    const found = await stat(path);
    if ((found.mode & 0o077) !== 0) await chmod(path, 0o700);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST")
      throw badParameter(`"${path}" is not a directory; remove it or name another`);
    throw fileError(`cannot make the directory "${path}"`, error);
  }
}
