import { CodedError, unavailable } from "#base/kernel";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { makeItem, type FeedEntry } from "../entries.ts";
import { compareKeys, writeCursor, type Range } from "../query.ts";
import type { CountQuery, Item, Page, Tally, TallyQuery } from "../store.ts";
import { sqliteFailure } from "./failures.ts";
import { findPlaces, SEARCH_LIMITS, type Place, type SearchLimits } from "./containing.ts";
import { decodeKeys, KINDS } from "./keys.ts";
import type { IndexIds } from "./reindex.ts";
import type { Remembered } from "./remembered.ts";
import {
  countByIndex,
  countByName,
  countKeys,
  selectByIndex,
  selectByName,
  type Select,
} from "./select.ts";
import { ROWS_PER_TURN, Turns } from "./turns.ts";

interface ItemRow {
  readonly kind: string;
  readonly name: string;
  readonly position: number;
  readonly expires: number | null;
  readonly json: string;
  readonly key: string;
}

interface ChangeRow {
  readonly position: number;
  readonly kind: string;
  readonly name: string;
  readonly expires: number | null;
  readonly json: string | null;
}

/** A range that is counted is walked: some thousand entries a millisecond. */
const COUNT_ROWS = 250;
/** A page ends early beyond this, so that a thousand large documents do not fill the memory. */
const MAX_PAGE_CHARS = 8 * 1024 * 1024;

const GET = `SELECT kind, name, position, expires, value AS json FROM items
  WHERE kind = ? AND name = ?`;
const GET_BY_ID = `SELECT kind, name, position, expires, value AS json FROM items WHERE id = ?`;
/** Counts by name alone need a whole kind: these are kept. What is about to be swept is not live. */
const COUNT_KIND = `SELECT coalesce((SELECT n FROM tallies WHERE idx = ? AND key = ?), 0) -
  (SELECT count(*) FROM items WHERE +kind = ? AND expires <= ?) AS n`;
const TALLY = "SELECT key, n FROM tallies WHERE idx = ? ORDER BY n DESC, key LIMIT ?";
const EXPIRED = "SELECT keys FROM items WHERE +kind = ? AND expires <= ?";
const CHANGES = `SELECT position, kind, name, expires, value AS json FROM changes
  WHERE position > ? ORDER BY position LIMIT ?`;

/**
 * Reads on the main thread: under WAL a second connection sees every commit that the worker has
 * answered, without waiting for the one that it is at, and a `get` costs less than a message.
 */
export class Reader implements Disposable {
  readonly #db: DatabaseSync;
  readonly #ids: IndexIds;
  readonly #remembered: Remembered;
  readonly #limits: SearchLimits;
  readonly #turns = new Turns();
  readonly #statements = new Map<string, StatementSync>();

  constructor(
    file: string,
    ids: IndexIds,
    remembered: Remembered,
    limits: SearchLimits = SEARCH_LIMITS,
  ) {
    this.#limits = limits;
    this.#ids = ids;
    this.#remembered = remembered;
    this.#db = new DatabaseSync(file, { readOnly: true, timeout: 100 });
  }

  get(kind: string, name: string, now: number): Promise<Item | undefined> {
    return this.#turn(1, () => {
      const found = this.#remembered.find(kind, name);
      const item = found ? found.item : this.#read(kind, name);
      return item && (item.expires ?? Infinity) > now ? item : undefined;
    });
  }

  list(range: Range, now: number): Promise<Page> {
    if (range.containing) return this.#listContaining(range, now);
    return this.#turn(range.limit, () => {
      const idx = this.#idOf(range);
      const select = idx === undefined ? selectByName(range) : selectByIndex(range, idx);
      const { rows, cut } = this.#page(select, [now, range.limit + 1]);
      const page = (rows as ItemRow[]).slice(0, range.limit);
      const items = page.map(makeItem);
      if (!cut && rows.length <= range.limit) return { items };
      const { key, name } = page.at(-1)!;
      return { items, next: writeCursor({ key, name }) };
    });
  }

  count(range: Range, now: number, each: CountQuery["each"] = "item"): Promise<number> {
    const idx = this.#idOf(range);
    if (idx === undefined) return this.#turn(1, () => this.#number(countNames(range, now)));
    return this.#turn(COUNT_ROWS, () =>
      each === "item"
        ? this.#number(countByIndex(range, idx, now))
        : this.#number(countKeys(range, idx)) - this.#expiredKeys(range, idx, now),
    );
  }

  #number({ sql, values }: Select): number {
    return Number(this.#prepare(sql).get(...values)?.["n"]);
  }

  /** Keys in the range of what is about to be swept, and is not live. */
  #expiredKeys({ kind, from, to }: Range, idx: number, now: number): number {
    const gone = this.#prepare(EXPIRED).all(kind, now);
    const within = (key: string): boolean =>
      compareKeys(key, from) >= 0 && (to === undefined || compareKeys(key, to) < 0);
    return gone
      .flatMap(({ keys }) => decodeKeys(String(keys)))
      .filter(([of, key]) => of === idx && within(key)).length;
  }

  tally({ kind, index, limit }: Required<TallyQuery>, now: number): Promise<readonly Tally[]> {
    return this.#turn(limit, () => {
      const idx = this.#ids.get(kind)!.get(index)!;
      const expired = this.#prepare(EXPIRED).all(kind, now);
      const gone = expired.flatMap(({ keys }) => decodeKeys(String(keys)));
      const less = (key: string): number =>
        gone.filter(([of, its]) => of === idx && its === key).length;
      return this.#prepare(TALLY)
        .all(idx, limit)
        .map(({ key, n }) => ({ key: String(key), count: Number(n) - less(String(key)) }))
        .filter(({ count }) => count > 0)
        .toSorted((a, b) => b.count - a.count || compareKeys(a.key, b.key));
    });
  }

  /** `undefined` when some changes after `position` are gone. */
  changes(position: number, limit: number): Promise<readonly FeedEntry[] | undefined> {
    return this.#turn(limit, () => {
      const { rows } = this.#page({ sql: CHANGES, values: [] }, [position, limit]);
      // Asked after the rows, so that a cut between the two cannot hide a gap.
      return this.state().forgotten > position ? undefined : (rows as ChangeRow[]).map(entryOf);
    });
  }

  state(): { position: number; forgotten: number } {
    const row = this.#prepare("SELECT position, forgotten FROM state").get();
    return { position: Number(row?.["position"]), forgotten: Number(row?.["forgotten"]) };
  }

  nextExpiry(): number | undefined {
    const sql = "SELECT min(expires) AS next FROM items WHERE expires IS NOT NULL";
    const next = this.#prepare(sql).get()?.["next"];
    return typeof next === "number" ? next : undefined;
  }

  [Symbol.dispose](): void {
    this.#statements.clear();
    this.#db.close();
  }

  /** One turn of the loop for itself: it compares thousands of short texts. */
  #listContaining(range: Range, now: number): Promise<Page> {
    const { containing } = range;
    return this.#turn(ROWS_PER_TURN, () => {
      const [idx, text] = [this.#idOf(range), this.#ids.get(range.kind)!.get(containing!.index)!];
      const prepare = (sql: string): StatementSync => this.#prepare(sql);
      const search = { range, containing: containing!, idx, text, now, limits: this.#limits };
      const { places, next } = findPlaces(prepare, search);
      const items = this.#documents(places);
      const last = items.length < places.length ? places[items.length - 1] : next;
      return last ? { items, next: writeCursor(last) } : { items };
    });
  }

  /** Of these places, the first that fill a page. */
  #documents(places: readonly Place[]): readonly Item[] {
    const items: Item[] = [];
    let size = 0;
    for (const { id } of places) {
      if (size > MAX_PAGE_CHARS) return items;
      const row = this.#prepare(GET_BY_ID).get(id) as unknown as ItemRow;
      items.push(makeItem(row));
      size += row.json.length;
    }
    return items;
  }

  async #turn<T>(rows: number, read: () => T): Promise<T> {
    await this.#turns.take(rows);
    if (!this.#db.isOpen) throw unavailable("the store is closed");
    try {
      return read();
    } catch (error) {
      if (error instanceof CodedError) throw error;
      const { code, message, ...detail } = sqliteFailure(error);
      throw new CodedError(code, message, { ...detail, cause: error });
    }
  }

  /** Also one that has expired. */
  #read(kind: string, name: string): Item | undefined {
    const row = this.#prepare(GET).get(kind, name) as ItemRow | undefined;
    const item = row && makeItem(row);
    this.#remembered.keep(kind, name, item, row?.json.length ?? 0);
    return item;
  }

  /** The rows, and whether they were cut short for their size. */
  #page({ sql, values }: Select, rest: readonly number[]): { rows: unknown[]; cut: boolean } {
    const rows: unknown[] = [];
    let size = 0;
    for (const row of this.#prepare(sql).iterate(...values, ...rest)) {
      if (size > MAX_PAGE_CHARS) return { rows, cut: true };
      rows.push(row);
      size += String(row["json"] ?? "").length;
    }
    return { rows, cut: false };
  }

  #idOf({ kind, index }: Range): number | undefined {
    return index === undefined ? undefined : this.#ids.get(kind)!.get(index)!;
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, (statement = this.#db.prepare(sql)));
    return statement;
  }
}

function entryOf({ position, kind, name, expires, json }: ChangeRow): FeedEntry {
  if (json === null) return { position, op: "delete", kind, name };
  return { position, op: "put", kind, name, json, ...(expires === null ? {} : { expires }) };
}

function countNames(range: Range, now: number): Select {
  const { kind, from, to } = range;
  if (from !== "" || to !== undefined) return countByName(range, now);
  return { sql: COUNT_KIND, values: [KINDS, kind, kind, now] };
}
