import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { alreadyExists, writeFileAtomic } from "#base/kernel";

/** Writes the unit, never over another one unless forced; gives what to do next, for people. */
export async function installUnit(options: {
  name: string;
  directory: string;
  text: string;
  force?: boolean | undefined;
}): Promise<string> {
  const { name, directory, text, force = false } = options;
  const path = join(directory, `${name}.service`);
  const present = await readFile(path, "utf8").catch(() => undefined);
  if (present === text) return `"${path}" says so already.\n`;
  if (present !== undefined && !force)
    throw alreadyExists(
      `"${path}" is there and says something else; give --force to replace it, or --name for another`,
    );
  // Everybody may read units; what is secret is in the configuration.
  await writeFileAtomic(path, text, { mode: 0o644 });
  return `Wrote "${path}". Start it, now and with the machine:

  systemctl daemon-reload
  systemctl enable --now ${name}
`;
}
