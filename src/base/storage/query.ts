import { badParameter } from "#base/kernel";
import { asText, textOf, type Indexes } from "./prepare.ts";
import {
  DEFAULT_PAGE,
  MAX_CONTAINING,
  MAX_INDEX_KEY_BYTES,
  MAX_PAGE,
  type IndexUse,
  type ListQuery,
  type TallyQuery,
} from "./store.ts";

/** A place between two entries of a listing: after the entry with this key and name. */
export interface Cursor {
  readonly key: string;
  readonly name: string;
}

/** A query with its defaults, its bounds in one range, and its cursor read. */
export interface Range {
  readonly kind: string;
  /** Without it the names are the keys. */
  readonly index?: string;
  /** Inclusive. */
  readonly from: string;
  /** Exclusive. */
  readonly to?: string;
  readonly descending: boolean;
  readonly limit: number;
  readonly after?: Cursor;
  readonly containing?: Containing;
}

/** What the text of an item must contain. */
export interface Containing {
  /** Of use `text`. */
  readonly index: string;
  /** At least one, each once, none empty. */
  readonly parts: readonly string[];
}

export function rangeOf(query: ListQuery, indexes: Indexes): Range {
  const { kind, index, order, limit = DEFAULT_PAGE } = query;
  if (index !== undefined) checkIndex(kind, index, "sorted", indexes);
  checkLimit(limit);
  const prefix = query.prefix?.toWellFormed() ?? "";
  const containing = containingOf(query, indexes);
  const to = lower(query.to?.toWellFormed(), prefixEnd(prefix));
  return {
    kind,
    from: higher(query.from?.toWellFormed() ?? "", prefix),
    descending: order === "descending",
    limit,
    ...(index === undefined ? {} : { index }),
    ...(to === undefined ? {} : { to }),
    ...(containing === undefined ? {} : { containing }),
    ...(query.after === undefined ? {} : { after: readCursor(query.after) }),
  };
}

/** The limit of a tally, checked like a page. */
export function tallyLimit({ kind, index, limit = DEFAULT_PAGE }: TallyQuery, indexes: Indexes) {
  checkIndex(kind, index, "counted", indexes);
  checkLimit(limit);
  return limit;
}

function checkIndex(kind: string, index: string, use: IndexUse, indexes: Indexes): void {
  const fitting = (indexes.get(kind) ?? []).filter((each) => (each.use ?? "sorted") === use);
  const names = fitting.map((definition) => definition.name);
  if (names.includes(index)) return;
  const known = names.length === 0 ? "it has none" : `it has ${names.join(", ")}`;
  throw badParameter(`kind "${kind}" has no ${use} index "${index}"; ${known}`);
}

function checkLimit(limit: number): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_PAGE) return;
  throw badParameter(`a page cannot hold "${limit}" items; ask for 1 to ${MAX_PAGE}`);
}

function containingOf(query: ListQuery, indexes: Indexes): Containing | undefined {
  const { kind, containing = [] } = query;
  const parts = [...new Set(containing.map(asText))].filter(Boolean);
  if (parts.length === 0) return undefined;
  if (parts.length > MAX_CONTAINING)
    throw badParameter(`at most ${MAX_CONTAINING} texts can be looked for at once`);
  if (parts.some((part) => Buffer.byteLength(part) > MAX_INDEX_KEY_BYTES))
    throw badParameter(`a text to look for can have at most ${MAX_INDEX_KEY_BYTES} bytes`);
  const text = textOf(kind, indexes);
  if (!text) throw badParameter(`kind "${kind}" has no text to look in`);
  return { index: text.name, parts };
}

const higher = (a: string, b: string): string => (compareKeys(a, b) >= 0 ? a : b);

function lower(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compareKeys(a, b) <= 0 ? a : b;
}

/**
 * Compares as UTF-8 bytes would, which is by code point; JavaScript's own order is by UTF-16 unit
 * and puts U+E000…U+FFFF after the characters beyond them.
 */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    return isSurrogate(x) === isSurrogate(y) ? x - y : isSurrogate(x) ? 1 : -1;
  }
  return a.length - b.length;
}

const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdfff;

/** The first key above every key that starts with `prefix`; none when there is no such key. */
export function prefixEnd(prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => character.codePointAt(0)!);
  while (points.at(-1) === 0x10ffff) points.pop();
  const last = points.pop();
  if (last === undefined) return undefined;
  return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
}

export const isWithin = ({ from, to }: Range, key: string): boolean =>
  compareKeys(key, from) >= 0 && (to === undefined || compareKeys(key, to) < 0);

/** The order of a listing that ascends. */
export const compareCursors = (a: Cursor, b: Cursor): number =>
  compareKeys(a.key, b.key) || compareKeys(a.name, b.name);

export function isAfter(range: Range, cursor: Cursor): boolean {
  if (!range.after) return true;
  const order = compareCursors(cursor, range.after);
  return range.descending ? order < 0 : order > 0;
}

export function writeCursor(cursor: Cursor): string {
  return Buffer.from(JSON.stringify([cursor.key, cursor.name])).toString("base64url");
}

function readCursor(text: string): Cursor {
  try {
    const [key, name]: unknown[] = JSON.parse(Buffer.from(text, "base64url").toString());
    if (typeof key === "string" && typeof name === "string") return { key, name };
  } catch {
    // Falls through to the one refusal.
  }
  throw badParameter(`"${text}" is not a page token; use "next" of the page before, unchanged`);
}
