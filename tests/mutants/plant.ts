// Runs tests against a copy of the sources in which one thing is wrong.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Mutant } from "./mutant.ts";

const root = new URL("../../", import.meta.url).pathname;
/** What takes longer shows nothing; the slowest takes a twentieth of it. */
const DONE_MS = 600_000;

export interface Verdict {
  readonly mutant: Mutant;
  /** `broken`: it does not even run, or does not end, so that nothing was shown. */
  readonly verdict: "caught" | "survived" | "broken";
  /** The test file that failed. */
  readonly by: string;
  readonly output: string;
}

/** The sources and their tests in a directory of their own, which disposal removes. */
export class Nursery implements AsyncDisposable {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async open(): Promise<Nursery> {
    const directory = await mkdtemp(join(tmpdir(), "tenon-mutants-"));
    for (const part of ["src", "tests/support", "package.json"])
      await cp(join(root, part), join(directory, part), { recursive: true });
    await symlink(join(root, "node_modules"), join(directory, "node_modules"));
    return new Nursery(directory);
  }

  /**
   * What the sources say to these tests with nothing planted: else every mutant would seem caught. The
   * walk is left out: it takes a minute, and stands on the same files as the others.
   */
  async sound(names: Iterable<string>): Promise<void> {
    for (const name of new Set(names).difference(new Set(["walk"]))) {
      const { code, output } = await this.#test(name);
      if (code !== 0) throw new Error(`${name}.test.ts fails without any mutant:\n${output}`);
    }
  }

  /** Plants one, runs its tests until one of them fails, and takes it out again. */
  async judge(mutant: Mutant): Promise<Verdict> {
    const path = join(this.#directory, mutant.file);
    const sound = await readFile(path, "utf8");
    await writeFile(path, planted(mutant, sound));
    try {
      return await this.#judge(mutant);
    } finally {
      await writeFile(path, sound);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#directory, { recursive: true });
  }

  async #judge(mutant: Mutant): Promise<Verdict> {
    let last = "";
    for (const by of mutant.by) {
      const { code, output } = await this.#test(by);
      if (code === null || BROKEN.test(output)) return { mutant, verdict: "broken", by, output };
      if (code !== 0) return { mutant, verdict: "caught", by, output };
      last = output;
    }
    return { mutant, verdict: "survived", by: "", output: last };
  }

  async #test(name: string): Promise<{ code: number | null; output: string }> {
    const file = `src/domain/join/${name}.test.ts`;
    const words = ["--test", "--test-isolation=none", "--test-reporter=spec"];
    if (name === "walk") words.push(WALKS);
    const child = spawn(process.execPath, [...words, file], {
      cwd: this.#directory,
      env: { PATH: process.env["PATH"], TENON_SEED: SEED },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: DONE_MS,
      killSignal: "SIGKILL",
    });
    let output = "";
    child.stdout.on("data", (chunk) => (output += String(chunk)));
    child.stderr.on("data", (chunk) => (output += String(chunk)));
    const [code] = (await once(child, "close")) as [number | null];
    return { code, output };
  }
}

/** Of walks that find every mutant that they are asked to find, on the quicker of their stores. */
const SEED = "7";
const WALKS = "--test-name-pattern=in memory";
/** What no bug in the rules leads to. */
const BROKEN = /SyntaxError|ReferenceError|ERR_MODULE_NOT_FOUND|ERR_INVALID_TYPESCRIPT/;

/** Throws when the text is not there, or not once: then the mutant has to be written anew. */
export function planted({ name, file, find, replace }: Mutant, text: string): string {
  const parts = text.split(find);
  if (parts.length !== 2)
    throw new Error(
      `mutant "${name}": its text stands ${parts.length - 1} times in ${file}; write it anew in tests/mutants`,
    );
  return parts.join(replace);
}
