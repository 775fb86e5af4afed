import type { z } from "zod";
import { descend } from "./print.ts";
import { formatPath } from "./faults.ts";
import { shapeOf } from "./shape.ts";

/** A copy in which every relative path, by what the schema calls one, has gone through `resolve`. */
export function withAbsolutePaths(
  value: unknown,
  schema: z.core.$ZodType,
  resolve: (path: string) => string,
): unknown {
  const shape = shapeOf(schema);
  if (shape.meta.path && typeof value === "string") return absolute(value, resolve);
  return descend(value, shape, (item, below) => withAbsolutePaths(item, below, resolve));
}

/** Of an address only what follows `unix://` or `file://` is a path. */
function absolute(text: string, resolve: (path: string) => string): string {
  const [, scheme, path = ""] = /^([a-z]+:\/\/)(.*)$/s.exec(text) ?? [];
  if (scheme === undefined) return resolve(text);
  return scheme === "unix://" || scheme === "file://" ? `${scheme}${resolve(path)}` : text;
}

/** A copy without the fields that the schema calls secret, and the paths of those that were there. */
export function omitSecrets(
  value: unknown,
  schema: z.core.$ZodType,
): { readonly value: unknown; readonly omitted: readonly string[] } {
  const omitted: string[] = [];
  const walk = (item: unknown, below: z.core.$ZodType, path: readonly string[]): unknown => {
    const shape = shapeOf(below);
    if (!shape.meta.secret)
      return descend(item, shape, (inner, next, name) =>
        walk(inner, next, name === undefined ? path : [...path, name]),
      );
    if (item !== undefined && item !== "") omitted.push(formatPath(path));
    return undefined;
  };
  return { value: walk(value, schema, []), omitted };
}
