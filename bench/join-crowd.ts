// The crowd of bench/join.ts: tokens and instances that nobody measures, copied inside the database from
// one of each, because a million commits take minutes.
import { DatabaseSync } from "node:sqlite";

export interface Crowd {
  readonly size: number;
  /** Every so many places are left to the machines that are measured. */
  readonly stride: number;
  /** The machine that is copied. */
  readonly template: { readonly token: string; readonly bot: string; readonly instanceId: string };
}

/** Names of the machine in a place, as SQL makes them. */
export const tokenName = (place: number): string => `machine-${String(place).padStart(7, "0")}`;

const PLACES = `
  CREATE TEMP TABLE places AS
  WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)
  SELECT printf('machine-%07d', i) AS token, printf('%08x-0000-4000-8000-%012x', i, i) AS instance
  FROM n WHERE i % ? <> 0`;
const COPY_TOKENS = `
  INSERT INTO items (kind, name, position, keys, value)
  SELECT t.kind, p.token, t.position, t.keys, replace(t.value, t.name, p.token)
  FROM places p, items t WHERE t.kind = 'token' AND t.name = ?`;
const COPY_INSTANCES = `
  INSERT INTO items (kind, name, position, keys, value)
  SELECT t.kind, ? || ':' || p.instance, t.position, t.keys,
    replace(replace(t.value, ?, p.instance), ?, p.token)
  FROM places p, items t WHERE t.kind = 'bot_instance' AND t.name = ?`;
/** A copy has the position of its model, and so its places in every index. */
const COPY_ENTRIES = `
  INSERT OR IGNORE INTO entries (idx, key, name, item)
  SELECT e.idx, e.key, i.name, i.id
  FROM items t, entries e, items i
  WHERE t.kind = ? AND t.name = ? AND e.item = t.id AND i.kind = t.kind AND i.position = t.position
  ORDER BY e.idx, e.key, i.name`;

/** Into the file of a store that nobody has open. */
export function gather(file: string, { size, stride, template }: Crowd): void {
  const { token, bot, instanceId } = template;
  const instance = `${bot}:${instanceId}`;
  const db = new DatabaseSync(file);
  // The store turns its log on again when it opens the file.
  db.exec("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -400000");
  db.exec("BEGIN");
  db.prepare(PLACES).run(size, stride);
  db.prepare(COPY_TOKENS).run(token);
  db.prepare(COPY_INSTANCES).run(bot, instanceId, token, instance);
  for (const [kind, name] of [
    ["token", token],
    ["bot_instance", instance],
  ] as const)
    db.prepare(COPY_ENTRIES).run(kind, name);
  db.exec("COMMIT");
  db.close();
}
