import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./wait.ts";

const root = new URL("../../", import.meta.url).pathname;
/** A program that was asked to end has this long; then it is killed, and the test that asked fails. */
const STOP_MS = 10_000;
/** What no command of a test takes, on the slowest machine. */
const RUN_MS = 60_000;

export type Program = "tenon" | "tbot" | "tctl" | "quickstart";

export interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  /** On top of a small environment of the yard's own. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** In a process group of its own, as a shell starts it: `interrupt` reaches all of the group. */
  readonly group?: boolean;
}

/** One process of a test, with all that it has printed. */
export class Running {
  readonly child: ChildProcess;
  readonly what: string;
  readonly ended: Promise<Ran>;
  #out = "";
  #err = "";

  constructor(what: string, command: readonly string[], options: RunOptions) {
    this.what = what;
    const [file, ...words] = command;
    const { cwd, env, group = false } = options;
    const stdio = ["ignore", "pipe", "pipe"] as const;
    this.child = spawn(file!, words, { cwd, env, detached: group, stdio: [...stdio] });
    this.child.stdout!.setEncoding("utf8").on("data", (text: string) => (this.#out += text));
    this.child.stderr!.setEncoding("utf8").on("data", (text: string) => (this.#err += text));
    this.ended = new Promise((resolve, reject) => {
      this.child.once("error", reject);
      this.child.once("close", (code, signal) =>
        resolve({ code, signal, out: this.#out, err: this.#err }),
      );
    });
    this.ended.catch(() => {});
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Everything printed so far, to either side. */
  get printed(): string {
    return this.#out + this.#err;
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Ctrl-C, as a terminal sends it to everything in the foreground. */
  interrupt(): void {
    process.kill(-this.pid, "SIGINT");
  }

  /** Waits until it has printed this; fails with its output when it ends before. */
  async prints(pattern: RegExp, timeoutMs?: number): Promise<RegExpMatchArray> {
    return await this.until(`prints ${pattern}`, () => pattern.exec(this.printed), timeoutMs);
  }

  async until<T>(
    what: string,
    condition: () => T | Promise<T>,
    timeoutMs = RUN_MS,
  ): Promise<NonNullable<T>> {
    try {
      return await until(
        `${this.what} ${what}`,
        async () => {
          const value = await condition();
          if (!value && !this.alive) throw new Error(`${this.what} ended before it ${what}`);
          return value;
        },
        timeoutMs,
      );
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new Error(`${message}; it printed:\n${this.printed}`, { cause: error });
    }
  }

  /** Asks it to end, and gives how it ended; fails when it had to be killed. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<Ran> {
    if (this.alive) this.kill(signal);
    return await this.within(STOP_MS);
  }

  /** How it ends by itself; killed, and a failure, when that takes longer. */
  async within(ms: number): Promise<Ran> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.kill("SIGKILL");
    }, ms);
    const ran = await this.ended.finally(() => clearTimeout(timer));
    if (late) throw new Error(`${this.what} did not end within ${ms} ms:\n${this.printed}`);
    return ran;
  }
}

/** A directory and the processes that work in it; disposing ends them all and removes it. */
export class Yard implements AsyncDisposable {
  readonly directory: string;
  readonly #running = new Set<Running>();

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async open(): Promise<Yard> {
    return new Yard(await mkdtemp(join(tmpdir(), "tenon-e2e-")));
  }

  path(...names: readonly string[]): string {
    return join(this.directory, ...names);
  }

  /** Starts a program of this project from its source, with this Node. */
  start(program: Program, words: readonly string[], options: RunOptions = {}): Running {
    const script = join(root, "src/programs", program, "main.ts");
    return this.#spawn(program, [process.execPath, script, ...words], options);
  }

  /** Runs a program of this project to its end. */
  async run(program: Program, words: readonly string[], options?: RunOptions): Promise<Ran> {
    return await this.start(program, words, options).within(RUN_MS);
  }

  /** Runs any other command (`openssl`, `curl`) to its end. */
  async exec(command: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return await this.#spawn(command[0]!, command, options).within(RUN_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const running of [...this.#running].toReversed()) await running.stop().catch(() => {});
    await rm(this.directory, { recursive: true, force: true });
  }

  #spawn(what: string, command: readonly string[], options: RunOptions): Running {
    const running = new Running(what, command, {
      cwd: this.directory,
      ...options,
      env: { PATH: process.env["PATH"], HOME: this.directory, ...options.env },
    });
    this.#running.add(running);
    void running.ended.finally(() => this.#running.delete(running)).catch(() => {});
    return running;
  }
}
