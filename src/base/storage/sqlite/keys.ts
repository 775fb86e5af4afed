import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { IndexUse } from "../store.ts";
import { textTable } from "./schema.ts";

export type NumberedKey = readonly [idx: number, key: string];

/** The form in which `items.keys` holds them. */
export const encodeKeys = (keys: readonly NumberedKey[]): string =>
  keys.length === 0 ? "" : JSON.stringify(keys);

export const decodeKeys = (keys: string): readonly NumberedKey[] =>
  keys === "" ? [] : (JSON.parse(keys) as NumberedKey[]);

/** One document's place among its kind. */
interface Row {
  readonly id: number;
  readonly name: string;
}

type Change = (key: string, row: Row) => void;
interface Home {
  readonly add: Change;
  readonly drop: Change;
}

/** Puts keys where the use of their index keeps them: entries, tallies, or a table of texts. */
export class Keys {
  readonly #homes = new Map<number, Home>();
  readonly #up: StatementSync;
  readonly #down: StatementSync;
  readonly #none: StatementSync;

  constructor(db: DatabaseSync) {
    this.#up = db.prepare(
      "INSERT INTO tallies (idx, key, n) VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET n = n + 1",
    );
    this.#down = db.prepare("UPDATE tallies SET n = n - 1 WHERE idx = ? AND key = ?");
    this.#none = db.prepare("DELETE FROM tallies WHERE idx = ? AND key = ? AND n = 0");
    for (const { id, use } of db.prepare("SELECT id, use FROM indexes").all())
      this.#homes.set(Number(id), this.#homeOf(db, Number(id), use as IndexUse));
  }

  /** Only what differs is touched: a heartbeat moves a time, and leaves the text as it is. */
  replace(before: string, after: string, row: Row): void {
    if (before === after) return;
    const [old, next] = [decodeKeys(before), decodeKeys(after)];
    const [had, has] = [new Set(old.map(identity)), new Set(next.map(identity))];
    for (const pair of old) if (!has.has(identity(pair))) this.#home(pair).drop(pair[1], row);
    for (const pair of next) if (!had.has(identity(pair))) this.#home(pair).add(pair[1], row);
  }

  /** One more, or one less, of a kind. */
  count(kind: string, change: 1 | -1): void {
    const { add, drop } = this.#tally(KINDS);
    (change === 1 ? add : drop)(kind, NO_ROW);
  }

  #home([idx]: NumberedKey): Home {
    return this.#homes.get(idx)!;
  }

  #homeOf(db: DatabaseSync, idx: number, use: IndexUse): Home {
    if (use === "counted") return this.#tally(idx);
    return use === "text" ? texts(db, idx) : entries(db, idx);
  }

  #tally(idx: number): Home {
    return {
      add: (key) => void this.#up.run(idx, key),
      drop: (key) => {
        this.#down.run(idx, key);
        this.#none.run(idx, key);
      },
    };
  }
}

/** No index has this number: under it the tallies count each kind. */
export const KINDS = 0;
const NO_ROW: Row = { id: 0, name: "" };

const identity = ([idx, key]: NumberedKey): string => `${idx} ${key}`;

function entries(db: DatabaseSync, idx: number): Home {
  const insert = db.prepare("INSERT INTO entries (idx, key, name, item) VALUES (?, ?, ?, ?)");
  const remove = db.prepare("DELETE FROM entries WHERE idx = ? AND key = ? AND name = ?");
  return {
    add: (key, { id, name }) => void insert.run(idx, key, name, id),
    drop: (key, { name }) => void remove.run(idx, key, name),
  };
}

function texts(db: DatabaseSync, idx: number): Home {
  const insert = db.prepare(`INSERT INTO ${textTable(idx)} (rowid, text) VALUES (?, ?)`);
  const remove = db.prepare(`DELETE FROM ${textTable(idx)} WHERE rowid = ?`);
  return {
    add: (text, { id }) => void insert.run(id, text),
    drop: (_, { id }) => void remove.run(id),
  };
}
