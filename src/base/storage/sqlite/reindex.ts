import type { DatabaseSync } from "node:sqlite";
import { indexKeys, type IndexKey, type Indexes } from "../prepare.ts";
import { compareKeys } from "../query.ts";
import type { JsonObject } from "../store.ts";
import { transaction } from "./schema.ts";

/** The number of each index in the file, by kind and name. */
export type IndexIds = ReadonlyMap<string, ReadonlyMap<string, number>>;

interface IndexRow {
  readonly id: number;
  readonly kind: string;
  readonly name: string;
  readonly version: number;
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
  db.prepare("SELECT id, kind, name, version FROM indexes").all() as unknown as IndexRow[];

function staleKinds(rows: readonly IndexRow[], indexes: Indexes): readonly string[] {
  const kinds = new Set([...rows.map((row) => row.kind), ...indexes.keys()]);
  const signature = (group: readonly Pick<IndexRow, "name" | "version">[]): string =>
    JSON.stringify(group.map(({ name, version }) => `${name} ${version}`).toSorted(compareKeys));
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
  db.prepare("DELETE FROM entries WHERE idx IN (SELECT id FROM indexes WHERE kind = ?)").run(kind);
  db.prepare("DELETE FROM indexes WHERE kind = ?").run(kind);
  const insert = db.prepare("INSERT INTO indexes (kind, name, version) VALUES (?, ?, ?)");
  for (const { name, version } of indexes.get(kind) ?? []) insert.run(kind, name, version);
  fill(db, kind, indexes, idsOf(readIndexes(db)));
}

function fill(db: DatabaseSync, kind: string, indexes: Indexes, ids: IndexIds): void {
  const page = db.prepare(
    "SELECT id, name, expires, value FROM items WHERE kind = ? AND name > ? ORDER BY name LIMIT ?",
  );
  const update = db.prepare("UPDATE items SET keys = ? WHERE id = ?");
  const insert = db.prepare("INSERT INTO entries (idx, key, name, item) VALUES (?, ?, ?, ?)");
  for (let after = ""; ;) {
    const rows = page.all(kind, after, PAGE);
    for (const row of rows) {
      const name = String(row["name"]);
      const expires = row["expires"] === null ? {} : { expires: Number(row["expires"]) };
      const value = JSON.parse(String(row["value"])) as JsonObject;
      const keys = numberKeys(indexKeys(indexes, { kind, name, ...expires }, value), kind, ids);
      update.run(encodeKeys(keys), row["id"]!);
      for (const [idx, key] of keys) insert.run(idx, key, name, row["id"]!);
      after = name;
    }
    if (rows.length < PAGE) return;
  }
}

export type NumberedKey = readonly [idx: number, key: string];

export const numberKeys = (
  keys: readonly IndexKey[],
  kind: string,
  ids: IndexIds,
): readonly NumberedKey[] => keys.map(([index, key]) => [ids.get(kind)!.get(index)!, key]);

/** The form in which `items.keys` holds them. */
export const encodeKeys = (keys: readonly NumberedKey[]): string =>
  keys.length === 0 ? "" : JSON.stringify(keys);
