import type { z } from "zod";
import { didYouMean } from "./near.ts";

/** One line for each thing wrong with a document, with its path and what was allowed. */
export function faultsOf(error: z.ZodError, schema: z.ZodType): readonly string[] {
  return error.issues.flatMap((issue) => {
    if (issue.code !== "unrecognized_keys") return [`${pathText(issue.path)} ${issue.message}`];
    const allowed = fieldsAt(schema, issue.path);
    return issue.keys.map(
      (key) =>
        `${pathText([...issue.path, key])} is not a field here; allowed: ${allowed.join(", ")}${didYouMean(key, allowed)}`,
    );
  });
}

function pathText(path: readonly PropertyKey[]): string {
  const text = path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`))
    .join("");
  return text.replace(/^\./, "") || "the document";
}

function fieldsAt(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  let at: unknown = schema;
  for (const step of path) at = childOf(at, step);
  return Object.keys(shapeOf(at) ?? {});
}

function childOf(schema: unknown, step: PropertyKey): unknown {
  return shapeOf(schema)?.[String(step)] ?? definitionOf(schema)?.element;
}

function shapeOf(schema: unknown): Readonly<Record<string, unknown>> | undefined {
  return definitionOf(schema)?.shape;
}

interface Definition {
  readonly innerType?: { def?: Definition };
  readonly element?: unknown;
  readonly shape?: Readonly<Record<string, unknown>>;
}

/** What is under optional, default and prefault. */
function definitionOf(schema: unknown): Definition | undefined {
  let at = schema as { def?: Definition } | undefined;
  while (at?.def?.innerType) at = at.def.innerType;
  return at?.def;
}
