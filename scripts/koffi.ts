// koffi's native parts, which no bundle can hold: they lie beside it, in koffi/<system>_<machine>/.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The machines of GitHub's own runners that the bot's APIs work on. */
export const ACTION_MACHINES = ["linux-x64", "linux-arm64"] as const;

/** The one that npm has installed here. */
export const installedMachine = `${process.platform}-${process.arch}`;

export const partOf = (machine: string): string => join(machine.replace("-", "_"), "koffi.node");

export const installedPart = (machine: string): string =>
  join("node_modules/@koromix", `koffi-${machine}`, partOf(machine));

/** Puts the installed part beside a bundle; systems without one do without what needs it. */
export async function copyInstalled(dist: string): Promise<void> {
  const part = installedPart(installedMachine);
  if (existsSync(part)) await copyPart(part, dist, installedMachine);
}

/** Puts the parts for all of GitHub's machines beside a bundle, from the registry. */
export async function fetchParts(dist: string): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "koffi-"));
  try {
    for (const machine of ACTION_MACHINES) {
      const part = await fetchPart(machine, directory);
      await copyPart(part, dist, machine);
    }
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function copyPart(part: string, dist: string, machine: string): Promise<void> {
  const target = join(dist, "koffi", partOf(machine));
  await mkdir(join(target, ".."), { recursive: true });
  await cp(part, target);
}

/** Whatever the registry answers must be what package-lock.json says. */
async function fetchPart(machine: string, directory: string): Promise<string> {
  const name = `@koromix/koffi-${machine}`;
  const lock = JSON.parse(await readFile("package-lock.json", "utf8")) as Lock;
  const { version, integrity } = lock.packages[`node_modules/${name}`]!;
  const words = ["pack", `${name}@${version}`, "--silent", `--pack-destination=${directory}`];
  const file = execFileSync("npm", words, { encoding: "utf8" }).trim();
  const archive = join(directory, file);
  const digest = createHash("sha512")
    .update(await readFile(archive))
    .digest("base64");
  if (`sha512-${digest}` !== integrity) throw new Error(`${file} is not what was locked`);
  const to = join(directory, machine);
  await mkdir(to);
  execFileSync("tar", ["-xzf", archive, "-C", to]);
  return join(to, "package", partOf(machine));
}

interface Lock {
  readonly packages: Readonly<Record<string, { version: string; integrity: string }>>;
}
