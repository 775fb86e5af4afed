import { alreadyExists, fileError } from "#base/kernel";
import {
  chmodSync,
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { pid } from "node:process";
import { DatabaseSync } from "node:sqlite";
import { primaryCode, SQLITE_BUSY } from "./failures.ts";

/**
 * Makes this process the only one that opens stores in `directory`, until disposed. The lock is the
 * operating system's own on a second, empty SQLite file, so it ends with the process, however that
 * ends. (The database itself cannot be locked exclusively: we read it through a second connection.)
 */
export function lockDirectory(directory: string): Disposable {
  const file = join(directory, "store.lock");
  createPrivate(file);
  const db = new DatabaseSync(file, { timeout: 0 });
  try {
    db.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    db.close();
    if (primaryCode(error) !== SQLITE_BUSY) throw error;
    throw alreadyExists(
      `the store in "${directory}" is open in another process${holder(directory)}; stop that one, or use another directory`,
      { cause: error },
    );
  }
  const note = pidFile(directory);
  writeFileSync(note, `${pid}\n`, { mode: 0o600 });
  return {
    [Symbol.dispose]: () => {
      rmSync(note, { force: true });
      db.close();
    },
  };
}

/**
 * SQLite gives its other files the mode of this one. A file that exists must not be opened here:
 * closing it would free the locks that this process holds on it.
 */
export function createPrivate(file: string): void {
  try {
    if (existsSync(file)) chmodSync(file, 0o600);
    else closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    throw fileError(`cannot create "${file}"`, error);
  }
}

/** Only a hint for the message: never the lock itself. Not in the lock's file: closing that would free it. */
const pidFile = (directory: string): string => join(directory, "store.pid");

function holder(directory: string): string {
  try {
    const found = readFileSync(pidFile(directory), "utf8").trim();
    return /^\d+$/.test(found) ? ` (pid ${found})` : "";
  } catch {
    return "";
  }
}
