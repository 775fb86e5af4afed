import type { z } from "zod";
import { choiceMeta } from "./normalize.ts";
import { shapeOf, type Shape } from "./shape.ts";

/**
 * Markdown tables of every field (or of those fields of the top level that `only` names): the page's
 * own, then one for each type of a choice, under a heading of `level`.
 */
export function referenceOf(
  schema: z.core.$ZodType,
  options: { level?: number; only?: readonly string[] } = {},
): string {
  const page: Page = { rows: [], parts: [], seen: new Set(), level: options.level ?? 3 };
  const shape = shapeOf(schema);
  if (shape.type === "object") fieldRows(shape, { path: "", page, only: options.only });
  else rowsOf(schema, "", page);
  return [table(page.rows), ...page.parts].filter(Boolean).join("\n");
}

interface Page {
  readonly rows: Row[];
  readonly parts: string[];
  readonly seen: Set<z.core.$ZodType>;
  readonly level: number;
}

type Row = readonly [field: string, type: string, value: string, meaning: string];

function rowsOf(schema: z.core.$ZodType, path: string, page: Page): void {
  const shape = shapeOf(schema);
  if (shape.type === "list") rowsOf(shape.item, `${path}[]`, page);
  if (shape.type === "map") rowsOf(shape.value, `${path}.*`, page);
  if (shape.type === "union") unionRows(shape.options, path, page);
  if (shape.type === "choice") choiceParts(shape, path, page);
  if (shape.type === "object") fieldRows(shape, { path, page });
}

type ObjectShape = Extract<Shape, { type: "object" }>;

function fieldRows(
  shape: ObjectShape,
  { path, page, only }: { path: string; page: Page; only?: readonly string[] | undefined },
): void {
  for (const [name, field] of shape.fields) {
    if (only && !only.includes(name)) continue;
    const at = path ? `${path}.${name}` : name;
    const inner = shapeOf(field);
    if (inner.type === "object" && inner.fields.size === 0) continue;
    page.rows.push(rowOf(at, inner));
    rowsOf(field, at, page);
  }
}

/** Where one of several maps may stand, no field of one is required of the others. */
function unionRows(options: readonly z.core.$ZodType[], path: string, page: Page): void {
  const maps = options.filter((option) => shapeOf(option).type === "object");
  for (const option of options) {
    const from = page.rows.length;
    rowsOf(option, path, page);
    if (maps.length < 2) continue;
    const rows = page.rows.splice(from);
    page.rows.push(...rows.map(([name, type, , meaning]): Row => [name, type, "", meaning]));
  }
}

/** A part of its own for each type, once, however many fields may hold it. */
function choiceParts(shape: Extract<Shape, { type: "choice" }>, path: string, page: Page): void {
  const aliases = Object.entries(choiceMeta(shape).valueAliases ?? {});
  for (const [value, option] of shape.options) {
    if (page.seen.has(option)) continue;
    page.seen.add(option);
    const part: Page = { ...page, rows: [], parts: [] };
    rowsOf(option, "", part);
    const same = aliases.filter(([, known]) => known === value).map(([alias]) => code(alias));
    const heading = `${"#".repeat(page.level)} ${code(path)} of ${shape.by} ${code(value)}\n`;
    const also = same.length > 0 ? `\nAlso written ${same.join(", ")}.\n` : "";
    const about = shapeOf(option).meta.description;
    const parts = [
      heading + also,
      about ? `${sentence(about)}\n` : "",
      table(part.rows),
      ...part.parts,
    ];
    page.parts.push(parts.filter(Boolean).join("\n"));
  }
}

function rowOf(path: string, shape: Shape): Row {
  const { description = "", aliases = [], secret } = shape.meta;
  const notes = [
    description ? sentence(description) : "",
    aliases.length > 0 ? `Also written ${aliases.map(code).join(", ")}.` : "",
    secret ? "Secret." : "",
  ];
  const value = shape.required ? "required" : defaultOf(shape);
  return [code(path), typeOf(shape), value, notes.filter(Boolean).join(" ")];
}

function defaultOf(shape: Shape): string {
  const { default: value } = shape;
  if (value === undefined || value === "" || shape.type === "object") return "";
  if (typeof value === "object" && value !== null && Object.keys(value).length === 0) return "";
  return code(typeof value === "string" ? value : JSON.stringify(value));
}

/** In words, for people: `list of string`, `token` or `bound_keypair`. */
function typeOf(shape: Shape): string {
  if (shape.meta.typeName) return shape.meta.typeName;
  switch (shape.type) {
    case "enum":
      return shape.values.map(code).join(", ");
    case "list":
      return `list of ${typeOf(shapeOf(shape.item))}`;
    case "map":
      return `map to ${typeOf(shapeOf(shape.value))}`;
    case "union":
      return [...new Set(shape.options.map((option) => typeOf(shapeOf(option))))].join(" or ");
    case "object":
      return "fields below";
    case "choice":
      return `fields by ${code(shape.by)}`;
    case "any":
      return "any value";
    default:
      return shape.type;
  }
}

function table(rows: readonly Row[]): string {
  if (rows.length === 0) return "";
  const lines = rows.map((row) => `| ${row.map(cell).join(" | ")} |`);
  return ["| field | type | default | meaning |", "|---|---|---|---|", ...lines, ""].join("\n");
}

const code = (text: string): string => `\`${text}\``;
const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

/** With a capital, unless it begins with a name such as `tbot+proxy+…`, and a full stop. */
export function sentence(text: string): string {
  const upper = text.replace(/^[a-z](?=[a-z]*\b(?![/+.:=_]))/, (letter) => letter.toUpperCase());
  return upper === "" || /[.!?]$/.test(upper) ? upper : `${upper}.`;
}
