import type { Change, Item, JsonObject } from "./store.ts";

/** A change as it is kept: its document stays text until a reader wants it. */
export interface FeedEntry {
  readonly position: number;
  readonly op: "put" | "delete";
  readonly kind: string;
  readonly name: string;
  readonly json?: string;
  readonly expires?: number;
  /** Made for the first reader and shared by the others. */
  change?: Change;
}

/** About what it takes in memory. */
export const sizeOf = (entry: FeedEntry): number => (entry.json?.length ?? 0) + 200;

export function changeOf(entry: FeedEntry): Change {
  entry.change ??= makeChange(entry);
  return entry.change;
}

function makeChange({ position, op, kind, name, json, expires }: FeedEntry): Change {
  if (json === undefined) return { position, op, kind, name };
  return {
    position,
    op,
    kind,
    name,
    item: makeItem({ kind, name, json, position, ...(expires === undefined ? {} : { expires }) }),
  };
}

/** The revision of an item is the position of its last write: positions are never given twice. */
export function makeItem(stored: {
  readonly kind: string;
  readonly name: string;
  readonly json: string;
  readonly position: number;
  readonly expires?: number | null;
}): Item {
  const expires = stored.expires ?? undefined;
  return {
    kind: stored.kind,
    name: stored.name,
    value: JSON.parse(stored.json) as JsonObject,
    revision: String(stored.position),
    ...(expires === undefined ? {} : { expires }),
  };
}
