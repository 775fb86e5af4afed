import type { z } from "zod";
import { formatPath, type Fault } from "./faults.ts";
import { fieldHomes } from "./homes.ts";
import { didYouMean, nearest } from "./nearest.ts";
import { shapeOf, type FieldMeta, type Shape } from "./shape.ts";
import type { Entry, MapTree, Path, ScalarTree, Tree } from "./tree.ts";

export interface Normalized {
  readonly tree: Tree;
  readonly faults: readonly Fault[];
  /** Paths of fields that a misspelt name was probably meant to be: not missed once more. */
  readonly meant: ReadonlySet<string>;
}

/** A list of allowed names longer than this helps nobody. */
const MAX_ALLOWED = 24;

/**
 * Gives every field and enum value the one name that the schema knows, whichever of its accepted
 * spellings was written, and takes out the fields that the schema does not know, each as a fault.
 */
export function normalize(tree: Tree, schema: z.core.$ZodType): Normalized {
  const walk: Walk = { root: schema, faults: [], meant: new Set() };
  return { tree: visit(tree, schema, [], walk), faults: walk.faults, meant: walk.meant };
}

interface Walk {
  readonly root: z.core.$ZodType;
  readonly faults: Fault[];
  readonly meant: Set<string>;
}

function visit(tree: Tree, schema: z.core.$ZodType, path: Path, walk: Walk): Tree {
  const shape = shapeOf(schema);
  const visited = visitShape(tree, shape, path, walk);
  return shape.meta.secret ? hidden(visited) : visited;
}

function visitShape(tree: Tree, shape: Shape, path: Path, walk: Walk): Tree {
  if (shape.type === "union") return visitUnion(tree, shape.options, path, walk);
  if (tree.kind === "map" && shape.type === "object") return visitObject(tree, shape, path, walk);
  if (tree.kind === "map" && shape.type === "choice") return visitChoice(tree, shape, path, walk);
  if (tree.kind === "map" && shape.type === "map") return visitMap(tree, shape.value, path, walk);
  if (tree.kind === "list" && shape.type === "list") {
    const items = tree.items.map((item, index) => visit(item, shape.item, [...path, index], walk));
    return { ...tree, items };
  }
  if (tree.kind === "scalar" && shape.type === "enum")
    return withKnownValue(tree, shape.values, shape.meta);
  return tree.kind === "scalar" && holdsSecret(shape) ? hidden(tree) : tree;
}

type ObjectShape = Extract<Shape, { type: "object" }>;
type ChoiceShape = Extract<Shape, { type: "choice" }>;

function visitObject(tree: MapTree, shape: ObjectShape, path: Path, walk: Walk): Tree {
  const entries = new Map<string, Entry>();
  for (const entry of tree.entries.values()) {
    const name = knownName(entry.written, shape);
    const field = name === undefined ? undefined : shape.fields.get(name);
    const at = [...path, entry.written];
    const earlier = name === undefined ? undefined : entries.get(name);
    if (earlier) {
      const problem = `is the same field as "${earlier.written}"; keep one of them`;
      walk.faults.push({ place: entry.place, path: formatPath(at), problem });
    } else if (name !== undefined && field)
      entries.set(name, { ...entry, value: visit(entry.value, field, at, walk) });
    else if (shape.open) entries.set(entry.written, entry);
    else walk.faults.push(unknownField(entry, shape, path, walk));
  }
  return { ...tree, entries };
}

function knownName(written: string, shape: ObjectShape): string | undefined {
  if (shape.fields.has(written)) return written;
  for (const [name, field] of shape.fields)
    if (shapeOf(field).meta.aliases?.includes(written)) return name;
  return undefined;
}

function unknownField(entry: Entry, shape: ObjectShape, path: Path, walk: Walk): Fault {
  const { written } = entry;
  const names = [...shape.fields.keys()];
  const homes = fieldHomes(walk.root, written);
  const near = nearest(written, names);
  if (near) walk.meant.add(formatPath([...path, near]));
  const hint =
    homes.length > 0 && !near
      ? `; it belongs in ${homes.join(" or ")}`
      : didYouMean(written, names);
  const problem = `unknown field${hint}${hint.endsWith("?") ? "" : ";"} ${allowedFields(names)}`;
  return { place: entry.place, path: formatPath([...path, written]), problem };
}

function allowedFields(names: readonly string[]): string {
  if (names.length === 0) return "no field is allowed here";
  const more = names.length > MAX_ALLOWED ? `, and ${names.length - MAX_ALLOWED} more` : "";
  return `allowed: ${names.slice(0, MAX_ALLOWED).join(", ")}${more}`;
}

function visitChoice(tree: MapTree, shape: ChoiceShape, path: Path, walk: Walk): Tree {
  const written = tree.entries.get(shape.by);
  if (written?.value.kind !== "scalar") return tree;
  const value = withKnownValue(written.value, [...shape.options.keys()], choiceMeta(shape));
  const entries = new Map(tree.entries).set(shape.by, { ...written, value });
  const option = shape.options.get(String(value.value));
  return option ? visit({ ...tree, entries }, option, path, walk) : { ...tree, entries };
}

/** The spellings that the options accept for their own discriminator. */
export function choiceMeta(shape: ChoiceShape): FieldMeta {
  const aliases = [...new Set(shape.options.values())].map((option) => {
    const inner = shapeOf(option);
    if (inner.type === "choice") return choiceMeta(inner).valueAliases;
    const field = inner.type === "object" ? inner.fields.get(shape.by) : undefined;
    return field && shapeOf(field).meta.valueAliases;
  });
  return { valueAliases: Object.assign({}, ...aliases) as Record<string, string> };
}

function visitMap(tree: MapTree, schema: z.core.$ZodType, path: Path, walk: Walk): Tree {
  const entries = new Map<string, Entry>();
  for (const [key, entry] of tree.entries) {
    const at = [...path, key];
    if (key === "__proto__") {
      // An object that took it would no longer be the one that was written.
      const problem = "is not allowed as a name";
      walk.faults.push({ place: entry.place, path: formatPath(at), problem });
    } else entries.set(key, { ...entry, value: visit(entry.value, schema, at, walk) });
  }
  return { ...tree, entries };
}

/** Takes the option that was most likely meant, so that its own faults are the ones reported. */
function visitUnion(tree: Tree, options: readonly z.core.$ZodType[], path: Path, walk: Walk): Tree {
  const option = likeliest(tree, options);
  return option ? visit(tree, option, path, walk) : tree;
}

export function likeliest(
  tree: Tree,
  options: readonly z.core.$ZodType[],
): z.core.$ZodType | undefined {
  const fitting = options.filter((option) => fits(tree, shapeOf(option)));
  if (tree.kind !== "map" || fitting.length < 2) return fitting[0];
  const known = (option: z.core.$ZodType): number => {
    const shape = shapeOf(option);
    if (shape.type !== "object") return 0;
    return [...tree.entries.keys()].filter((key) => knownName(key, shape) !== undefined).length;
  };
  return fitting.toSorted((a, b) => known(b) - known(a))[0];
}

function fits(tree: Tree, shape: Shape): boolean {
  if (shape.type === "any") return true;
  if (shape.type === "union") return likeliest(tree, shape.options) !== undefined;
  if (tree.kind === "map") return ["object", "map", "choice"].includes(shape.type);
  if (tree.kind === "list") return shape.type === "list";
  const type = typeof tree.value;
  if (shape.type === "string" || shape.type === "enum") return type === "string";
  if (shape.type === "boolean") return type === "boolean";
  return type === "number" && (shape.type === "number" || shape.type === "integer");
}

function withKnownValue(tree: ScalarTree, values: readonly string[], meta: FieldMeta): ScalarTree {
  const { value } = tree;
  if (typeof value !== "string" || values.includes(value)) return tree;
  const alias = meta.valueAliases?.[value];
  if (alias !== undefined) return { ...tree, value: alias };
  const same = values.filter((known) => separatorsOf(known) === separatorsOf(value));
  if (same.length === 1) return { ...tree, value: same[0] };
  return { ...tree, words: [...values, ...Object.keys(meta.valueAliases ?? {})] };
}

/** `bound-keypair` is `bound_keypair`; case still counts. */
const separatorsOf = (word: string): string => word.replaceAll("-", "_");

function hidden(tree: Tree): Tree {
  if (tree.kind === "scalar") return { ...tree, secret: true };
  if (tree.kind === "list") return { ...tree, items: tree.items.map(hidden) };
  const entries = [...tree.entries].map(
    ([key, entry]) => [key, { ...entry, value: hidden(entry.value) }] as const,
  );
  return { ...tree, entries: new Map(entries) };
}

/** A scalar in the place of a map with a secret in it may be that secret. */
function holdsSecret(shape: Shape): boolean {
  if (shape.type !== "object") return false;
  return [...shape.fields.values()].some((field) => shapeOf(field).meta.secret);
}
