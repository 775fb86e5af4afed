import { isDeepStrictEqual } from "node:util";
import { stringify } from "yaml";
import type { z } from "zod";
import { shapeOf, type Shape } from "./shape.ts";

/**
 * Stable YAML of a value: with a schema, fields in its order and without those that hold their
 * default. Secrets are printed: strip them first (`withoutSecrets`) where others read.
 */
export function yamlOf(value: unknown, schema?: z.core.$ZodType): string {
  const printed = schema ? tidy(value, schema) : value;
  return stringify(printed, { lineWidth: 0, aliasDuplicateObjects: false, version: "1.2" });
}

/** Documents with `---` between them. */
export const yamlOfAll = (values: readonly unknown[], schema?: z.core.$ZodType): string =>
  values.map((value) => yamlOf(value, schema)).join("---\n");

/** A copy in which every field that the schema calls secret reads `<hidden>`. */
export function withoutSecrets(value: unknown, schema: z.core.$ZodType): unknown {
  const shape = shapeOf(schema);
  if (shape.meta.secret && value !== undefined && value !== "") return "<hidden>";
  return descend(value, shape, withoutSecrets);
}

function tidy(value: unknown, schema: z.core.$ZodType): unknown {
  const shape = shapeOf(schema);
  if (shape.type !== "object" || !isRecord(value)) return descend(value, shape, tidy);
  const known = [...shape.fields].filter(
    ([name, field]) => !isDefault(value[name], shapeOf(field)),
  );
  const more = Object.entries(value).filter(([name]) => !shape.fields.has(name));
  return Object.fromEntries([
    ...known.map(([name, field]) => [name, tidy(value[name], field)] as const),
    ...more,
  ]);
}

/** Also true of an object whose every field holds its default, for that is what its absence means. */
function isDefault(value: unknown, shape: Shape): boolean {
  if (value === undefined) return true;
  if (shape.required || shape.default === undefined) return false;
  if (isDeepStrictEqual(value, shape.default)) return true;
  if (shape.type !== "object" || !isRecord(value)) return false;
  return [...shape.fields].every(([name, field]) => isDefault(value[name], shapeOf(field)));
}

type Step = (value: unknown, schema: z.core.$ZodType, name?: string) => unknown;

/** Applies `step` to what is directly below; without a name it is in the same place. */
export function descend(value: unknown, shape: Shape, step: Step): unknown {
  if (Array.isArray(value))
    return shape.type === "list"
      ? value.map((item, index) => step(item, shape.item, String(index)))
      : value;
  if (!isRecord(value)) return value;
  if (shape.type === "choice") {
    const option = shape.options.get(String(value[shape.by]));
    return option ? step(value, option) : value;
  }
  if (shape.type === "union") {
    const option = shape.options.find((each) => ["object", "choice"].includes(shapeOf(each).type));
    return option ? step(value, option) : value;
  }
  const below = (name: string): z.core.$ZodType | undefined =>
    shape.type === "object"
      ? shape.fields.get(name)
      : shape.type === "map"
        ? shape.value
        : undefined;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => {
      const schema = below(name);
      return [name, schema ? step(item, schema, name) : item];
    }),
  );
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
