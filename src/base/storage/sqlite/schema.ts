import type { DatabaseSync } from "node:sqlite";

/**
 * How the file came to its present shape: `migrations[n]` takes it from version n to n + 1, and
 * `user_version` says how many have run. Only append: files of every older version exist.
 */
export const migrations: readonly string[] = [
  `
  -- One row for each document; "position" is that of its last write, and its revision.
  -- "keys" repeats its rows in "entries", so that an update that moves none touches none.
  CREATE TABLE items (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    position INTEGER NOT NULL,
    expires INTEGER,
    keys TEXT NOT NULL,
    value TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX items_key ON items (kind, name);
  CREATE INDEX items_expires ON items (expires) WHERE expires IS NOT NULL;

  -- The definitions that "entries" was built with.
  CREATE TABLE indexes (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    UNIQUE (kind, name)
  ) STRICT;
  CREATE TABLE entries (
    idx INTEGER NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    item INTEGER NOT NULL,
    PRIMARY KEY (idx, key, name)
  ) STRICT, WITHOUT ROWID;

  -- The change feed; a delete has no value.
  CREATE TABLE changes (
    position INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    expires INTEGER,
    value TEXT
  ) STRICT;

  -- One row: the newest position, the newest that the feed no longer holds, the feed's size.
  CREATE TABLE state (
    position INTEGER NOT NULL,
    forgotten INTEGER NOT NULL,
    feed_bytes INTEGER NOT NULL
  ) STRICT;
  INSERT INTO state VALUES (0, 0, 0);
  `,
  `
  -- "sorted" keys are in "entries", "counted" ones in "tallies", and each "text" index has a table.
  ALTER TABLE indexes ADD COLUMN use TEXT NOT NULL DEFAULT 'sorted';
  -- How many rows of "items" have a key; under index 0, how many a kind has.
  CREATE TABLE tallies (
    idx INTEGER NOT NULL,
    key TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (idx, key)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO tallies SELECT 0, kind, count(*) FROM items GROUP BY kind;
  `,
];

/** The texts of one index: its rows are those of "items", its trigrams lead to them. */
export const textTable = (idx: number): string => `text_${idx}`;

/** Only which documents have a trigram, not where in their text: it is looked at anyway. */
export const createTextTable = (idx: number): string =>
  `CREATE VIRTUAL TABLE ${textTable(idx)} USING fts5 (text, detail = none, columnsize = 0, tokenize = 'trigram case_sensitive 1')`;

export class NewerSchema extends Error {
  readonly found: number;
  readonly known: number;

  constructor(found: number, known: number) {
    super(`schema version ${found} is newer than ${known}`);
    this.found = found;
    this.known = known;
  }
}

/** Brings the file to the newest version, in one transaction; throws `NewerSchema` for one from the future. */
export function migrate(db: DatabaseSync, steps: readonly string[] = migrations): void {
  const version = Number(db.prepare("PRAGMA user_version").get()?.["user_version"]);
  if (version > steps.length) throw new NewerSchema(version, steps.length);
  if (version === steps.length) return;
  transaction(db, () => {
    for (const step of steps.slice(version)) db.exec(step);
    db.exec(`PRAGMA user_version = ${steps.length}`);
  });
}

/** Runs `work` whole or not at all. A full disk may end the transaction before we do. */
export function transaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    db.exec("COMMIT");
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}

/**
 * Every commit is on the disk before it returns: WAL with a flush for each transaction. After a
 * burst the log's file shrinks again.
 */
export const WRITER_PRAGMAS = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA temp_store = MEMORY;
  PRAGMA journal_size_limit = ${16 * 1024 * 1024};
`;
