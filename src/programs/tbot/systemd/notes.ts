import { execFile } from "node:child_process";
import { stat } from "node:fs/promises";
import { promisify } from "node:util";
import { placeNotes, placesOf } from "./places.ts";
import type { UnitOptions } from "./unit.ts";

const run = promisify(execFile);

/** What the unit cannot see to by itself, on this machine, one sentence each. */
export async function notesOf(options: UnitOptions): Promise<string[]> {
  const { user, file, tbot, demands, cwd, name } = options;
  const { readWrite, homes } = placesOf(demands, [file, ...tbot]);
  const notes = [...(await accountNotes(options)), ...(await absenceNotes(readWrite, options))];
  notes.push(...placeNotes(demands));
  if (homes && user !== "root")
    notes.push(`some paths are in a home directory: ${user} must be able to enter it`);
  if (demands.relative) notes.push(`relative paths of the file begin at "${cwd}"`);
  if (demands.apiSocket !== undefined)
    notes.push(
      `it takes orders from ${user} and root: export TBOT_API_SOCKET=${demands.apiSocket}`,
    );
  if (demands.spawns)
    notes.push(
      `services that are spawned later can write only where those of the file do; ReadWritePaths= in "systemctl edit ${name}" opens more`,
    );
  return notes;
}

async function accountNotes({ user, group, file }: UnitOptions): Promise<string[]> {
  const [uid, gid] = await Promise.all([idOf("passwd", user), idOf("group", group)]);
  const make =
    gid === undefined
      ? `groupadd --system ${group} && useradd --system --gid ${group}`
      : `useradd --system --gid ${group}`;
  const missing =
    uid === undefined || gid === undefined
      ? [`make the account: ${make} --no-create-home --shell /usr/sbin/nologin ${user}`]
      : [];
  if (await isReadable(file, { uid, gid })) return missing;
  return [
    ...missing,
    `${user} cannot read "${file}": chown root:${group} ${quoted(file)} && chmod 0640 ${quoted(file)}`,
  ];
}

async function absenceNotes(
  directories: readonly string[],
  { user, group }: UnitOptions,
): Promise<string[]> {
  const notes: string[] = [];
  for (const path of directories)
    if (!(await stat(path).catch(() => undefined)))
      notes.push(
        `"${path}" must be there before the start: install -d -m 0700 -o ${user} -g ${group} ${quoted(path)}`,
      );
  return notes;
}

async function isReadable(
  path: string,
  { uid, gid }: { uid: number | undefined; gid: number | undefined },
): Promise<boolean> {
  const { uid: owner, gid: group, mode } = await stat(path);
  if (uid === 0) return true;
  if (uid === owner) return (mode & 0o400) !== 0;
  return (mode & (gid === group ? 0o040 : 0o004)) !== 0;
}

/** As the system resolves names, from wherever they come; nothing where there is no such account. */
async function idOf(database: "passwd" | "group", name: string): Promise<number | undefined> {
  try {
    const { stdout } = await run("getent", [database, name]);
    return Number(stdout.split(":")[2]);
  } catch {
    return undefined;
  }
}

/** For a shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
