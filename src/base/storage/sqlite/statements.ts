import type { DatabaseSync, StatementSync } from "node:sqlite";

export type Statements = { readonly [K in keyof typeof statements]: StatementSync };

const statements = {
  savepoint: "SAVEPOINT batch",
  rollback: "ROLLBACK TO batch",
  release: "RELEASE batch",
  find: "SELECT id, position, expires, keys FROM items WHERE kind = ? AND name = ?",
  insert:
    "INSERT INTO items (kind, name, position, expires, keys, value) VALUES (?, ?, ?, ?, ?, ?)",
  update: "UPDATE items SET position = ?, expires = ?, keys = ?, value = ? WHERE id = ?",
  remove: "DELETE FROM items WHERE id = ?",
  addChange: "INSERT INTO changes (position, kind, name, expires, value) VALUES (?, ?, ?, ?, ?)",
  feedSize: "SELECT total(octet_length(value)) AS size FROM changes WHERE position <= ?",
  trim: "DELETE FROM changes WHERE position <= ?",
  expired:
    "SELECT id, kind, name, position, expires, keys FROM items WHERE expires <= ? ORDER BY expires LIMIT ?",
  nextExpiry: "SELECT min(expires) AS next FROM items WHERE expires IS NOT NULL",
  readState: "SELECT position, forgotten, feed_bytes FROM state",
  writeState: "UPDATE state SET position = ?, forgotten = ?, feed_bytes = ?",
};

export function prepareStatements(db: DatabaseSync): Statements {
  const entries = Object.entries(statements).map(([name, sql]) => [name, db.prepare(sql)]);
  return Object.fromEntries(entries) as Statements;
}
