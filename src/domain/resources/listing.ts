import { badParameter } from "#base/kernel";
import { didYouMean } from "#base/config";
import type { IndexDefinition, Item, Json, Store } from "#base/storage";
import { fromItem } from "./document.ts";
import { filterOf, type Filter } from "./filter.ts";
import { combinedName, combinedPrefix, type Kind } from "./kind.ts";
import type { AnyResource } from "./kinds.ts";
import type { PageTokens } from "./page-token.ts";
import { readPage, type PageRequest } from "./paging.ts";
import { partsOf } from "./text.ts";

export interface ListOptions extends Filter {
  /** `name`, or a sortable field of the kind. */
  readonly sort?: string;
  readonly descending?: boolean;
  readonly pageSize?: number;
  readonly pageToken?: string;
}

export interface ResourcePage<R> {
  readonly resources: readonly R[];
  /** Present when there may be more, even after an empty page. */
  readonly nextPageToken?: string;
}

export interface Listing {
  readonly store: Store;
  readonly tokens: PageTokens;
  readonly kind: Kind<AnyResource>;
  readonly options: ListOptions;
  /** What the reader may see of a document; filters see no more. */
  readonly view: (resource: AnyResource) => AnyResource;
}

export async function listPage(listing: Listing): Promise<ResourcePage<AnyResource>> {
  const { store, tokens, kind, options, view } = listing;
  const { values, ...rest } = await readPage({
    store,
    tokens,
    binding: bindingOf(listing),
    ...narrowed(kind, options),
    read: (item) => view(fromItem(item)),
    wanted: filterOf(kind, options),
    pageSize: options.pageSize,
    pageToken: options.pageToken,
  });
  return { resources: values, ...rest };
}

function bindingOf({ kind, options }: Listing): Json {
  const sorted = (record: Readonly<Record<string, string>> = {}): Json =>
    Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
  const { search = "", sort = "", descending = false } = options;
  return [kind.kind, search, sorted(options.labels), sorted(options.fields), sort, descending];
}

/** What is wanted, as far as the store can tell: a range in the wanted order, and parts of a text. */
function narrowed(kind: Kind<AnyResource>, options: ListOptions) {
  const { covered, range, keyOf } = rangeOf(kind, options);
  const fields = Object.entries(options.fields ?? {}).filter(([name]) => name !== covered);
  const wanted = partsOf(Object.keys(kind.fields), {
    ...options,
    fields: Object.fromEntries(fields),
  });
  const containing = kind.searched ? wanted.slice(0, MAX_PARTS) : [];
  return {
    range: containing.length > 0 ? { ...range, containing } : range,
    keyOf,
    narrow: containing.length === wanted.length,
  };
}

/** Enough to leave little to the filter, and fewer than the store looks for at once. */
const MAX_PARTS = 10;

interface KindRange extends Required<Pick<PageRequest<never>, "range" | "keyOf">> {
  /** The field to which the range holds by itself. */
  readonly covered?: string;
}

/** The narrowest range of the store that holds all wanted documents in the wanted order. */
function rangeOf(kind: Kind<AnyResource>, options: ListOptions): KindRange {
  const { sort = "", descending = false, fields = {} } = options;
  const base = { kind: kind.kind, order: descending ? "descending" : "ascending" } as const;
  const sorted = sort && sort !== "name" ? sortIndex(kind, sort) : undefined;
  for (const { name: index, key, use = "sorted" } of kind.indexes) {
    if (use !== "sorted") continue;
    const is = (field: string): boolean =>
      index === (sorted ? combinedName(field, sorted.name) : field);
    const covered = Object.keys(fields).find(is);
    if (covered === undefined) continue;
    const [from, to] = rangeOfValue(fields[covered]!, sorted !== undefined);
    const keyOf = (item: Item): string =>
      key(item.value, item).find((each) => each >= from && each < to) ?? from;
    return { range: { ...base, index, from, to }, keyOf, covered };
  }
  if (!sorted) return { range: base, keyOf: ({ name }) => name };
  const { name: index, key } = sorted;
  return { range: { ...base, index }, keyOf: (item) => key(item.value, item)[0] ?? "" };
}

const rangeOfValue = (value: string, isCombined: boolean): readonly [from: string, to: string] =>
  isCombined ? [combinedPrefix(value), `${value}\u0001`] : [value, `${value}\0`];

function sortIndex(kind: Kind<AnyResource>, sort: string): IndexDefinition {
  const index = kind.indexes.find(({ name }) => name === sort);
  if (index && kind.sorts.includes(sort)) return index;
  const allowed = ["name", ...kind.sorts];
  throw badParameter(
    `${kind.kind} cannot be sorted by "${sort}"; allowed: ${allowed.join(", ")}${didYouMean(sort, allowed)}`,
  );
}
