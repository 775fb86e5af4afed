import { DatabaseSync } from "node:sqlite";
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { copyDatabase } from "./sqlite/backup.ts";
import { sqliteFailure } from "./sqlite/failures.ts";
import type {
  BackupOptions,
  FromBackup,
  FromWorker,
  Request,
  ToWorker,
  WorkerOptions,
} from "./sqlite/messages.ts";
import { WRITER_PRAGMAS } from "./sqlite/schema.ts";
import { Writer } from "./sqlite/writer.ts";

/**
 * The thread that writes. While one group of commits waits for the disk the next one gathers in
 * the port, so that a flush is shared by all that arrived during the one before.
 */

/** Enough to share a flush among many, few enough that the first does not wait long for the last. */
const MAX_GROUP = 1_000;

const port = parentPort!;
const send = (message: FromWorker | FromBackup): void => port.postMessage(message);

const given = workerData as WorkerOptions | BackupOptions;
if ("backup" in given) copy(given);
else start(given);

/** Another thread than the one that writes, from the same file: a backup. */
function copy({ backup }: BackupOptions): void {
  try {
    copyDatabase(backup);
    send({ is: "copied" });
  } catch (error) {
    send({ is: "failed", failure: sqliteFailure(error) });
  }
  port.close();
}

function start(options: WorkerOptions): void {
  try {
    const db = open(options);
    const writer = new Writer(db, options);
    port.on("message", (first: ToWorker) => {
      const { requests, close } = drain(first);
      for (let i = 0; i < requests.length; i += MAX_GROUP) {
        send({ is: "replies", replies: writer.run(requests.slice(i, i + MAX_GROUP)) });
      }
      if (close) end(db);
    });
    send({ is: "ready" });
  } catch (error) {
    send({ is: "broken", failure: sqliteFailure(error, options.file) });
    port.close();
  }
}

function open(options: WorkerOptions): DatabaseSync {
  const db = new DatabaseSync(options.file, { timeout: 5_000 });
  db.exec(WRITER_PRAGMAS);
  if (options.maxBytes !== undefined) {
    const pageSize = Number(db.prepare("PRAGMA page_size").get()?.["page_size"]);
    db.exec(`PRAGMA max_page_count = ${Math.floor(options.maxBytes / pageSize)}`);
  }
  return db;
}

/** Everything that waits in the port, in order. */
function drain(first: ToWorker): { requests: readonly Request[]; close: boolean } {
  const requests: Request[] = [];
  let close = false;
  for (let message: ToWorker | undefined = first; message;) {
    if (message === "close") close = true;
    else requests.push(...message);
    message = receiveMessageOnPort(port)?.message;
  }
  return { requests, close };
}

function end(db: DatabaseSync): void {
  db.close();
  port.close();
}
