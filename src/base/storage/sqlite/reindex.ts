import type { DatabaseSync } from "node:sqlite";
import { indexKeys, type IndexKey, type Indexes } from "../prepare.ts";
import { compareKeys } from "../query.ts";
import type { IndexDefinition, IndexUse, JsonObject } from "../store.ts";
import { encodeKeys, Keys, type NumberedKey } from "./keys.ts";
import { createTextTable, textTable, transaction } from "./schema.ts";

/** The number of each index in the file, by kind and name. */
export type IndexIds = ReadonlyMap<string, ReadonlyMap<string, number>>;

interface IndexRow {
  readonly id: number;
  readonly kind: string;
  readonly name: string;
  readonly version: number;
  readonly use: IndexUse;
}

/** How many documents are in memory, and in one transaction, while an index is built. */
const PAGE = 2_000;
/** No definition has this version: an index that was not finished is built anew. */
const UNFINISHED = -1;

/**
 * Builds anew the indexes of every kind whose definitions are not those that the file was built with,
 * in many transactions: one of a million documents would write the whole file into the log first.
 */
export function reindex(db: DatabaseSync, indexes: Indexes): IndexIds {
  for (const kind of staleKinds(readIndexes(db), indexes)) {
    transaction(db, () => define(db, kind, indexes));
    const ids = idsOf(readIndexes(db));
    for (let after: string | undefined = ""; after !== undefined;) {
      const from: string = after;
      after = transaction(db, () => fill(db, { kind, indexes, ids, after: from }));
    }
    transaction(db, () => finish(db, kind, indexes));
  }
  return idsOf(readIndexes(db));
}

const readIndexes = (db: DatabaseSync): readonly IndexRow[] =>
  db.prepare("SELECT id, kind, name, version, use FROM indexes").all() as unknown as IndexRow[];

function staleKinds(rows: readonly IndexRow[], indexes: Indexes): readonly string[] {
  const kinds = new Set([...rows.map((row) => row.kind), ...indexes.keys()]);
  const signature = (group: readonly Pick<IndexDefinition, "name" | "version" | "use">[]): string =>
    JSON.stringify(
      group
        .map(({ name, version, use = "sorted" }) => `${name} ${version} ${use}`)
        .toSorted(compareKeys),
    );
  return [...kinds].filter((kind) => {
    const built = rows.filter((row) => row.kind === kind);
    return signature(built) !== signature(indexes.get(kind) ?? []);
  });
}

function idsOf(rows: readonly IndexRow[]): IndexIds {
  const ids = new Map<string, Map<string, number>>();
  for (const { kind, name, id } of rows) {
    if (!ids.has(kind)) ids.set(kind, new Map());
    ids.get(kind)!.set(name, id);
  }
  return ids;
}

/** Empty indexes in place of those that there were. */
function define(db: DatabaseSync, kind: string, indexes: Indexes): void {
  for (const { id, use } of readIndexes(db).filter((row) => row.kind === kind)) {
    db.prepare("DELETE FROM entries WHERE idx = ?").run(id);
    db.prepare("DELETE FROM tallies WHERE idx = ?").run(id);
    if (use === "text") db.exec(`DROP TABLE ${textTable(id)}`);
  }
  db.prepare("DELETE FROM indexes WHERE kind = ?").run(kind);
  const insert = db.prepare("INSERT INTO indexes (kind, name, version, use) VALUES (?, ?, ?, ?)");
  for (const { name, use = "sorted" } of indexes.get(kind) ?? []) {
    const { lastInsertRowid } = insert.run(kind, name, UNFINISHED, use);
    if (use === "text") db.exec(createTextTable(Number(lastInsertRowid)));
  }
}

interface Part {
  readonly kind: string;
  readonly indexes: Indexes;
  readonly ids: IndexIds;
  readonly after: string;
}

/** The keys of a page of documents; gives the last one's name while there may be more. */
function fill(db: DatabaseSync, { kind, indexes, ids, after }: Part): string | undefined {
  const page = db.prepare(
    "SELECT id, name, expires, value FROM items WHERE kind = ? AND name > ? ORDER BY name LIMIT ?",
  );
  const update = db.prepare("UPDATE items SET keys = ? WHERE id = ?");
  const homes = new Keys(db);
  const rows = page.all(kind, after, PAGE);
  for (const row of rows) {
    const [id, name] = [Number(row["id"]), String(row["name"])];
    const expires = row["expires"] === null ? {} : { expires: Number(row["expires"]) };
    const value = JSON.parse(String(row["value"])) as JsonObject;
    const keys = encodeKeys(
      numberKeys(indexKeys(indexes, { kind, name, ...expires }, value), kind, ids),
    );
    update.run(keys, id);
    homes.replace("", keys, { id, name });
  }
  return rows.length < PAGE ? undefined : String(rows.at(-1)!["name"]);
}

function finish(db: DatabaseSync, kind: string, indexes: Indexes): void {
  const update = db.prepare("UPDATE indexes SET version = ? WHERE kind = ? AND name = ?");
  for (const { name, version } of indexes.get(kind) ?? []) update.run(version, kind, name);
}

export const numberKeys = (
  keys: readonly IndexKey[],
  kind: string,
  ids: IndexIds,
): readonly NumberedKey[] => keys.map(([index, key]) => [ids.get(kind)!.get(index)!, key]);
