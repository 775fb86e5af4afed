// The files of one step, new each time, in which it leaves what later steps are to have.
import { randomUUID } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseEntries } from "./entries.ts";

const NAMES = ["GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE"] as const;
type Name = (typeof NAMES)[number];
type Entries = Readonly<Record<string, string>>;

export interface Left {
  readonly outputs: Entries;
  readonly env: Entries;
  readonly state: Entries;
  /** Directories for PATH, in the order of their addition. */
  readonly path: readonly string[];
}

export class StepFiles {
  /** Variables that say where they are. */
  readonly env: Readonly<Record<Name, string>>;

  private constructor(env: StepFiles["env"]) {
    this.env = env;
  }

  static async make(temp: string): Promise<StepFiles> {
    const directory = join(temp, "_runner_file_commands");
    await mkdir(directory, { recursive: true });
    const files = NAMES.map((name) => [name, join(directory, `${name}_${randomUUID()}`)] as const);
    for (const [, path] of files) await writeFile(path, "");
    return new StepFiles(Object.fromEntries(files) as StepFiles["env"]);
  }

  async read(): Promise<Left> {
    const text = (name: Name): Promise<string> => readFile(this.env[name], "utf8");
    return {
      outputs: parseEntries(await text("GITHUB_OUTPUT")),
      env: parseEntries(await text("GITHUB_ENV")),
      state: parseEntries(await text("GITHUB_STATE")),
      path: (await text("GITHUB_PATH")).split("\n").filter(Boolean),
    };
  }
}
