import { badParameter } from "#base/kernel";

/** Deeper nesting is no configuration, and would exhaust the stack. */
export const MAX_DEPTH = 64;

/** Where a value was written, as a fault names it. */
export interface Place {
  /** `tbot.yaml:3:5`, `--listen`, `TBOT_API_SOCKET`; empty when the value came from a program. */
  readonly text: string;
  /** The place already names the value (a flag does), so that the path would only repeat it. */
  readonly named?: boolean;
  /** Position in the source: faults are reported in this order. */
  readonly order: number;
  /** Of a text, both from 1. */
  readonly line?: number;
  readonly column?: number;
}

export type Path = readonly (string | number)[];

/** A parsed value that still knows where each of its parts was written. */
export type Tree = ScalarTree | ListTree | MapTree;

export interface ScalarTree {
  readonly kind: "scalar";
  readonly place: Place;
  readonly value: unknown;
  /** Never to be quoted in a fault. */
  readonly secret?: boolean;
  /** All that would have been understood, where the value was not: for a suggestion. */
  readonly words?: readonly string[];
}

export interface ListTree {
  readonly kind: "list";
  readonly place: Place;
  readonly items: readonly Tree[];
}

export interface MapTree {
  readonly kind: "map";
  readonly place: Place;
  /** By the name that the schema knows, once aliases are resolved. */
  readonly entries: ReadonlyMap<string, Entry>;
  /** Where a value below this map would be written that is not there. */
  readonly absent?: (path: Path) => Place | undefined;
}

export interface Entry {
  /** The name as it was written. */
  readonly written: string;
  readonly place: Place;
  readonly value: Tree;
}

export const nowhere: Place = { text: "", order: 0 };

/** A value that a program made or that JSON carried: faults name only the path. */
export function valueTree(value: unknown, place: Place = nowhere, depth = 0): Tree {
  if (depth > MAX_DEPTH) throw badParameter(`a value is nested over ${MAX_DEPTH} levels deep`);
  if (Array.isArray(value))
    return { kind: "list", place, items: value.map((item) => valueTree(item, place, depth + 1)) };
  if (!isRecord(value)) return { kind: "scalar", place, value };
  const written = Object.entries(value).filter(([, item]) => item !== undefined);
  const entries = written.map(
    ([key, item]) =>
      [key, { written: key, place, value: valueTree(item, place, depth + 1) }] as const,
  );
  return { kind: "map", place, entries: new Map(entries) };
}

/** The value without its places. */
export function plainOf(tree: Tree): unknown {
  if (tree.kind === "scalar") return tree.value;
  if (tree.kind === "list") return tree.items.map(plainOf);
  return Object.fromEntries([...tree.entries].map(([key, entry]) => [key, plainOf(entry.value)]));
}

/** `over` wins: maps merge name by name, lists and scalars are replaced whole. */
export function mergeTrees(base: Tree, over: Tree): Tree {
  if (base.kind !== "map" || over.kind !== "map") return over;
  const entries = new Map(base.entries);
  for (const [key, entry] of over.entries) {
    const below = entries.get(key);
    entries.set(key, below ? { ...entry, value: mergeTrees(below.value, entry.value) } : entry);
  }
  return { ...base, entries };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" &&
  value !== null &&
  [Object.prototype, null].includes(Object.getPrototypeOf(value));
