// Processes that a job left behind: a runner knows them by a variable that every child inherits.
import { readdir, readFile } from "node:fs/promises";

export const TRACKING = "RUNNER_TRACKING_ID";

/** Kills them, as a runner does at a job's end, and says what they were. */
export async function killOrphans(trackingId: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
    if (!environment.split("\0").includes(`${TRACKING}=${trackingId}`)) continue;
    const words = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    process.kill(Number(pid), "SIGKILL");
    found.push(words.replaceAll("\0", " ").trim());
  }
  return found;
}
