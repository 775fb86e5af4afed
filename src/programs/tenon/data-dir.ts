import { badParameter, ensurePrivateDirectory, fileError } from "#base/kernel";
import { readdir, stat } from "node:fs/promises";

/**
 * Makes the data directory, or checks the one that is there. One that is open to others and not
 * empty is refused, not closed: it may be the system's (`/tmp`) or somebody's home.
 */
export async function openDataDir(path: string): Promise<void> {
  const mode = await modeOf(path);
  if (mode !== undefined && (mode & 0o077) !== 0 && (await readdir(path)).length > 0)
    throw badParameter(
      `the data directory "${path}" is open to other users (mode ${(mode & 0o777).toString(8)}) and not empty; run chmod 700 on it if it is ours, or name another with --data-dir`,
    );
  await ensurePrivateDirectory(path);
}

async function modeOf(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path);
    return found.isDirectory() ? found.mode : undefined;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw fileError(`cannot use the data directory "${path}"`, error);
  }
}
