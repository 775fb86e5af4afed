import type { ErrorCode } from "#base/kernel";
import type { Failure } from "../conditions.ts";

/** SQLite's primary result codes (sqlite.org/rescode.html) that an administrator can do something about. */
const causes: Readonly<Record<number, readonly [ErrorCode, string]>> = {
  5: ["unavailable", "another program holds its database; end that program"],
  7: ["unavailable", "there is no memory left"],
  8: ["unavailable", "its files are read-only; check owner, mode and mount"],
  10: ["unavailable", "the disk failed to read or write; check the disk and the system's log"],
  11: ["internal", "its database is damaged; stop, and restore a backup"],
  13: ["unavailable", "the disk or its quota is full; make room"],
  14: ["unavailable", "its database cannot be opened; check owner, mode and mount"],
  26: ["internal", "its file is not a database; stop, and restore a backup"],
};

/**
 * The one translator of SQLite's errors. The message may reach strangers, so it names a file only
 * where one is given: while the store opens.
 */
export function sqliteFailure(error: unknown, file?: string): Failure {
  const detail = error instanceof Error ? error.message : String(error);
  const [code, cause] = causes[primaryCode(error)] ?? ["internal", detail];
  const store = file === undefined ? "the store" : `the store "${file}"`;
  return { code, message: `${store} failed: ${cause}`, detail };
}

/** The low byte of an extended result code; -1 for errors of another source. */
function primaryCode(error: unknown): number {
  if (!(error instanceof Error) || !("errcode" in error)) return -1;
  return typeof error.errcode === "number" ? error.errcode & 0xff : -1;
}
