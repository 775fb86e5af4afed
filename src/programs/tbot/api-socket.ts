import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { CommandIo } from "#base/cli";

/** Where a bot of this user takes orders, and `tbot api` gives them, when nobody says where. */
export function apiSocket({ env }: Pick<CommandIo, "env">): string {
  const { TBOT_API_SOCKET: named, XDG_RUNTIME_DIR: runtime } = env;
  if (named !== undefined && named !== "")
    return named.startsWith("unix:") ? named : `unix://${resolve(named)}`;
  return `unix://${join(runtime ?? stateDirectory(env), "tenon/bot-api.sock")}`;
}

/** Where nobody has logged in there is no runtime directory. */
function stateDirectory(env: CommandIo["env"]): string {
  if (process.getuid?.() === 0) return "/run";
  return env["XDG_STATE_HOME"] ?? join(homedir(), ".local/state");
}
