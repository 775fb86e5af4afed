/**
 * The contract of every store. Its only write is `commit`, an atomic batch of conditional writes
 * that is durable before it answers; every committed batch appears once, in order, in the change
 * feed. Implementations: `memory.ts`, `sqlite.ts`. The suite in `tests/support/store-suite.ts`
 * belongs to this interface.
 */

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };
export type JsonObject = { readonly [key: string]: Json | undefined };

/** One stored document. `kind` and `name` are its key; both are non-empty, at most 512 UTF-8 bytes. */
export interface Item {
  readonly kind: string;
  readonly name: string;
  readonly value: JsonObject;
  /** Changes with every write of this item; opaque; never reused for this key. */
  readonly revision: string;
  /** Milliseconds since the epoch. An expired item is invisible to reads at once, and a `delete` of it reaches the feed soon after. */
  readonly expires?: number;
}

/** What one write of a batch does, and the condition under which the whole batch holds. */
export type Write =
  /** Fails with `already_exists` when a live item has this key. */
  | {
      readonly op: "create";
      readonly kind: string;
      readonly name: string;
      readonly value: JsonObject;
      readonly expires?: number;
    }
  /** Fails with `compare_failed` unless the item exists at exactly `revision`. */
  | {
      readonly op: "update";
      readonly kind: string;
      readonly name: string;
      readonly revision: string;
      readonly value: JsonObject;
      readonly expires?: number;
    }
  /** Creates or replaces. */
  | {
      readonly op: "put";
      readonly kind: string;
      readonly name: string;
      readonly value: JsonObject;
      readonly expires?: number;
    }
  /** Fails with `not_found` when absent, or `compare_failed` when `revision` is given and differs. */
  | {
      readonly op: "delete";
      readonly kind: string;
      readonly name: string;
      readonly revision?: string;
    }
  /** Writes nothing: fails with `compare_failed` unless the item is at `revision` (`null`: absent). */
  | {
      readonly op: "check";
      readonly kind: string;
      readonly name: string;
      readonly revision: string | null;
    };

export interface Committed {
  /** Position of the batch's last change in the feed; grows by one or more with each commit. */
  readonly position: number;
  /** The new revision of each write of the batch, in order; `undefined` for deletes and checks. */
  readonly revisions: readonly (string | undefined)[];
}

export interface Change {
  /** Its own, so that a reader may resume after any change; those of one batch follow each other. */
  readonly position: number;
  readonly op: "put" | "delete";
  readonly kind: string;
  readonly name: string;
  /** The item as written; absent for `delete`. */
  readonly item?: Item;
}

/**
 * What a store derives from the documents of one kind. `key` gives the keys of a document (none: it
 * is not in this index). Raise `version` whenever `key` changes: the store rebuilds the index when
 * it opens. A write that leaves a key as it is costs nothing for it.
 */
export interface IndexDefinition {
  readonly kind: string;
  readonly name: string;
  readonly version: number;
  /** Absent: `sorted`. */
  readonly use?: IndexUse;
  readonly key: (
    value: JsonObject,
    item: { readonly name: string; readonly expires?: number },
  ) => readonly string[];
}

/**
 * `sorted`: lists, ranges and counts, keys compared as UTF-8 bytes. `counted`: only how many items
 * have each key, which `tally` tells at once. `text`: at most one of a kind, and one key of a
 * document: what `containing` looks in.
 */
export type IndexUse = "sorted" | "counted" | "text";

export interface ListQuery {
  readonly kind: string;
  /** Sorts and ranges over this index, equal keys by name; without it, over names. An item appears once for each of its keys in the range. */
  readonly index?: string;
  /** Only keys that start with this. */
  readonly prefix?: string;
  /** Only keys from here on, inclusive. */
  readonly from?: string;
  /** Only keys below this, exclusive. */
  readonly to?: string;
  readonly order?: "ascending" | "descending";
  /**
   * Only items whose text contains each of these, character by character (NUL counts as a space). A page may then be short,
   * even empty, while there is a `next`: no call looks at more than a bounded part of a kind.
   */
  readonly containing?: readonly string[];
  /** At most this many items: default 100, at most 1,000 (`MAX_PAGE`). */
  readonly limit?: number;
  /** `next` of the page before. Paging by it neither repeats nor skips an item that stays in place. */
  readonly after?: string;
}

export interface CountQuery extends Pick<ListQuery, "kind" | "index" | "prefix" | "from" | "to"> {
  /** `key`: an item of an index counts once for each of its keys in the range, which is several times faster; default `item`. */
  readonly each?: "item" | "key";
}

export interface TallyQuery {
  readonly kind: string;
  readonly index: string;
  /** 1 to `MAX_PAGE`; default 100. */
  readonly limit?: number;
}

export interface Tally {
  readonly key: string;
  readonly count: number;
}

export interface Page {
  readonly items: readonly Item[];
  /** Present when there may be more. */
  readonly next?: string;
}

export interface Store extends AsyncDisposable {
  get(kind: string, name: string): Promise<Item | undefined>;
  list(query: ListQuery): Promise<Page>;
  /** How many live items a kind has, or a range of its names or of one of its indexes. */
  count(query: CountQuery): Promise<number>;
  /** How many live items have each key of a `counted` index: the most frequent first, at most `limit`. */
  tally(query: TallyQuery): Promise<readonly Tally[]>;
  /**
   * Commits all writes or none. Rejects with the code of the first condition that failed (message
   * names kind and name), `limit_exceeded` for more than 1,000 writes or a value over 1 MiB, and
   * `unavailable` when the disk refuses (full, gone): then nothing of the batch is kept.
   */
  commit(writes: readonly Write[]): Promise<Committed>;
  /**
   * Changes of the given kinds (all, when absent) after `after` (default: from now), in order and
   * without a gap, until the signal aborts. Rejects with `compare_failed` when `after` is older than
   * the feed still holds: list again, then watch from the position that `position()` gave before.
   */
  watch(options: {
    readonly kinds?: readonly string[];
    readonly after?: number;
    readonly signal: AbortSignal;
  }): AsyncIterable<Change>;
  /** The position of the newest commit. */
  position(): Promise<number>;
}

/** A store that can be copied while it is in use. */
export interface BackedUpStore extends Store {
  /**
   * Writes all that is committed now to a new file (0600), which a store of the same kind opens.
   * Rejects with `already_exists` when there is such a file, and with what the file system answers.
   */
  backup(file: string): Promise<{ readonly bytes: number }>;
}

/** A page that is parsed within a millisecond or two: a longer one would hold the event loop. */
export const MAX_PAGE = 1_000;
export const DEFAULT_PAGE = 100;
/** One batch holds the disk for all others; a thousand writes take some milliseconds. */
export const MAX_WRITES = 1_000;
/** Documents are configuration and records, not files. */
export const MAX_VALUE_BYTES = 1024 * 1024;
export const MAX_KEY_BYTES = 512;
/** A sort key may join several fields; beyond this it would crowd an index page. */
export const MAX_INDEX_KEY_BYTES = 2_048;
export const MAX_INDEX_KEYS = 1_000;
/** A person types one, and a filter adds a few. */
export const MAX_CONTAINING = 20;
/** Minutes of a busy cluster: a reader that was away for a restart resumes, one that was away for a day lists again. */
export const MAX_FEED = 20_000;
export const MAX_FEED_BYTES = 64 * 1024 * 1024;
