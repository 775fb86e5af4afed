import type { SQLInputValue } from "node:sqlite";
import { compareKeys, type Cursor, type Range } from "../query.ts";

export interface Select {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
}

const COLUMNS = "i.kind, i.name, i.position, i.expires, i.value AS json";
export const LIVE = "(i.expires IS NULL OR i.expires > ?)";

/** A page of a kind by name. Two more values follow: the time, and the number of rows. */
export function selectByName(range: Range): Select {
  const { sql, values } = bounds(range, "i.name", ["i.name"]);
  const order = direction(range);
  return {
    sql: `SELECT ${COLUMNS}, i.name AS key FROM items i
      WHERE i.kind = ? AND ${sql} AND ${LIVE} ORDER BY i.name ${order} LIMIT ?`,
    values: [range.kind, ...values],
  };
}

/** A page of a kind by index number `idx`. Two more values follow: the time, and the number of rows. */
export function selectByIndex(range: Range, idx: number): Select {
  const { sql, values } = bounds(range, "e.key", ["e.key", "e.name"]);
  const order = direction(range);
  return {
    // CROSS JOIN fixes the order: entries first, in theirs.
    sql: `SELECT ${COLUMNS}, e.key FROM entries e CROSS JOIN items i ON i.id = e.item
      WHERE e.idx = ? AND ${sql} AND ${LIVE} ORDER BY e.key ${order}, e.name ${order} LIMIT ?`,
    values: [idx, ...values],
  };
}

/** How many live items a kind has between the bounds. */
export function countByName(range: Range, now: number): Select {
  const { sql, values } = bounds(range, "i.name", ["i.name"]);
  return {
    // The first term never leaves its index; the second sees only what is about to be swept.
    sql: `SELECT (SELECT count(*) FROM items i WHERE i.kind = ? AND ${sql}) -
      (SELECT count(*) FROM items i WHERE +i.kind = ? AND ${sql} AND i.expires <= ?) AS n`,
    values: [range.kind, ...values, range.kind, ...values, now],
  };
}

export function countByIndex(range: Range, idx: number, now: number): Select {
  const { sql, values } = bounds(range, "e.key", ["e.key", "e.name"]);
  return {
    sql: `SELECT count(DISTINCT e.name) AS n FROM entries e WHERE e.idx = ? AND ${sql} AND
      e.item NOT IN (SELECT id FROM items WHERE expires <= ?)`,
    values: [idx, ...values, now],
  };
}

/** Of what has expired too. */
export function countKeys(range: Range, idx: number): Select {
  const { sql, values } = bounds(range, "e.key", ["e.key", "e.name"]);
  return {
    sql: `SELECT count(*) AS n FROM entries e WHERE e.idx = ? AND ${sql}`,
    values: [idx, ...values],
  };
}

export const direction = (range: Range): string => (range.descending ? "DESC" : "ASC");

/**
 * One lower and at most one upper bound: given two of a kind, SQLite seeks by either of them and
 * walks the rest. A cursor outside the range (of another query) yields to the range. With `end` the
 * listing goes no further than there, whatever the range's own far bound.
 */
export function bounds(range: Range, key: string, cursor: readonly string[], end?: Cursor): Select {
  const { from, to, after, descending } = range;
  const useCursor =
    after &&
    (descending
      ? to === undefined || compareKeys(after.key, to) < 0
      : compareKeys(after.key, from) >= 0);
  const beyond = (sign: string, { key: at, name }: Cursor): Select => ({
    sql: `(${cursor.join(", ")}) ${sign} (${cursor.map(() => "?").join(", ")})`,
    values: cursor.length === 1 ? [at] : [at, name],
  });
  const start = useCursor ? beyond(descending ? "<" : ">", after) : undefined;
  const stop = end && beyond(descending ? ">=" : "<=", end);
  const above = { sql: `${key} >= ?`, values: [from] };
  const below =
    to === undefined ? { sql: "TRUE", values: [] } : { sql: `${key} < ?`, values: [to] };
  const [lower, upper] = descending
    ? [stop ?? above, start ?? below]
    : [start ?? above, stop ?? below];
  return { sql: `${lower.sql} AND ${upper.sql}`, values: [...lower.values, ...upper.values] };
}
