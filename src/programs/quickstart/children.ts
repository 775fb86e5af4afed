import { spawn, type ChildProcess } from "node:child_process";
import { createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { canceled, CodedError, deadline, systemClock } from "#base/kernel";

const root = new URL("../../../", import.meta.url).pathname;
/** A process that was asked to end has this long; then it is killed. */
const STOP_MS = 10_000;
const LOG_LINES = 20;

/** The real processes of the quickstart, each with its log in one directory. */
export class Children implements AsyncDisposable {
  readonly #directory: string;
  readonly #running: { name: string; child: ChildProcess; ended: Promise<number> }[] = [];

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Starts a program of this project (or an example) in the background. */
  start(name: string, script: string, options: readonly string[]): ChildProcess {
    const child = spawn(process.execPath, [join(root, script), ...options], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const log = createWriteStream(this.logOf(name));
    log.on("error", () => {}); // a full disk shows in what the programs say themselves
    child.stdout.pipe(log);
    child.stderr.pipe(log);
    this.#running.push({ name, child, ended: exitOf(child) });
    return child;
  }

  logOf(name: string): string {
    return join(this.#directory, `${name}.log`);
  }

  /** Throws with the end of its log when a process has ended that should be running. */
  async checkAlive(): Promise<void> {
    const dead = this.#running.find(
      ({ child }) => child.exitCode !== null || child.signalCode !== null,
    );
    if (!dead) return;
    const log = await readFile(this.logOf(dead.name), "utf8");
    const end = log.trimEnd().split("\n").slice(-LOG_LINES).join("\n");
    throw new CodedError(
      "unavailable",
      `${dead.name} ended with ${dead.child.exitCode ?? dead.child.signalCode}; its last lines:\n${end}`,
    );
  }

  /** Without asking them: for a program that must end at once. */
  kill(): void {
    for (const { child } of this.#running) child.kill("SIGKILL");
  }

  /** In the reverse order of their start. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const { child, ended } of this.#running.toReversed()) {
      using patience = deadline(systemClock, STOP_MS);
      patience.signal.addEventListener("abort", () => child.kill("SIGKILL"));
      if (child.exitCode === null) child.kill("SIGTERM");
      await ended;
    }
  }
}

/** Runs a program to its end, or to the abort, and gives what it printed. */
export async function output(
  script: string,
  options: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const child = spawn(process.execPath, [join(root, script), ...options], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stop = (): void => void child.kill("SIGTERM");
  signal.addEventListener("abort", stop, { once: true });
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  const code = await exitOf(child);
  signal.removeEventListener("abort", stop);
  if (signal.aborted) throw canceled("stopped");
  if (code === 0) return out;
  throw new CodedError("unavailable", `${script} ${options.join(" ")} failed: ${err.trim()}`);
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => child.once("close", (code) => resolve(code ?? 1)));
}
