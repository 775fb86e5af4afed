import { CodedError, silentLogger, unavailable, type Clock } from "#base/kernel";
import { checkCondition } from "./conditions.ts";
import { Sweeper } from "./expiry.ts";
import { makeItem, type FeedEntry } from "./entries.ts";
import { Feed } from "./feed.ts";
import { groupIndexes, prepare, type IndexKey, type Indexes, type Prepared } from "./prepare.ts";
import {
  compareCursors,
  compareKeys,
  isAfter,
  isWithin,
  rangeOf,
  tallyLimit,
  writeCursor,
  type Cursor,
  type Range,
} from "./query.ts";
import {
  MAX_FEED,
  MAX_FEED_BYTES,
  type Committed,
  type CountQuery,
  type IndexDefinition,
  type Item,
  type ListQuery,
  type Page,
  type Store,
  type Tally,
  type TallyQuery,
  type Write,
} from "./store.ts";

/** A store that lasts as long as the process: for tests, and the plain model of the others. */
export function openMemoryStore(options: {
  readonly clock: Clock;
  readonly indexes: readonly IndexDefinition[];
  /** How many changes the feed keeps; default `MAX_FEED`. */
  readonly feedLength?: number;
}): Store {
  return new MemoryStore(options);
}

interface Stored {
  readonly kind: string;
  readonly name: string;
  readonly json: string;
  readonly position: number;
  readonly expires?: number;
  readonly keys: readonly IndexKey[];
}

/** What a batch has written so far; `undefined` marks a delete. */
type Staged = Map<string, Stored | undefined>;

class MemoryStore implements Store {
  readonly #clock: Clock;
  readonly #indexes: Indexes;
  readonly #items = new Map<string, Stored>();
  readonly #feed: Feed;
  readonly #sweeper: Sweeper;
  #closed = false;

  constructor(options: Parameters<typeof openMemoryStore>[0]) {
    this.#clock = options.clock;
    this.#indexes = groupIndexes(options.indexes);
    const limits = { entries: options.feedLength ?? MAX_FEED, bytes: MAX_FEED_BYTES };
    this.#feed = new Feed({ position: 0, limits });
    this.#sweeper = new Sweeper({
      clock: options.clock,
      logger: silentLogger,
      sweep: (now) => Promise.resolve(this.#sweep(now)),
    });
  }

  async get(kind: string, name: string): Promise<Item | undefined> {
    this.#checkOpen();
    const stored = this.#live(keyOf(kind, name));
    return stored && makeItem(stored);
  }

  async list(query: ListQuery): Promise<Page> {
    this.#checkOpen();
    const range = rangeOf(query, this.#indexes);
    const entries = this.#entries(range).filter(({ cursor }) => isAfter(range, cursor));
    const sign = range.descending ? -1 : 1;
    entries.sort((a, b) => sign * compareCursors(a.cursor, b.cursor));
    const page = entries.slice(0, range.limit);
    const items = page.map(({ stored }) => makeItem(stored));
    return entries.length > page.length
      ? { items, next: writeCursor(page.at(-1)!.cursor) }
      : { items };
  }

  async count(query: CountQuery): Promise<number> {
    this.#checkOpen();
    const entries = this.#entries(rangeOf(query, this.#indexes));
    if (query.each === "key") return entries.length;
    return new Set(entries.map(({ stored }) => stored.name)).size;
  }

  async tally(query: TallyQuery): Promise<readonly Tally[]> {
    this.#checkOpen();
    const limit = tallyLimit(query, this.#indexes);
    const keys = [...this.#items.values()]
      .filter((stored) => stored.kind === query.kind && this.#visible(stored))
      .flatMap((stored) => keysOf(stored, query.index));
    const groups = Map.groupBy(keys, (key) => key);
    return [...groups]
      .map(([key, { length: count }]): Tally => ({ key, count }))
      .toSorted((a, b) => b.count - a.count || compareKeys(a.key, b.key))
      .slice(0, limit);
  }

  async commit(writes: readonly Write[]): Promise<Committed> {
    this.#checkOpen();
    const staged: Staged = new Map();
    const changes: FeedEntry[] = [];
    const start = this.#feed.position;
    const revisions = prepare(writes, this.#indexes).map((write) => {
      const change = this.#apply(write, staged, start + changes.length + 1);
      if (change) changes.push(change);
      return change?.op === "put" ? String(change.position) : undefined;
    });
    for (const [key, stored] of staged) this.#put(key, stored);
    const position = start + Math.max(changes.length, 1);
    this.#feed.append(changes, position);
    return { position, revisions };
  }

  watch(options: Parameters<Store["watch"]>[0]): ReturnType<Store["watch"]> {
    return this.#feed.watch(options);
  }

  async position(): Promise<number> {
    this.#checkOpen();
    return this.#feed.position;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#sweeper[Symbol.dispose]();
    this.#feed.close();
  }

  #apply(write: Prepared, staged: Staged, position: number): FeedEntry | undefined {
    const key = keyOf(write.kind, write.name);
    const current = staged.has(key) ? this.#visible(staged.get(key)) : this.#live(key);
    const failure = checkCondition(write, current && String(current.position));
    if (failure) throw new CodedError(failure.code, failure.message);
    const { kind, name } = write;
    if (write.op === "check") return undefined;
    if (write.op === "delete") {
      staged.set(key, undefined);
      return { position, op: "delete", kind, name };
    }
    const { json, keys, expires } = write;
    const expiry = expires === undefined ? {} : { expires };
    staged.set(key, { kind, name, json, keys, position, ...expiry });
    return { position, op: "put", kind, name, json, ...expiry };
  }

  #put(key: string, stored: Stored | undefined): void {
    if (!stored) {
      this.#items.delete(key);
      return;
    }
    this.#items.set(key, stored);
    this.#sweeper.note(stored.expires);
  }

  #live(key: string): Stored | undefined {
    return this.#visible(this.#items.get(key));
  }

  #visible(stored: Stored | undefined): Stored | undefined {
    return stored && (stored.expires ?? Infinity) > this.#clock.now() ? stored : undefined;
  }

  #entries(range: Range): { cursor: Cursor; stored: Stored }[] {
    return [...this.#items.values()]
      .filter((stored) => stored.kind === range.kind && this.#visible(stored))
      .filter((stored) => contains(stored, range.containing))
      .flatMap((stored) =>
        keysOf(stored, range.index)
          .filter((key) => isWithin(range, key))
          .map((key) => ({ cursor: { key, name: stored.name }, stored })),
      );
  }

  #sweep(now: number): number | undefined {
    const expiring = [...this.#items].filter(([, stored]) => stored.expires !== undefined);
    const due = expiring.filter(([, stored]) => stored.expires! <= now);
    const start = this.#feed.position;
    const changes = due.map(([key, { kind, name }], i): FeedEntry => {
      this.#items.delete(key);
      return { position: start + i + 1, op: "delete", kind, name };
    });
    if (changes.length > 0) this.#feed.append(changes, start + changes.length);
    const left = expiring.map(([, stored]) => stored.expires!).filter((at) => at > now);
    return left.length === 0 ? undefined : left.reduce((a, b) => Math.min(a, b));
  }

  #checkOpen(): void {
    if (this.#closed) throw unavailable("the store is closed");
  }
}

const keyOf = (kind: string, name: string): string => JSON.stringify([kind, name]);

const keysOf = (stored: Stored, index: string | undefined): readonly string[] =>
  index === undefined
    ? [stored.name]
    : stored.keys.filter(([name]) => name === index).map(([, key]) => key);

function contains(stored: Stored, containing: Range["containing"]): boolean {
  if (!containing) return true;
  const [text = ""] = keysOf(stored, containing.index);
  return containing.parts.every((part) => text.includes(part));
}
