import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdir, symlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { until } from "./wait.ts";

const DONE_MS = 60_000;

/** Puts `tenon`, `tbot`, `tctl` and this Node into `bin` of a directory: the `PATH` of a `Shell`. */
export async function installPrograms(directory: string): Promise<void> {
  await mkdir(join(directory, "bin"));
  await symlink(process.execPath, join(directory, "bin", "node"));
  for (const name of ["tenon", "tbot", "tctl"])
    await symlink(resolve(`src/programs/${name}/main.ts`), join(directory, "bin", name));
}

/** A shell that is typed into, in a directory with `installPrograms`. */
export class Shell {
  readonly #shell: ChildProcess;
  #printed = "";
  #marks = 0;

  /** With `jobs`, what it starts can be interrupted as from a keyboard. */
  constructor(cwd: string, { jobs = false }: { readonly jobs?: boolean } = {}) {
    const env = { PATH: `${join(cwd, "bin")}:${process.env["PATH"]}`, HOME: cwd };
    this.#shell = spawn("bash", jobs ? ["-m"] : [], { cwd, env, stdio: ["pipe", "pipe", "pipe"] });
    this.#shell.stdout!.on("data", (chunk) => (this.#printed += String(chunk)));
    this.#shell.stderr!.on("data", (chunk) => (this.#printed += String(chunk)));
  }

  get printed(): string {
    return this.#printed;
  }

  /** Types the lines; gives what they printed, once all of them have ended and the last one well. */
  async run(lines: readonly string[]): Promise<string> {
    const { code, printed } = await this.attempt(lines);
    assert.equal(code, 0, `${lines.join("\n")}:\n${printed}`);
    return printed;
  }

  /** Types the lines; gives what they printed, and how the last one ended. The shell keeps its `$?`. */
  async attempt(lines: readonly string[]): Promise<{ code: number; printed: string }> {
    const from = this.#printed.length;
    const mark = `mark-${++this.#marks}`;
    this.type([...lines, `code=$?; echo "${mark} $code"; (exit $code)`]);
    const done = new RegExp(`^${mark} (\\d+)$`, "m");
    const end = await until(
      `${lines.join("; ")}\nends`,
      () => done.exec(this.#printed.slice(from)),
      DONE_MS,
    );
    return { code: Number(end[1]), printed: this.#printed.slice(from, from + end.index) };
  }

  type(lines: readonly string[]): void {
    this.#shell.stdin!.write(lines.map((line) => `${line}\n`).join(""));
  }

  /** Waits for something that is printed from now on. */
  async prints(pattern: RegExp, from = this.#printed.length): Promise<void> {
    await until(
      `the shell prints ${pattern}, after:\n${this.#printed.slice(-3_000)}`,
      () => pattern.test(this.#printed.slice(from)),
      DONE_MS,
    );
  }

  /** Ctrl-C, to what runs in the foreground. */
  interrupt(): void {
    const { pid } = this.#shell;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    for (const child of children.split(" ")) process.kill(Number(child), "SIGINT");
  }

  async close(): Promise<void> {
    this.#shell.stdin!.end();
    if (this.#shell.exitCode === null) await once(this.#shell, "exit");
  }

  kill(): void {
    this.#shell.kill("SIGKILL");
  }
}
