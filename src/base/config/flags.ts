import type { Command } from "commander";
import type { z } from "zod";
import { shapeOf, type Shape } from "./shape.ts";

/** How a flag's text becomes a value. */
export type FlagKind =
  /** `--oneshot`, `--no-oneshot` */
  | "switch"
  /** One value. */
  | "text"
  /** Repeated, or separated by commas. */
  | "list"
  /** `key=value`, repeated or separated by commas. */
  | "pairs"
  /** `key=value,value`, repeated. */
  | "list-pairs";

/** One flag of a command, derived from one field of a schema. */
export interface Flag {
  /** Where its value goes: `["onboarding", "token"]`. */
  readonly path: readonly string[];
  /** Without dashes. */
  readonly name: string;
  readonly aliases: readonly string[];
  readonly kind: FlagKind;
  readonly shape: Shape;
}

/**
 * The flags of an object schema: kebab-case names, nested objects dotted (`--recovery.limit`) unless
 * `.meta({ flag })` renames or removes them. Fields that no one-line text can carry have none.
 */
export function flagsOf(schema: z.core.$ZodType): readonly Flag[] {
  return collect(schema, [], []);
}

function collect(
  schema: z.core.$ZodType,
  path: readonly string[],
  prefix: readonly string[],
): Flag[] {
  const shape = shapeOf(schema);
  if (shape.type !== "object") return [];
  return [...shape.fields].flatMap(([name, field]) => fieldFlags([...path, name], field, prefix));
}

function fieldFlags(
  path: readonly string[],
  schema: z.core.$ZodType,
  prefix: readonly string[],
): Flag[] {
  const shape = shapeOf(schema);
  const { flag, flagAliases = [], aliases = [], fromFlag } = shape.meta;
  if (flag === false) return [];
  const own = flag === undefined ? [...prefix, kebab(path.at(-1)!)] : [flag];
  if (shape.type === "object" && !fromFlag) return collect(schema, path, own);
  const kind = fromFlag ? "text" : kindOf(shape);
  if (!kind) return [];
  const others = aliases.map((alias) => [...prefix, kebab(alias)].join("."));
  return [{ path, name: own.join("."), aliases: [...flagAliases, ...others], kind, shape }];
}

function kindOf(shape: Shape): FlagKind | undefined {
  if (shape.type === "boolean") return "switch";
  if (isPlainList(shape)) return "list";
  if (isPlain(shape)) return "text";
  if (shape.type !== "map") return undefined;
  const value = shapeOf(shape.value);
  if (isPlain(value)) return "pairs";
  return value.type === "list" && isPlain(shapeOf(value.item)) ? "list-pairs" : undefined;
}

/** Also a union with a list in it: it takes one word as well as several. */
function isPlainList(shape: Shape): boolean {
  if (shape.type === "union") return shape.options.some((option) => isPlainList(shapeOf(option)));
  return shape.type === "list" && isPlain(shapeOf(shape.item));
}

/** Whether one word can be a value of it. */
function isPlain(shape: Shape): boolean {
  if (shape.type === "union") return shape.options.some((option) => isPlain(shapeOf(option)));
  return ["string", "number", "integer", "enum", "any"].includes(shape.type);
}

const kebab = (name: string): string => name.replaceAll("_", "-");

/** Adds the flags of the schema to a command; `flagTree` reads what was given from `command.opts()`. */
export function addFlags(command: Command, schema: z.core.$ZodType): Command {
  for (const flag of flagsOf(schema)) {
    const names = [flag.name, ...flag.aliases];
    for (const name of names) addFlag(command, flag, name, name !== flag.name);
  }
  return command;
}

function addFlag(command: Command, flag: Flag, name: string, hidden: boolean): void {
  const short = flag.shape.meta.short && !hidden ? `-${flag.shape.meta.short}, ` : "";
  const help = describe(flag);
  if (flag.kind !== "switch") {
    const option = command.createOption(`${short}--${name} <${placeholderOf(flag)}>`, help);
    command.addOption(option.argParser(gather).hideHelp(hidden));
    return;
  }
  const on = flag.shape.default === true;
  command.addOption(command.createOption(`${short}--${name}`, help).hideHelp(hidden || on));
  command.addOption(command.createOption(`--no-${name}`, help).hideHelp(hidden || !on));
}

const gather = (text: string, before: readonly string[] | undefined): string[] => [
  ...(before ?? []),
  text,
];

export function placeholderOf(flag: Flag): string {
  if (flag.shape.meta.placeholder) return flag.shape.meta.placeholder;
  if (flag.kind === "pairs") return "key=value,…";
  if (flag.kind === "list-pairs") return "key=value,…";
  if (flag.kind === "list") return "a,b,…";
  return flag.shape.meta.typeName ?? wordOf(flag.shape.type);
}

const wordOf = (type: Shape["type"]): string =>
  type === "integer" || type === "number" ? "number" : type === "string" ? "text" : "value";

function describe(flag: Flag): string {
  const { meta, default: fallback } = flag.shape;
  const choices = choicesOf(flag.shape);
  const notes = [
    ...(choices ? [`one of ${choices.join(", ")}`] : []),
    ...(isShown(fallback) ? [`default ${String(fallback)}`] : []),
  ];
  const note = notes.length > 0 ? `(${notes.join("; ")})` : "";
  return [meta.description ?? "", note].filter(Boolean).join(" ");
}

function choicesOf(shape: Shape): readonly string[] | undefined {
  if (shape.type === "enum") return shape.values;
  return shape.type === "list" ? choicesOf(shapeOf(shape.item)) : undefined;
}

const isShown = (value: unknown): value is string | number =>
  typeof value === "number" || (typeof value === "string" && value !== "");
