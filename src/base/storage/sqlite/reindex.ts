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

/** How many documents are in memory at once while an index is built. */
const PAGE = 500;

/** Builds anew the indexes of every kind whose definitions are not those that the file was built with. */
export function reindex(db: DatabaseSync, indexes: Indexes): IndexIds {
  const stale = staleKinds(readIndexes(db), indexes);
  if (stale.length > 0) {
    transaction(db, () => stale.forEach((kind) => rebuild(db, kind, indexes)));
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

function rebuild(db: DatabaseSync, kind: string, indexes: Indexes): void {
  for (const { id, use } of readIndexes(db).filter((row) => row.kind === kind)) {
    db.prepare("DELETE FROM entries WHERE idx = ?").run(id);
    db.prepare("DELETE FROM tallies WHERE idx = ?").run(id);
    if (use === "text") db.exec(`DROP TABLE ${textTable(id)}`);
  }
  db.prepare("DELETE FROM indexes WHERE kind = ?").run(kind);
  const insert = db.prepare("INSERT INTO indexes (kind, name, version, use) VALUES (?, ?, ?, ?)");
  for (const { name, version, use = "sorted" } of indexes.get(kind) ?? []) {
    const { lastInsertRowid } = insert.run(kind, name, version, use);
    if (use === "text") db.exec(createTextTable(Number(lastInsertRowid)));
  }
  fill(db, kind, indexes, idsOf(readIndexes(db)));
}

function fill(db: DatabaseSync, kind: string, indexes: Indexes, ids: IndexIds): void {
  const page = db.prepare(
    "SELECT id, name, expires, value FROM items WHERE kind = ? AND name > ? ORDER BY name LIMIT ?",
  );
  const update = db.prepare("UPDATE items SET keys = ? WHERE id = ?");
  const homes = new Keys(db);
  for (let after = ""; ;) {
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
      after = name;
    }
    if (rows.length < PAGE) return;
  }
}

export const numberKeys = (
  keys: readonly IndexKey[],
  kind: string,
  ids: IndexIds,
): readonly NumberedKey[] => keys.map(([index, key]) => [ids.get(kind)!.get(index)!, key]);
