import { badParameter } from "#base/kernel";
import { MAX_PAGE, type Item, type Json, type ListQuery, type Store } from "#base/storage";
import { z } from "zod";
import { fromItem, type AnyResource } from "./document.ts";
import { filterOf, type Filter } from "./filter.ts";
import type { Kind } from "./kind.ts";
import { didYouMean } from "./near.ts";
import type { PageTokens } from "./page-token.ts";

export const DEFAULT_PAGE = 100;
/** A filter that matches nothing must not read a whole kind in one call: the page ends here, with a token. */
export const MAX_EXAMINED = 5_000;
/** How many documents a filtered listing reads at once: much larger would waste the rest of the last read. */
const CHUNK = 250;

export interface ListOptions extends Filter {
  /** `name`, or a sortable field of the kind. */
  readonly sort?: string;
  readonly descending?: boolean;
  /** 0 or absent: `DEFAULT_PAGE`; at most `MAX_PAGE` of the store. A page may be shorter, even empty. */
  readonly pageSize?: number;
  readonly pageToken?: string;
}

export interface ResourcePage<R> {
  readonly resources: readonly R[];
  /** Present when there may be more. */
  readonly nextPageToken?: string;
}

/** Where a listing goes on: at a page of the store, past the item with these sort keys. */
const cursorSchema = z.object({
  after: z.string().optional(),
  past: z.tuple([z.string(), z.string()]).optional(),
});
type Cursor = z.infer<typeof cursorSchema>;

export interface Listing {
  readonly store: Store;
  readonly tokens: PageTokens;
  readonly kind: Kind<AnyResource>;
  readonly options: ListOptions;
  /** What the reader may see of a document; filters see no more. */
  readonly view: (resource: AnyResource) => AnyResource;
}

export async function listPage(listing: Listing): Promise<ResourcePage<AnyResource>> {
  const { options, tokens } = listing;
  const binding = bindingOf(listing);
  const size = pageSizeOf(options.pageSize ?? 0);
  const start = options.pageToken ? await tokens.open(options.pageToken, binding) : {};
  const { resources, cursor } = await collect(listing, size, cursorSchema.parse(start));
  return cursor ? { resources, nextPageToken: await tokens.seal(cursor, binding) } : { resources };
}

function bindingOf({ kind, options }: Listing): Json {
  const sorted = (record: Readonly<Record<string, string>> = {}): Json =>
    Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
  const { search = "", sort = "", descending = false } = options;
  return [kind.kind, search, sorted(options.labels), sorted(options.fields), sort, descending];
}

export function pageSizeOf(asked: number): number {
  if (Number.isInteger(asked) && asked >= 0 && asked <= MAX_PAGE) return asked || DEFAULT_PAGE;
  throw badParameter(`page size ${asked} is not allowed; ask for 1 to ${MAX_PAGE}`);
}

interface Collected {
  readonly resources: AnyResource[];
  readonly cursor?: Cursor;
}

async function collect(listing: Listing, size: number, start: Cursor): Promise<Collected> {
  const range = rangeOf(listing.kind, listing.options);
  const wanted = filterOf(listing.kind, listing.options) ?? (() => true);
  const chunk = range.complete ? size : Math.max(CHUNK, size);
  const resources: AnyResource[] = [];
  let { after, past } = start;
  const cursor = (): Cursor => ({ ...(after ? { after } : {}), ...(past ? { past } : {}) });
  for (let examined = 0; examined < MAX_EXAMINED; examined += chunk) {
    const page = await listing.store.list({
      ...range.query,
      limit: chunk,
      ...(after ? { after } : {}),
    });
    for (const item of page.items) {
      const key = range.keyOf(item);
      if (past && !range.isAfter([key, item.name], past)) continue;
      if (resources.length === size) return { resources, cursor: cursor() };
      const resource = listing.view(fromItem(item));
      past = [key, item.name];
      if (wanted(resource)) resources.push(resource);
    }
    if (!page.next) return { resources };
    after = page.next;
    if (resources.length === size) break;
  }
  return { resources, cursor: cursor() };
}

interface Range {
  readonly query: ListQuery;
  /** No filter is left for the documents in the range. */
  readonly complete: boolean;
  keyOf(item: Item): string;
  isAfter(keys: readonly [string, string], past: readonly [string, string]): boolean;
}

/** The narrowest range of the store that holds all wanted documents in the wanted order. */
function rangeOf(kind: Kind<AnyResource>, options: ListOptions): Range {
  const { sort = "", descending = false } = options;
  const sign = descending ? -1 : 1;
  const order = descending ? "descending" : "ascending";
  const isAfter: Range["isAfter"] = (keys, past) =>
    sign * (compareUtf8(keys[0], past[0]) || compareUtf8(keys[1], past[1])) > 0;
  const base = { kind: kind.kind, order } as const;
  const complete = filterOf(kind, options) === undefined;
  if (sort && sort !== "name") {
    const key = indexNamed(kind, sortNamed(kind, sort))!;
    return {
      query: { ...base, index: sort },
      complete,
      isAfter,
      keyOf: (item) => key(item.value, item)[0] ?? "",
    };
  }
  const field = Object.entries(options.fields ?? {}).find(([name]) => indexNamed(kind, name));
  if (!field) return { query: base, complete, isAfter, keyOf: (item) => item.name };
  const [index, value] = field;
  const exactly = { index, from: value, to: `${value}\0` };
  return { query: { ...base, ...exactly }, complete: false, isAfter, keyOf: () => value };
}

const indexNamed = (kind: Kind<AnyResource>, name: string) =>
  kind.indexes.find((index) => index.name === name)?.key;

function sortNamed(kind: Kind<AnyResource>, sort: string): string {
  if (kind.sorts.includes(sort)) return sort;
  const allowed = ["name", ...kind.sorts];
  throw badParameter(
    `${kind.kind} cannot be sorted by "${sort}"; allowed: ${allowed.join(", ")}${didYouMean(sort, allowed)}`,
  );
}

/** The order of the store: UTF-8 bytes, which is not that of JavaScript's strings. */
const compareUtf8 = (a: string, b: string): number =>
  Buffer.compare(Buffer.from(a), Buffer.from(b));
