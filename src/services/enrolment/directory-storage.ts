import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  badParameter,
  CodedError,
  fileError,
  holderOfLock,
  lockForProcess,
  messageOf,
  writeFileAtomic,
} from "#base/kernel";
import { decodeJoinState, encodeJoinState, type JoinState, type JoinStorage } from "#domain/join";

const FILE = "join-state.json";
const LOCK = "in-use";

/**
 * Makes this process the only one that joins from `directory`, until disposed: two at once would look
 * like a copy, and be locked.
 */
export function lockJoinStorage(directory: string): Disposable {
  return lockForProcess(
    join(directory, LOCK),
    (holder) =>
      `the storage "${directory}" is in use by another process${holder}; stop that one, or give this one a storage of its own`,
  );
}

/** The process that joins from `directory` now, if one does. */
export const holderOfStorage = (directory: string): { readonly pid?: number } | undefined =>
  holderOfLock(join(directory, LOCK));

/** Keeps the join state as one file, 0600, replaced whole and flushed to the disk. */
export class DirectoryJoinStorage implements JoinStorage {
  readonly #path: string;

  /** The directory must exist. */
  constructor(directory: string) {
    this.#path = join(directory, FILE);
  }

  async load(): Promise<JoinState | undefined> {
    const text = await this.#read();
    try {
      return text === undefined ? undefined : decodeJoinState(text);
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      throw badParameter(`"${this.#path}": ${messageOf(error)}`, { cause: error });
    }
  }

  async save(state: JoinState): Promise<void> {
    await writeFileAtomic(this.#path, encodeJoinState(state));
  }

  async #read(): Promise<string | undefined> {
    try {
      return await readFile(this.#path, "utf8");
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      throw fileError(`cannot read "${this.#path}"`, error);
    }
  }
}
