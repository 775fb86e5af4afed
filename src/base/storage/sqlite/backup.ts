import { alreadyExists, CodedError, fileError, syncDirectory } from "#base/kernel";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Worker } from "node:worker_threads";
import type { BackupOptions, FromBackup } from "./messages.ts";

export interface Backup {
  /** Size of the file. */
  readonly bytes: number;
}

/**
 * Copies the store as it is at one moment to `file`, which gets its name (mode 0600) only when it is
 * whole and on the disk. It is made in a thread and on a connection of its own: reads and commits go
 * on meanwhile. Rejects with `already_exists` when `file` is there, and with the file system's codes.
 */
export async function backUp(workerUrl: URL, source: string, file: string): Promise<Backup> {
  if (existsSync(file)) throw alreadyExists(`"${file}" exists already; name another file`);
  const partial = join(dirname(file), `.${basename(file)}.${randomBytes(8).toString("hex")}.tmp`);
  try {
    await (await open(partial, "wx", 0o600)).close();
    await copyInThread(workerUrl, { backup: { from: source, to: partial } });
    await syncFile(partial);
    await rename(partial, file);
    await syncDirectory(dirname(file));
    return { bytes: (await stat(file)).size };
  } catch (error) {
    await rm(partial, { force: true }).catch(() => {});
    throw error instanceof CodedError ? error : fileError(`cannot write "${file}"`, error);
  }
}

async function copyInThread(url: URL, options: BackupOptions): Promise<void> {
  const worker = new Worker(url, { workerData: options, name: "store-backup" });
  const exit = once(worker, "exit");
  const [message] = (await once(worker, "message")) as [FromBackup];
  await exit;
  if (message.is === "failed") throw new CodedError(message.failure.code, message.failure.message);
}

async function syncFile(file: string): Promise<void> {
  await using handle = await open(file, "r+");
  await handle.sync();
}

/** The thread's work. `VACUUM INTO` reads one snapshot, and writes only what is in use. */
export function copyDatabase({ from, to }: BackupOptions["backup"]): void {
  const db = new DatabaseSync(from, { timeout: 5_000 });
  try {
    db.prepare("VACUUM INTO ?").run(to);
  } finally {
    db.close();
  }
}
