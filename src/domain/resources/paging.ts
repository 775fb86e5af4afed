import { badParameter } from "#base/kernel";
import { MAX_PAGE, type Item, type Json, type ListQuery, type Store } from "#base/storage";
import * as z from "zod";
import type { PageTokens } from "./page-token.ts";

export const DEFAULT_PAGE = 100;
/** A filter that matches nothing must not read a whole kind in one call: the page ends here, with a token. */
export const MAX_EXAMINED = 5_000;
/** How many items a filtered page reads at once: with many more, most of the last read is wasted. */
const CHUNK = 250;

/** Of one look into the texts of a kind, which compares thousands of them without reading a document. */
const SEARCH_COST = 250;

/** One page of the items in a range that pass a filter. */
export interface PageRequest<T> {
  readonly store: Store;
  readonly tokens: PageTokens;
  /** Says all that decides which items come, and in which order: a page token is bound to it. */
  readonly binding: Json;
  readonly range: Omit<ListQuery, "limit" | "after">;
  /** The item's key in the range's index; default: its name, for a range of names. */
  readonly keyOf?: (item: Item) => string;
  readonly read: (item: Item) => T;
  readonly wanted?: ((value: T) => boolean) | undefined;
  /** The range holds hardly anything that is not wanted: no more need be read than is asked for. */
  readonly narrow?: boolean;
  /** 0 or absent: `DEFAULT_PAGE`; at most `MAX_PAGE` of the store. */
  readonly pageSize?: number | undefined;
  readonly pageToken?: string | undefined;
}

/** May be shorter than was asked for, even empty, while there is a token. */
export interface ReadPage<T> {
  readonly values: readonly T[];
  readonly nextPageToken?: string;
}

/** Where a listing goes on: at a page of the store, past the item with this key and name. */
const cursorSchema = z.object({
  after: z.string().optional(),
  past: z.tuple([z.string(), z.string()]).optional(),
});
type Cursor = z.infer<typeof cursorSchema>;

/** Neither repeats nor skips an item that stays in place, whatever is written between the pages. */
export async function readPage<T>(request: PageRequest<T>): Promise<ReadPage<T>> {
  const { tokens, binding, pageToken } = request;
  const size = pageSizeOf(request.pageSize ?? 0);
  const start = pageToken ? await tokens.open(pageToken, binding) : {};
  const { values, cursor } = await collect(request, size, cursorSchema.parse(start));
  return cursor ? { values, nextPageToken: await tokens.seal(cursor, binding) } : { values };
}

function pageSizeOf(asked: number): number {
  if (Number.isInteger(asked) && asked >= 0 && asked <= MAX_PAGE) return asked || DEFAULT_PAGE;
  throw badParameter(`page size "${asked}" is not allowed; ask for 1 to ${MAX_PAGE}`);
}

async function collect<T>(
  request: PageRequest<T>,
  size: number,
  start: Cursor,
): Promise<{ values: T[]; cursor?: Cursor }> {
  const { store, range, keyOf = nameOf, read, wanted, narrow = false } = request;
  const chunk = wanted && !narrow ? Math.max(CHUNK, size) : size;
  const cost = range.containing ? SEARCH_COST : chunk;
  const values: T[] = [];
  let { after, past } = start;
  const cursor = (): Cursor => ({ ...(after ? { after } : {}), ...(past ? { past } : {}) });
  for (let examined = 0; examined < MAX_EXAMINED && values.length < size; examined += cost) {
    const page = await store.list({ ...range, limit: chunk, ...(after ? { after } : {}) });
    for (const item of page.items) {
      const place = [keyOf(item), item.name] as const;
      if (past && !isPast(place, past, range.order)) continue;
      if (values.length === size) return { values, cursor: cursor() };
      past = [...place];
      const value = read(item);
      if (!wanted || wanted(value)) values.push(value);
    }
    if (!page.next) return { values };
    after = page.next;
  }
  return { values, cursor: cursor() };
}

const nameOf = (item: Item): string => item.name;

type Place = readonly [key: string, name: string];

function isPast(place: Place, past: Place, order: ListQuery["order"]): boolean {
  const difference = compareUtf8(place[0], past[0]) || compareUtf8(place[1], past[1]);
  return order === "descending" ? difference < 0 : difference > 0;
}

/** The order of the store: UTF-8 bytes, which is not that of JavaScript's strings. */
const compareUtf8 = (a: string, b: string): number =>
  Buffer.compare(Buffer.from(a), Buffer.from(b));
