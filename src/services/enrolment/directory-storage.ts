import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileError, writeFileAtomic } from "#base/kernel";
import { decodeJoinState, encodeJoinState, type JoinState, type JoinStorage } from "#domain/join";

const FILE = "join-state.json";

/** Keeps the join state as one file, 0600, replaced whole and flushed to the disk. */
export class DirectoryJoinStorage implements JoinStorage {
  readonly #path: string;

  /** The directory must exist. */
  constructor(directory: string) {
    this.#path = join(directory, FILE);
  }

  async load(): Promise<JoinState | undefined> {
    try {
      return decodeJoinState(await readFile(this.#path, "utf8"));
    } catch (error) {
      if (!(error instanceof Error && "code" in error)) throw error;
      if (error.code === "ENOENT") return undefined;
      throw typeof error.code === "string" && error.code.startsWith("E")
        ? fileError(`cannot read "${this.#path}"`, error)
        : error;
    }
  }

  async save(state: JoinState): Promise<void> {
    await writeFileAtomic(this.#path, encodeJoinState(state));
  }
}
