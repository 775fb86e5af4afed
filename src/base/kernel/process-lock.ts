import {
  chmodSync,
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { pid } from "node:process";
import { DatabaseSync } from "node:sqlite";
import { alreadyExists, CodedError } from "./errors.ts";
import { fileError } from "./files.ts";

/** sqlite.org/rescode.html; extended codes have it in their low byte. */
const SQLITE_BUSY = 5;

/**
 * Makes this process the only one that holds `<path>.lock`, until disposed. The lock is the operating
 * system's own, on an empty SQLite file (Node has no call for it otherwise), so it ends with the
 * process, however that ends. Throws `already_exists` with `held`, given ` (pid N)` where that is
 * known, and any other error as SQLite made it.
 */
export function lockForProcess(path: string, held: (holder: string) => string): Disposable {
  const file = `${path}.lock`;
  createPrivate(file);
  const db = new DatabaseSync(file, { timeout: 0 });
  // Only a hint for the message. Not in the lock's file: closing that would free the lock.
  const note = `${path}.pid`;
  try {
    db.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (cause) {
    db.close();
    if (!isBusy(cause)) throw cause;
    throw alreadyExists(held(holder(note)), { cause });
  }
  leaveNote(note);
  return {
    [Symbol.dispose]: () => {
      rmSync(note, { force: true });
      db.close();
    },
  };
}

/** On a full disk the lock holds without it. */
function leaveNote(path: string): void {
  try {
    writeFileSync(path, `${pid}\n`, { mode: 0o600 });
  } catch {
    rmSync(path, { force: true });
  }
}

/** The process that holds such a lock now (its number may not be known); `undefined` when none does. */
export function holderOfLock(path: string): { readonly pid?: number } | undefined {
  try {
    lockForProcess(path, (holder) => holder)[Symbol.dispose]();
    return undefined;
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== "already_exists") throw error;
    const [, pid] = /^ \(pid (\d+)\)$/.exec(error.message) ?? [];
    return pid === undefined ? {} : { pid: Number(pid) };
  }
}

/**
 * Makes an empty file for its owner alone; SQLite gives its other files the mode of this one. A file
 * that exists must not be opened here: closing it would free the locks that this process holds on it.
 */
export function createPrivate(file: string): void {
  try {
    if (existsSync(file)) chmodSync(file, 0o600);
    else closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    throw fileError(`cannot create "${file}"`, error);
  }
}

function isBusy(error: unknown): boolean {
  if (!(error instanceof Error) || !("errcode" in error)) return false;
  return typeof error.errcode === "number" && (error.errcode & 0xff) === SQLITE_BUSY;
}

function holder(note: string): string {
  try {
    const found = readFileSync(note, "utf8").trim();
    return /^\d+$/.test(found) ? ` (pid ${found})` : "";
  } catch {
    return "";
  }
}
