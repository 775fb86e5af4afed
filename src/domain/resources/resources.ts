import { didYouMean } from "#base/config";
import { badParameter, notFound, type CodedError } from "#base/kernel";
import { MAX_PAGE, type Item, type ListQuery, type Store, type Tally } from "#base/storage";
import { fromItem } from "./document.ts";
import type { Kind } from "./kind.ts";
import { kinds, type AnyResource, type KindName, type ResourceOf } from "./kinds.ts";
import { listPage, type ListOptions, type ResourcePage } from "./listing.ts";
import { PageTokens } from "./page-token.ts";

/** Part of a kind, in the order of one of its indexes (or of names). */
export type RangeOptions = Pick<ListQuery, "index" | "prefix" | "from" | "to">;

/** The documents whose key in an index is exactly this. */
export const exactly = (index: string, key: string): RangeOptions => ({
  index,
  from: key,
  to: `${key}\0`,
});

/** Typed reading of the documents in a store. Writing is `store.commit` of `writeOf` and `deleteOf`. */
export class Resources {
  readonly #store: Store;
  readonly #tokens: PageTokens;

  constructor(store: Store) {
    this.#store = store;
    this.#tokens = new PageTokens(store);
  }

  async get<K extends KindName>(kind: K, name: string): Promise<ResourceOf<K> | undefined> {
    const item = await this.#store.get(kind, name);
    return item && typed<K>(item);
  }

  /** Rejects with `not_found`, which offers the nearest names. For callers who may see names. */
  async require<K extends KindName>(kind: K, name: string): Promise<ResourceOf<K>> {
    const found = await this.get(kind, name);
    if (found) return found;
    throw await this.missing(kind, name);
  }

  /** `not_found`; with `suggest`, for those who may see names, it offers the nearest. */
  async missing(kind: KindName, name: string, suggest = true): Promise<CodedError> {
    const hint = suggest ? didYouMean(name, await this.names(kind)) : "";
    return notFound(`there is no ${kind} "${name}"${hint}`);
  }

  /** The first `MAX_PAGE` names of a kind, without secret ones: what suggestions are made from. */
  async names(kind: KindName): Promise<readonly string[]> {
    const page = await this.#store.list({ kind, limit: MAX_PAGE });
    return page.items
      .filter((item) => !kindOf(kind).hasSecretName(fromItem(item)))
      .map((item) => item.name);
  }

  async list<K extends KindName>(
    kind: K,
    options: ListOptions = {},
  ): Promise<ResourcePage<ResourceOf<K>>> {
    const page = await this.listAny(kind, options, (resource) => resource);
    return page as ResourcePage<ResourceOf<K>>;
  }

  /** A page of a kind that is known only now. `view` is what the reader may see: filters see no more. */
  listAny(
    kind: KindName,
    options: ListOptions,
    view: (resource: AnyResource) => AnyResource,
  ): Promise<ResourcePage<AnyResource>> {
    const [store, tokens] = [this.#store, this.#tokens];
    return listPage({ store, tokens, kind: kindOf(kind), options, view });
  }

  count(kind: KindName): Promise<number> {
    return this.#store.count({ kind });
  }

  /** How many documents have each value of a field; `bad_parameter` for one that is not counted. */
  async tally(kind: KindName, field: string): Promise<readonly Tally[]> {
    const counted = kindOf(kind).indexes.filter(({ use }) => use === "counted");
    const allowed = counted.map(({ name }) => name);
    if (allowed.includes(field)) return await this.#store.tally({ kind, index: field });
    throw badParameter(
      `"${field}" is not counted of ${kind}; allowed: ${allowed.join(", ") || "none"}${didYouMean(field, allowed)}`,
    );
  }

  /** The first documents in the range, at most `count`. */
  async first<K extends KindName>(
    kind: K,
    count: number,
    range: RangeOptions = {},
  ): Promise<readonly ResourceOf<K>[]> {
    const limit = Math.min(count, MAX_PAGE);
    const { items } = await this.#store.list({ kind, ...range, limit });
    return items.map((item) => typed<K>(item));
  }

  /** Every document in the range, read page by page. */
  async *all<K extends KindName>(
    kind: K,
    range: RangeOptions = {},
  ): AsyncGenerator<ResourceOf<K>, void, undefined> {
    let after: string | undefined;
    do {
      const page = await this.#store.list({
        kind,
        ...range,
        limit: MAX_PAGE,
        ...(after ? { after } : {}),
      });
      for (const item of page.items) yield typed<K>(item);
      after = page.next;
    } while (after);
  }
}

const typed = <K extends KindName>(item: Item): ResourceOf<K> => fromItem(item) as ResourceOf<K>;

// A kind takes only its own documents; the store never hands it another's.
const kindOf = (kind: KindName): Kind<AnyResource> => kinds[kind] as unknown as Kind<AnyResource>;
