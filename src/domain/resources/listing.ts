import { badParameter } from "#base/kernel";
import { didYouMean } from "#base/config";
import type { IndexDefinition, Json, Store } from "#base/storage";
import { fromItem } from "./document.ts";
import { filterOf, type Filter } from "./filter.ts";
import type { Kind } from "./kind.ts";
import type { AnyResource } from "./kinds.ts";
import type { PageTokens } from "./page-token.ts";
import { readPage, type PageRequest } from "./paging.ts";

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
    ...rangeOf(kind, options),
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

type Range = Pick<PageRequest<never>, "range" | "keyOf">;

/** The narrowest range of the store that holds all wanted documents in the wanted order. */
function rangeOf(kind: Kind<AnyResource>, options: ListOptions): Range {
  const { sort = "", descending = false } = options;
  const base = { kind: kind.kind, order: descending ? "descending" : "ascending" } as const;
  if (sort && sort !== "name") {
    const { name, key } = sortIndex(kind, sort);
    return { range: { ...base, index: name }, keyOf: (item) => key(item.value, item)[0] ?? "" };
  }
  const fields = Object.entries(options.fields ?? {});
  const field = fields.find(([name]) => kind.indexes.some((index) => index.name === name));
  if (!field) return { range: base };
  const [index, value] = field;
  return { range: { ...base, index, from: value, to: `${value}\0` }, keyOf: () => value };
}

function sortIndex(kind: Kind<AnyResource>, sort: string): IndexDefinition {
  const index = kind.indexes.find(({ name }) => name === sort);
  if (index && kind.sorts.includes(sort)) return index;
  const allowed = ["name", ...kind.sorts];
  throw badParameter(
    `${kind.kind} cannot be sorted by "${sort}"; allowed: ${allowed.join(", ")}${didYouMean(sort, allowed)}`,
  );
}
