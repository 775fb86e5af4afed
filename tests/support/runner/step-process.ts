// One process of a step, as a runner starts, reads and cancels it.
import { spawn } from "node:child_process";
import type { StepOutput } from "./output.ts";

export interface StepProcess {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly output: StepOutput;
  readonly cancel: AbortSignal;
}

/** GitHub's runner: SIGINT, and when that does not help SIGTERM, and SIGKILL. */
const SIGTERM_AFTER_MS = 7_500;
const SIGKILL_AFTER_MS = 10_000;
/** Longer than any step of a test takes. */
const STEP_MS = 120_000;
/** What an ended step printed arrives at once, unless somebody else holds its output open. */
const DRAIN_MS = 2_000;

/** Gives the exit code; throws when a process that the step left behind is tied to its output. */
export async function runProcess({
  command: [file, ...words],
  cwd,
  env,
  output,
  cancel,
}: StepProcess): Promise<number> {
  const child = spawn(file!, words, { cwd, env, stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.end();
  child.stdout.setEncoding("utf8").on("data", (text: string) => output.feed("out", text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => output.feed("err", text));
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const ended = new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
  const timers = [setTimeout(() => child.kill("SIGKILL"), STEP_MS)];
  cancel.addEventListener(
    "abort",
    () => {
      child.kill("SIGINT");
      timers.push(setTimeout(() => child.kill("SIGTERM"), SIGTERM_AFTER_MS));
      timers.push(setTimeout(() => child.kill("SIGKILL"), SIGKILL_AFTER_MS));
    },
    { once: true },
  );
  try {
    const code = await ended;
    await drained(closed, file!);
    return code;
  } finally {
    for (const timer of timers) clearTimeout(timer);
    output.end();
  }
}

async function drained(closed: Promise<void>, what: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`${what} left a process behind that holds the step's output open`);
    timer = setTimeout(() => reject(error), DRAIN_MS);
  });
  await Promise.race([closed, late]).finally(() => clearTimeout(timer));
}
