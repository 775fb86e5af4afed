import { spawn, type ChildProcess } from "node:child_process";
import { stripVTControlCharacters } from "node:util";
import { until } from "./wait.ts";

const keys = {
  enter: "\r",
  down: "\u001B[B",
  up: "\u001B[A",
  space: " ",
  "ctrl-c": "\u0003",
  "ctrl-d": "\u0004",
  escape: "\u001B",
  "clear the line": "\u0015",
} as const;

/** As for other programs of tests: what no step takes, on the slowest machine. */
const SEEN_MS = 60_000;

/** A command on a pseudo-terminal of its own (util-linux's `script`), and the keys of a person. */
export class Terminal implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  #screen = "";
  /** How much of the screen has been read. */
  #read = 0;

  constructor(command: readonly string[], options: { cwd: string; env: NodeJS.ProcessEnv }) {
    const line = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
    this.#child = spawn("script", ["-qefc", `stty cols 100 rows 40; exec ${line}`, "/dev/null"], {
      ...options,
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#child.stdout!.setEncoding("utf8").on("data", (text: string) => (this.#screen += text));
    this.#ended = new Promise((resolve) => this.#child.once("close", resolve));
  }

  /** Waits until this is printed after what was last seen. */
  async sees(what: RegExp | string): Promise<string> {
    const pattern = typeof what === "string" ? new RegExp(RegExp.escape(what)) : what;
    const found = await until(
      `the terminal shows ${String(pattern)}`,
      () => pattern.exec(this.text.slice(this.#read)) ?? undefined,
      SEEN_MS,
    ).catch((error: unknown) => {
      throw new Error(`never saw ${String(pattern)} on:\n${this.text}`, { cause: error });
    });
    this.#read += found.index + found[0].length;
    return found[0];
  }

  type(text: string): void {
    this.#child.stdin!.write(text);
  }

  press(...names: readonly (keyof typeof keys)[]): void {
    for (const name of names) this.type(keys[name]);
  }

  /** Everything printed so far, without colours and movements. */
  get text(): string {
    return stripVTControlCharacters(this.#screen).replaceAll("\r", "");
  }

  /** As printed. */
  get raw(): string {
    return this.#screen;
  }

  /** Its exit code. */
  async ended(): Promise<number | null> {
    return await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) this.#child.kill("SIGKILL");
    await this.#ended;
  }
}
