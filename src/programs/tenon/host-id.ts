import { badParameter, fileError, writeFileAtomic } from "#base/kernel";
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The UUID of this data directory's process in the cluster, made at the first start. */
export async function hostIdOf(dataDir: string): Promise<string> {
  const file = join(dataDir, "host_id");
  const stored = await read(file);
  if (stored !== undefined) return checked(stored, file);
  const made = randomUUID();
  await writeFileAtomic(file, `${made}\n`);
  return made;
}

async function read(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw fileError(`cannot read "${file}"`, error);
  }
}

function checked(text: string, file: string): string {
  if (UUID.test(text)) return text;
  throw badParameter(
    `"${file}" does not hold the UUID of this host; restore it, or remove it to become another host`,
  );
}
