import { homedir } from "node:os";
import { join } from "node:path";
import type { CommandIo } from "#base/cli";
import type { BotConfiguration } from "#services/tbot";

/** Where a bot keeps its identity when nobody says. */
export function defaultStorage({ env }: CommandIo): NonNullable<BotConfiguration["storage"]> {
  const state = env["XDG_STATE_HOME"] ?? join(homedir(), ".local/state");
  const path = process.getuid?.() === 0 ? "/var/lib/tenon/bot" : join(state, "tenon/bot");
  return { type: "directory", path, symlinks: "try-secure", acls: "try", readers: [] };
}
