import { readFile } from "node:fs/promises";
import { deadline, sleep, type Clock } from "#base/kernel";

/** Long enough to close what is open; the job should not wait for more. */
const STOP_MS = 10_000;
const LOOK_AGAIN_MS = 20;

export type End = "had ended" | "ended" | "was killed";

/** Asks a bot to end, kills it when it does not, and says which; `mark` stands in its command line. */
export async function endBot(
  bot: { readonly pid: number; readonly mark: string },
  { clock, stopMs = STOP_MS }: { clock: Clock; stopMs?: number },
): Promise<End> {
  if (!(await runs(bot))) return "had ended";
  using limit = deadline(clock, stopMs);
  process.kill(bot.pid, "SIGTERM");
  while (await runs(bot)) {
    if (limit.signal.aborted) {
      process.kill(bot.pid, "SIGKILL");
      return "was killed";
    }
    await sleep(clock, LOOK_AGAIN_MS);
  }
  return "ended";
}

/** Whether this bot still runs, and not something that got its number since. */
async function runs({ pid, mark }: { pid: number; mark: string }): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (process.platform !== "linux") return true;
  // Nobody may wait for it in a container: its name stays, without a command line.
  const words = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return words.includes(mark);
}
