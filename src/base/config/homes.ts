import type { z } from "zod";
import { shapeOf, type Shape } from "./shape.ts";

/** A name with more homes than this is too common for a hint. */
const MAX_HOMES = 3;
/** Schemas may refer to themselves. */
const MAX_DEPTH = 8;

/** Where else in the schema a field of this name lives: `services[] of type application-tunnel`. */
export function fieldHomes(root: z.core.$ZodType, name: string): readonly string[] {
  const homes = new Set<string>();
  collect(root, { path: "", name, homes, depth: 0 });
  return homes.size > MAX_HOMES ? [] : [...homes];
}

interface Search {
  readonly path: string;
  readonly name: string;
  readonly homes: Set<string>;
  readonly depth: number;
}

function collect(schema: z.core.$ZodType, search: Search): void {
  if (search.depth > MAX_DEPTH) return;
  const shape = shapeOf(schema);
  const inside = (path: string): Search => ({ ...search, path, depth: search.depth + 1 });
  if (shape.type === "list") collect(shape.item, inside(`${search.path}[]`));
  if (shape.type === "map") collect(shape.value, inside(`${search.path}.*`));
  if (shape.type === "union")
    for (const option of shape.options) collect(option, inside(search.path));
  if (shape.type === "choice")
    for (const [value, option] of shape.options)
      collect(option, inside(`${search.path} of ${shape.by} ${value}`));
  if (shape.type === "object") collectFields(shape, search, inside);
}

function collectFields(
  shape: Extract<Shape, { type: "object" }>,
  search: Search,
  inside: (path: string) => Search,
): void {
  for (const [field, schema] of shape.fields) {
    const accepted = [field, ...(shapeOf(schema).meta.aliases ?? [])];
    if (accepted.includes(search.name)) search.homes.add(search.path || "the top level");
    collect(schema, inside(search.path ? `${search.path}.${field}` : field));
  }
}
