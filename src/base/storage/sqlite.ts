import {
  CodedError,
  createPrivate,
  ensurePrivateDirectory,
  syncDirectory,
  unavailable,
  type Clock,
  type Logger,
} from "#base/kernel";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { groupIndexes, type Indexes } from "./prepare.ts";
import { sqliteFailure } from "./sqlite/failures.ts";
import { backUp } from "./sqlite/backup.ts";
import { WorkerLink } from "./sqlite/link.ts";
import { lockDirectory } from "./sqlite/lock.ts";
import type { SearchLimits } from "./sqlite/containing.ts";
import { Reader } from "./sqlite/reader.ts";
import { Remembered } from "./sqlite/remembered.ts";
import { reindex, type IndexIds } from "./sqlite/reindex.ts";
import { migrate, NewerSchema, WRITER_PRAGMAS } from "./sqlite/schema.ts";
import { SqliteStore } from "./sqlite/sqlite-store.ts";
import { MAX_FEED, MAX_FEED_BYTES, type BackedUpStore, type IndexDefinition } from "./store.ts";

export interface SqliteStoreOptions {
  /** Holds the database and its lock; made private to its owner (0700, files 0600). */
  readonly directory: string;
  readonly clock: Clock;
  readonly indexes: readonly IndexDefinition[];
  readonly logger: Logger;
  /** How many changes the feed keeps; default `MAX_FEED`. */
  readonly feedLength?: number;
  /** Kinds whose documents are few and read with nearly every call: those in use stay in memory. */
  readonly remember?: readonly string[];
  /** The database may grow to this size (its log comes on top); by default to the disk's. */
  readonly maxBytes?: number;
  /** How far one call of a search goes: for tests, which have few documents. */
  readonly searchLimits?: SearchLimits;
  /** The worker's file, when it does not lie beside this one (or beside the bundle). */
  readonly workerUrl?: URL;
}

/**
 * Opens or creates the store in `directory`, `store.db`. Rejects with `already_exists` while another
 * process has it open, `unavailable` when the disk refuses or the file is from a newer version, and
 * `internal` when it is damaged.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<BackedUpStore> {
  const { directory, feedLength = MAX_FEED, maxBytes, logger } = options;
  const file = join(directory, "store.db");
  const indexes = groupIndexes(options.indexes);
  await ensurePrivateDirectory(directory);
  await using opened = new AsyncDisposableStack();
  const lock = opened.use(translate(directory, () => lockDirectory(directory)));
  const ids = translate(file, () => prepareFile(file, indexes));
  await syncDirectory(directory);
  const limits = { feedEntries: feedLength, feedBytes: MAX_FEED_BYTES };
  const worker = { file, ...limits, ...(maxBytes === undefined ? {} : { maxBytes }) };
  const workerUrl = options.workerUrl ?? besideThis();
  const link = await WorkerLink.start(workerUrl, worker, logger);
  opened.defer(() => link.close());
  const remembered = new Remembered(options.remember ?? []);
  const reader = opened.use(
    translate(file, () => new Reader(file, ids, remembered, options.searchLimits)),
  );
  const backup = (to: string) => backUp(workerUrl, file, to);
  const opening = { clock: options.clock, logger, indexes, ids, feedLength };
  const parts = { ...opening, reader, remembered, link, lock, backup };
  const store = new SqliteStore(parts);
  opened.move();
  return store;
}

/** In the sources and in a bundle the worker lies in the same folder as the file that starts it. */
const besideThis = (): URL => {
  const suffix = /\.[cm]?[jt]s$/.exec(import.meta.url)?.[0] ?? ".js";
  return new URL(`./sqlite-worker${suffix}`, import.meta.url);
};

/** Creates the file if need be, and brings its schema and indexes to what this version expects. */
function prepareFile(file: string, indexes: Indexes): IndexIds {
  createPrivate(file);
  const db = new DatabaseSync(file);
  try {
    db.exec(WRITER_PRAGMAS);
    migrate(db);
    return reindex(db, indexes);
  } catch (error) {
    if (error instanceof NewerSchema) throw fromTheFuture(file, error);
    throw error;
  } finally {
    db.close();
  }
}

const fromTheFuture = (file: string, { found, known }: NewerSchema): CodedError =>
  unavailable(
    `the store "${file}" has schema version ${found}, and this program knows versions up to ${known}; use the newer program, or restore a backup made before the upgrade`,
  );

function translate<T>(what: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (error instanceof CodedError) throw error;
    const { code, message } = sqliteFailure(error, what);
    throw new CodedError(code, message, { cause: error });
  }
}
