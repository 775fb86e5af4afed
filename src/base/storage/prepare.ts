import { badParameter, limitExceeded } from "#base/kernel";
import {
  MAX_INDEX_KEY_BYTES,
  MAX_INDEX_KEYS,
  MAX_KEY_BYTES,
  MAX_VALUE_BYTES,
  MAX_WRITES,
  type IndexDefinition,
  type JsonObject,
  type Write,
} from "./store.ts";

/** A document with its place in one index. */
export type IndexKey = readonly [index: string, key: string];

/** A write whose document is checked, serialized and indexed: all that a store has to put away. */
export type Prepared =
  | Exclude<Write, { value: JsonObject }>
  | {
      readonly op: "create" | "update" | "put";
      readonly kind: string;
      readonly name: string;
      readonly revision?: string;
      readonly json: string;
      readonly expires?: number;
      readonly keys: readonly IndexKey[];
    };

/** The indexes of a store, by kind. */
export type Indexes = ReadonlyMap<string, readonly IndexDefinition[]>;

export function groupIndexes(definitions: readonly IndexDefinition[]): Indexes {
  const byKind = Map.groupBy(definitions, (definition) => definition.kind);
  for (const [kind, group] of byKind) {
    const names = new Set(group.map((definition) => definition.name));
    if (names.size < group.length) throw badParameter(`kind "${kind}" has two indexes of one name`);
    if (group.filter(({ use }) => use === "text").length > 1)
      throw badParameter(`kind "${kind}" has two texts`);
  }
  return byKind;
}

/** Checks the limits of a batch and takes a copy of it, so that later changes by the caller do no harm. */
export function prepare(writes: readonly Write[], indexes: Indexes): readonly Prepared[] {
  if (writes.length === 0) throw badParameter("a commit needs at least one write");
  if (writes.length > MAX_WRITES) {
    throw limitExceeded(`a commit holds at most ${MAX_WRITES} writes, this one ${writes.length}`);
  }
  return writes.map((write) => prepareWrite(write, indexes));
}

function prepareWrite(write: Write, indexes: Indexes): Prepared {
  checkKey("kind", write.kind);
  checkKey("name", write.name);
  if (!("value" in write)) return { ...write };
  const { value, ...rest } = write;
  const json = JSON.stringify(value);
  if (Buffer.byteLength(json) > MAX_VALUE_BYTES) {
    throw limitExceeded(
      `${write.kind} "${write.name}" takes ${Buffer.byteLength(json)} bytes; at most ${MAX_VALUE_BYTES} are kept`,
    );
  }
  if (write.expires !== undefined && !Number.isSafeInteger(write.expires)) {
    throw badParameter(
      `${write.kind} "${write.name}" expires at "${write.expires}"; give whole milliseconds since 1970`,
    );
  }
  return { ...rest, json, keys: indexKeys(indexes, write, value) };
}

/** The places of one document in all indexes of its kind, each once. */
export function indexKeys(
  indexes: Indexes,
  item: { readonly kind: string; readonly name: string; readonly expires?: number },
  value: JsonObject,
): readonly IndexKey[] {
  const keys = (indexes.get(item.kind) ?? []).flatMap((index) => {
    const form = index.use === "text" ? asText : (key: string): string => key.toWellFormed();
    return [...new Set(index.key(value, item).map(form))].map((key): IndexKey => [index.name, key]);
  });
  if (keys.length > MAX_INDEX_KEYS) {
    throw limitExceeded(
      `${item.kind} "${item.name}" has ${keys.length} index keys; at most ${MAX_INDEX_KEYS} are kept`,
    );
  }
  const text = textOf(item.kind, indexes)?.name;
  const tooLong = keys.find(([index, key]) => Buffer.byteLength(key) > limitOf(index === text));
  if (tooLong) {
    const [index] = tooLong;
    throw limitExceeded(
      `${item.kind} "${item.name}" has a key in index "${index}" of over ${limitOf(index === text)} bytes`,
    );
  }
  if (keys.filter(([index]) => index === text).length > 1)
    throw limitExceeded(`${item.kind} "${item.name}" has more than one text`);
  return keys;
}

const limitOf = (isText: boolean): number => (isText ? MAX_VALUE_BYTES : MAX_INDEX_KEY_BYTES);

/** SQLite's trigrams end at a NUL. */
export const asText = (text: string): string => text.toWellFormed().replaceAll("\0", " ");

/** What `containing` looks in. */
export const textOf = (kind: string, indexes: Indexes): IndexDefinition | undefined =>
  indexes.get(kind)?.find(({ use }) => use === "text");

function checkKey(what: string, key: string): void {
  if (key.length === 0) throw badParameter(`the ${what} of a stored item must not be empty`);
  if (!key.isWellFormed()) throw badParameter(`the ${what} "${key}" is not well-formed Unicode`);
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) {
    throw limitExceeded(
      `the ${what} "${key.slice(0, 40)}…" is longer than ${MAX_KEY_BYTES} bytes of UTF-8`,
    );
  }
}
