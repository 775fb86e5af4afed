import type { z } from "zod";
import { faultsError, type Fault } from "./faults.ts";
import { flagsOf, type Flag } from "./flags.ts";
import { parseTree } from "./parse.ts";
import { shapeOf, type Shape } from "./shape.ts";
import { valueTree, type Entry, type MapTree, type Path, type Place, type Tree } from "./tree.ts";

/** What `command.opts()` gives: attribute name to the texts of a flag, or a switch's state. */
export type FlagOptions = Readonly<Record<string, unknown>>;

/** The flags that were given, as a tree to be merged over that of a file. Throws `bad_parameter`. */
export function flagTree(schema: z.core.$ZodType, options: FlagOptions): MapTree {
  const flags = flagsOf(schema);
  const faults: Fault[] = [];
  const given = flags.flatMap((flag, index) => {
    const value = givenValue(flag, index, options, faults);
    return value ? [{ flag, value }] : [];
  });
  if (faults.length > 0) throw faultsError("the command line", faults);
  return treeOf(given, [], flags);
}

/** What the variables that `.meta({ env })` names hold, as a tree; flags go over it, a file under it. */
export function environmentTree(
  schema: z.core.$ZodType,
  environment: Readonly<Record<string, string | undefined>>,
): MapTree {
  const flags = flagsOf(schema);
  const faults: Fault[] = [];
  const given = flags.flatMap((flag) => {
    const name = flag.shape.meta.env;
    const text = name === undefined ? undefined : environment[name];
    if (name === undefined || text === undefined || text === "") return [];
    const value = valueOf(flag, [text], { text: name, named: true, order: 0 }, faults);
    return value ? [{ flag, value }] : [];
  });
  if (faults.length > 0) throw faultsError("the environment", faults);
  return treeOf(given, [], flags);
}

/** The value that the flags alone make, with defaults; faults name the flags. */
export function valueFromFlags<S extends z.ZodType>(source: {
  schema: S;
  options: FlagOptions;
}): z.output<S> {
  const trees = [flagTree(source.schema, source.options)];
  return parseTree({ schema: source.schema, what: "the command line", trees });
}

function givenValue(
  flag: Flag,
  index: number,
  options: FlagOptions,
  faults: Fault[],
): Tree | undefined {
  const given = [flag.name, ...flag.aliases].flatMap((name) => {
    const value = options[attributeOf(name)];
    return value === undefined ? [] : [{ name, value }];
  });
  const last = given.at(-1);
  if (!last) return undefined;
  const place: Place = { text: `--${last.name}`, named: true, order: FLAG_ORDER + index };
  const texts = given.flatMap(({ value }) => value as string | string[] | boolean);
  if (typeof last.value === "boolean") return valueTree(last.value, place);
  return valueOf(flag, texts.map(String), place, faults);
}

/** Faults of flags come after those of the file beneath them. */
const FLAG_ORDER = 2 ** 40;

function valueOf(
  flag: Flag,
  texts: readonly string[],
  place: Place,
  faults: Fault[],
): Tree | undefined {
  const fail = (problem: string): undefined => {
    faults.push({ place, path: flag.path.join("."), problem });
  };
  const { shape, kind } = flag;
  if (kind === "list")
    return valueTree(
      splitAll(texts).map((text) => scalarOf(text, itemOf(shape))),
      place,
    );
  if (kind === "pairs") return pairsTree(splitAll(texts), place, fail);
  if (kind === "list-pairs") return pairsTree(texts, place, fail, splitOne);
  if (texts.length > 1) return fail(`is given ${texts.length} times; once is allowed`);
  const { fromFlag } = shape.meta;
  return valueTree(fromFlag ? fromFlag(texts[0]!) : scalarOf(texts[0]!, shape), place);
}

const itemOf = (shape: Shape): Shape => (shape.type === "list" ? shapeOf(shape.item) : shape);

const splitOne = (text: string): string[] =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean);

const splitAll = (texts: readonly string[]): string[] => texts.flatMap(splitOne);

/** The number or truth value that the text spells where the schema wants one; else the text itself. */
function scalarOf(text: string, shape: Shape): unknown {
  const number = shape.type === "number" || shape.type === "integer";
  if (number && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (shape.type === "boolean" && /^(true|false)$/.test(text)) return text === "true";
  return text;
}

function pairsTree(
  pairs: readonly string[],
  place: Place,
  fail: (problem: string) => undefined,
  read: (text: string) => unknown = (text) => text,
): Tree | undefined {
  const entries = new Map<string, Entry>();
  for (const pair of pairs) {
    const equals = pair.indexOf("=");
    const key = pair.slice(0, equals).trim();
    if (equals < 0 || key === "") return fail(`"${pair}" must be written key=value`);
    if (entries.has(key)) return fail(`"${key}" is given twice`);
    const value = valueTree(read(pair.slice(equals + 1).trim()), place);
    entries.set(key, { written: key, place, value });
  }
  return { kind: "map", place, entries };
}

type Given = { readonly flag: Flag; readonly value: Tree };

function treeOf(given: readonly Given[], at: Path, flags: readonly Flag[]): MapTree {
  const entries = new Map<string, Entry>();
  for (const { flag, value } of given) {
    const name = flag.path[at.length]!;
    if (entries.has(name)) continue;
    const below = given.filter((other) => other.flag.path[at.length] === name);
    const leaf = flag.path.length === at.length + 1;
    const child = leaf ? value : treeOf(below, [...at, name], flags);
    entries.set(name, { written: name, place: value.place, value: child });
  }
  const place = { text: "", named: true, order: FLAG_ORDER };
  return { kind: "map", place, entries, absent: (path) => placeOf(flags, [...at, ...path]) };
}

function placeOf(flags: readonly Flag[], path: Path): Place | undefined {
  const index = flags.findIndex((flag) => flag.path.join("\0") === path.join("\0"));
  const flag = flags[index];
  return flag && { text: `--${flag.name}`, named: true, order: FLAG_ORDER + index };
}

/** As commander names the attribute of an option. */
export const attributeOf = (name: string): string =>
  name.split("-").reduce((text, word) => text + word.charAt(0).toUpperCase() + word.slice(1));
