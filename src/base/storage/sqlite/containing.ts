import type { SQLInputValue, StatementSync } from "node:sqlite";
import {
  compareCursors,
  isAfter,
  isWithin,
  type Containing,
  type Cursor,
  type Range,
} from "../query.ts";
import { decodeKeys } from "./keys.ts";
import { textTable } from "./schema.ts";
import { bounds, direction, LIVE, type Select } from "./select.ts";

/**
 * How many entries one call compares with what is sought, in the order of the listing: some ten
 * milliseconds. And up to how many items that have all trigrams are brought together and sorted
 * instead: of a million, these are so few that walking would take longer to fill a page.
 */
export interface SearchLimits {
  readonly walk: number;
  readonly gather: number;
}
export const SEARCH_LIMITS: SearchLimits = { walk: 5_000, gather: 5_000 };
/** Of what is sought so many trigrams are tried, and so many of them looked up: those that few items have. */
const MAX_TRIGRAMS = 60;
const LOOKED_UP = 4;
/** How many items with a trigram tell how many there may be in all. */
const SAMPLE = 50;

export interface Search {
  readonly range: Range;
  readonly containing: Containing;
  /** Number of the range's index; without it the range is of names. */
  readonly idx: number | undefined;
  /** Number of the index of texts. */
  readonly text: number;
  readonly now: number;
  readonly limits: SearchLimits;
}

export interface Place extends Cursor {
  readonly id: number;
}

/** The places of a page, and where the next call goes on: past the last of them, or past what was walked. */
export interface FoundPlaces {
  readonly places: readonly Place[];
  readonly next?: Cursor;
}

type Prepare = (sql: string) => StatementSync;

/**
 * A page of items whose text contains what is sought. A short range is compared whole. Of a longer
 * one, items that have all trigrams of what is sought are brought together while they are few; many
 * are soon met in the order of the listing, which is walked for them, a part with each call.
 */
export function findPlaces(prepare: Prepare, search: Search): FoundPlaces {
  const end = farEnd(prepare, search);
  const gathered = end && gather(prepare, search);
  return gathered ? pageOf(gathered, search.range) : walk(prepare, search, end);
}

/** The last entry that one call compares; nothing when the range ends before. */
function farEnd(prepare: Prepare, search: Search): Cursor | undefined {
  const { from, where, order, values } = entriesOf(search);
  const sql = `SELECT ${from.key} AS key, e.name FROM ${from.table} e
    WHERE ${where} ORDER BY ${order} LIMIT 1 OFFSET ${search.limits.walk - 1}`;
  return prepare(sql).get(...values) as Cursor | undefined;
}

function walk(prepare: Prepare, search: Search, end: Cursor | undefined): FoundPlaces {
  const { from, where, order, values } = entriesOf(search, end);
  const { range, now } = search;
  const { sql: contains, values: sought } = contained(search.containing);
  const sql = `SELECT ${from.id} AS id, ${from.key} AS key, e.name FROM ${from.table} e
    CROSS JOIN ${textTable(search.text)}_content t ON t.id = ${from.id}
    CROSS JOIN items i ON i.id = ${from.id}
    WHERE ${where} AND ${contains} AND ${LIVE} ORDER BY ${order} LIMIT ?`;
  const rows = prepare(sql).all(...values, ...sought, now, range.limit + 1);
  const found = rows as unknown as readonly Place[];
  if (found.length > range.limit) return pageOf(found, range);
  return end ? { places: found, next: end } : { places: found };
}

/** Everything in the range, sorted; nothing when too many have the trigrams. */
function gather(prepare: Prepare, search: Search): readonly Place[] | undefined {
  const { containing, range, idx, now, limits } = search;
  const table = textTable(search.text);
  const match = prepare(`SELECT rowid AS id FROM ${table} WHERE ${table} MATCH ? LIMIT ?`);
  const find = (expression: string, limit: number): readonly number[] =>
    match.all(expression, limit).map(({ id }) => Number(id));
  const trigrams = rarest(trigramsOf(containing.parts), find);
  if (trigrams.length === 0) return undefined;
  const ids = find(trigrams.join(" AND "), limits.gather + 1);
  if (ids.length > limits.gather) return undefined;
  const { sql: contains, values: sought } = contained(containing);
  const sql = `SELECT i.id, i.name, i.keys FROM json_each(?) j
    CROSS JOIN ${table}_content t ON t.id = j.value CROSS JOIN items i ON i.id = j.value
    WHERE ${contains} AND ${LIVE}`;
  const rows = prepare(sql).all(JSON.stringify(ids), ...sought, now);
  const sign = range.descending ? -1 : 1;
  return (rows as unknown as readonly { id: number; name: string; keys: string }[])
    .flatMap(({ id, name, keys }) => keysIn(keys, idx, name).map((key) => ({ id, key, name })))
    .filter((place) => isWithin(range, place.key) && isAfter(range, place))
    .toSorted((a, b) => sign * compareCursors(a, b));
}

function pageOf(found: readonly Place[], { limit }: Range): FoundPlaces {
  const places = found.slice(0, limit);
  return found.length > limit ? { places, next: places.at(-1)! } : { places };
}

const keysIn = (keys: string, idx: number | undefined, name: string): readonly string[] =>
  idx === undefined
    ? [name]
    : decodeKeys(keys)
        .filter(([of]) => of === idx)
        .map(([, key]) => key);

/** The entries of the range as a table `e`, in the order of the listing. */
function entriesOf({ range, idx }: Search, end?: Cursor) {
  const byName = idx === undefined;
  const from = byName
    ? { table: "items", key: "e.name", id: "e.id" }
    : { table: "entries", key: "e.key", id: "e.item" };
  const cursor = byName ? ["e.name"] : ["e.key", "e.name"];
  const { sql, values } = bounds(range, from.key, cursor, end);
  const which: SQLInputValue = byName ? range.kind : idx;
  return {
    from,
    where: `${byName ? "e.kind" : "e.idx"} = ? AND ${sql}`,
    order: cursor.map((column) => `${column} ${direction(range)}`).join(", "),
    values: [which, ...values],
  };
}

function contained({ parts }: Containing): Select {
  return { sql: parts.map(() => "instr(t.c0, ?) > 0").join(" AND "), values: parts };
}

function trigramsOf(parts: readonly string[]): readonly string[] {
  const all = parts.flatMap((part) => {
    const characters = Array.from(part);
    return characters.slice(2).map((_, i) => characters.slice(i, i + 3).join(""));
  });
  return [...new Set(all)]
    .slice(0, MAX_TRIGRAMS)
    .map((trigram) => `"${trigram.replaceAll('"', '""')}"`);
}

/**
 * All lists of items that have a common trigram are long, and reading them side by side takes long:
 * the rarest find candidates, which are compared anyway. How rare one is shows in how far its first
 * items lie apart.
 */
function rarest(
  trigrams: readonly string[],
  find: (trigram: string, limit: number) => readonly number[],
): readonly string[] {
  const apart = (trigram: string): number => {
    const ids = find(trigram, SAMPLE);
    return ids.length < SAMPLE ? Infinity : (ids.at(-1)! - ids[0]!) / SAMPLE;
  };
  return trigrams
    .map((trigram) => ({ trigram, apart: apart(trigram) }))
    .toSorted((a, b) => (a.apart === b.apart ? 0 : b.apart - a.apart))
    .slice(0, LOOKED_UP)
    .map(({ trigram }) => trigram);
}
