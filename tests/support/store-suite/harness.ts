import assert from "node:assert/strict";
import { codeOf, type Clock, type ErrorCode } from "#base/kernel";
import type { Change, IndexDefinition, Item, JsonObject, Store, Write } from "#base/storage";
import { ManualClock } from "#testing/clock";

export interface StoreOptions {
  readonly clock: Clock;
  readonly indexes: readonly IndexDefinition[];
  readonly feedLength?: number;
}

export interface OpenedStore extends AsyncDisposable {
  readonly store: Store;
  /** Closes the store and opens what it left; only a durable one has left anything. */
  reopen(changes?: Partial<StoreOptions>): Promise<Store>;
}

export interface StoreKind {
  readonly name: string;
  readonly durable: boolean;
  /** Opens an empty store, which disposal removes. */
  open(options: StoreOptions): Promise<OpenedStore>;
}

/**
 * Documents of kind `doc` are found by each of their tags, by their rank, if they have one, and by
 * parts of their words, which are counted too.
 */
export const indexes: readonly IndexDefinition[] = [
  { kind: "doc", name: "tag", version: 1, key: ({ tags }) => strings(tags) },
  { kind: "doc", name: "rank", version: 1, key: ({ rank }) => strings([rank]) },
  { kind: "doc", name: "word", version: 1, use: "counted", key: ({ words }) => strings(words) },
  {
    kind: "doc",
    name: "text",
    version: 1,
    use: "text",
    key: ({ words }) => textOf(strings(words)),
  },
];

/** As a list, since a document may have no text. */
export const textOf = (words: readonly string[]): readonly string[] =>
  words.length === 0 ? [] : [words.join("\n")];

export const strings = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((part) => typeof part === "string") : [];

export interface Bench extends AsyncDisposable {
  readonly clock: ManualClock;
  readonly opened: OpenedStore;
  readonly store: Store;
}

export async function open(
  kind: StoreKind,
  changes: Partial<StoreOptions> & { clock?: ManualClock } = {},
): Promise<Bench> {
  const clock = changes.clock ?? new ManualClock();
  const opened = await kind.open({ indexes, ...changes, clock });
  return {
    clock,
    opened,
    store: opened.store,
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

type Valued = "create" | "put";

/** A write of the kind `doc`. */
export const write = (
  op: Valued,
  name: string,
  value: JsonObject = {},
  expires?: number,
): Write => ({ op, kind: "doc", name, value, ...(expires === undefined ? {} : { expires }) });

export const update = (name: string, revision: string, value: JsonObject = {}): Write => ({
  op: "update",
  kind: "doc",
  name,
  revision,
  value,
});

export const remove = (name: string, revision?: string): Write => ({
  op: "delete",
  kind: "doc",
  name,
  ...(revision === undefined ? {} : { revision }),
});

export const check = (name: string, revision: string | null): Write => ({
  op: "check",
  kind: "doc",
  name,
  revision,
});

export async function refused(work: Promise<unknown>, code: ErrorCode): Promise<Error> {
  try {
    await work;
  } catch (error) {
    assert.equal(codeOf(error), code, String(error));
    assert.ok(error instanceof Error);
    return error;
  }
  throw new assert.AssertionError({ message: `expected a refusal with ${code}` });
}

export async function revisionOf(store: Store, name: string): Promise<string> {
  const item = await store.get("doc", name);
  assert.ok(item, `doc "${name}" is missing`);
  return item.revision;
}

/** The next `count` changes of a feed, which is then left. */
export async function take(feed: AsyncIterable<Change>, count: number): Promise<Change[]> {
  const changes: Change[] = [];
  if (count === 0) return changes;
  for await (const change of feed) if (changes.push(change) === count) break;
  return changes;
}

export const namesOf = (items: readonly { readonly name: string }[]): string[] =>
  items.map((item) => item.name);

/** Deletes every document, and gives the position after it: cheaper than a new store for each run. */
export async function clear(store: Store): Promise<number> {
  const items = await all(store, { kind: "doc" });
  if (items.length > 0) await store.commit(items.map(({ name }) => remove(name)));
  return store.position();
}

/** All items of a listing, page by page; `between` runs after each page. */
export async function all(
  store: Store,
  query: Parameters<Store["list"]>[0],
  between: () => Promise<unknown> = () => Promise.resolve(),
): Promise<Item[]> {
  const items: Item[] = [];
  for (let after: string | undefined; ;) {
    const page = await store.list(after === undefined ? query : { ...query, after });
    items.push(...page.items);
    if (page.next === undefined) return items;
    after = page.next;
    await between();
  }
}
