import { execFile } from "node:child_process";
import { realpathSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { UsageError } from "#base/cli";
import type { BotConfiguration } from "#services/tbot";
import { demandsOf } from "./demands.ts";
import { notesOf } from "./notes.ts";
import { unitOf, type UnitOptions } from "./unit.ts";

const run = promisify(execFile);

export interface UnitRequest {
  readonly configuration: BotConfiguration;
  /** Absolute. */
  readonly file: string;
  readonly name: string;
  readonly user: string;
  readonly group?: string;
  readonly tbotPath?: string;
}

/** The unit for a configuration on this machine, and what its owner should know. */
export async function describeUnit(
  request: UnitRequest,
): Promise<{ text: string; notes: readonly string[] }> {
  const { configuration, file, name, user, group = user } = request;
  checkName("--name", name);
  checkName("--user", user);
  checkName("--group", group);
  // Each unit has a storage of its own, wherever the home of its user is.
  const storage = join("/var/lib/tenon", name === "tbot" ? "bot" : name);
  const apiSocket = `unix:///run/${name}/bot-api.sock`;
  const cwd = process.cwd();
  const version = await systemdVersion();
  const options: UnitOptions = {
    name,
    user,
    group,
    file,
    cwd,
    tbot: request.tbotPath === undefined ? thisProgram() : [resolve(request.tbotPath)],
    demands: demandsOf(configuration, { storage, apiSocket, cwd }),
    ...(configuration.storage === undefined ? { storage } : {}),
    ...(version === undefined ? {} : { systemdVersion: version }),
  };
  return { text: unitOf(options), notes: await notesOf(options) };
}

/** Node and the script, so that the unit needs no PATH. */
const thisProgram = (): string[] => [process.execPath, realpathSync(process.argv[1]!)];

function checkName(flag: string, text: string): void {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(text) && text.length <= 64) return;
  throw new UsageError(`${flag} "${text}" must hold only letters, digits and - _ . (at most 64)`);
}

async function systemdVersion(): Promise<number | undefined> {
  try {
    const { stdout } = await run("systemctl", ["--version"]);
    return Number(/^systemd (\d+)/.exec(stdout)?.[1]) || undefined;
  } catch {
    return undefined;
  }
}
