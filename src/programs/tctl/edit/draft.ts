import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** Marks the lines that this program puts above the text. */
const MARK = "#! ";

/** A text in a private file while a person works on it. */
export class Draft {
  readonly file: string;
  /** As last read, without the comments above it. */
  text: string;
  /** How often it was rejected. */
  attempts = 0;

  private constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
  }

  /** In a new directory below `parent`, which defaults to the system's for temporary files. */
  static async open(name: string, text: string, parent = tmpdir()): Promise<Draft> {
    const directory = await mkdtemp(join(parent, "tctl-edit-"));
    const file = join(directory, `${name.replaceAll(/[^\w.@+-]/g, "_")}.yaml`);
    const draft = new Draft(file, text);
    await draft.#write(text);
    return draft;
  }

  /** Whether the text has changed since it was written or read. */
  async read(): Promise<boolean> {
    const text = withoutComments(await readFile(this.file, "utf8"));
    const changed = text !== this.text;
    this.text = text;
    return changed;
  }

  /** Puts the reasons above the text, for the next look at it. */
  async reject(reasons: readonly string[]): Promise<void> {
    this.attempts++;
    const lines = [
      "Not written, because:",
      ...reasons.map((reason) => `  ${reason}`),
      "Lines are counted below these comments. Save it unchanged to give up; the text stays here.",
    ];
    await this.#write(lines.map((line) => `${MARK}${line}\n`).join("") + this.text);
  }

  async remove(): Promise<void> {
    await rm(dirname(this.file), { recursive: true, force: true });
  }

  async #write(text: string): Promise<void> {
    await writeFile(this.file, text, { mode: 0o600 });
  }
}

const withoutComments = (text: string): string =>
  text
    .split("\n")
    .filter((line) => !line.startsWith(MARK))
    .join("\n");
