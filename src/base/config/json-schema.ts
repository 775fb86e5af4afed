import * as z from "zod";
import { metaOf } from "./shape.ts";

/** JSON Schema (draft 2020-12) of what may be written, for editors: accepted other names included. */
export function jsonSchemaOf(
  schema: z.core.$ZodType,
  about: { title?: string; id?: string } = {},
): Readonly<Record<string, unknown>> {
  const made = z.toJSONSchema(schema, {
    io: "input",
    target: "draft-2020-12",
    unrepresentable: "any",
    override: ({ zodSchema, jsonSchema }) => adjust(zodSchema, jsonSchema),
  });
  const { $schema, ...rest } = made;
  return {
    $schema,
    ...(about.id ? { $id: about.id } : {}),
    ...(about.title ? { title: about.title } : {}),
    ...rest,
  };
}

/** What of our `.meta` is not JSON Schema's. */
const OWN = [
  "typeName",
  "aliases",
  "valueAliases",
  "secret",
  "flag",
  "flagAliases",
  "short",
  "placeholder",
  "fromFlag",
  "env",
  "path",
  "resource",
  "subject",
];

type JsonSchema = z.core.JSONSchema.BaseSchema;

function adjust(schema: z.core.$ZodType, made: JsonSchema): void {
  for (const key of OWN) delete made[key];
  if (made.maximum === Number.MAX_SAFE_INTEGER) delete made.maximum;
  if (made.minimum === Number.MIN_SAFE_INTEGER) delete made.minimum;
  const { valueAliases } = metaOf(schema);
  if (valueAliases) allowValues(made, Object.keys(valueAliases));
  if (made.properties && schema._zod.def.type === "object")
    allowNames(schema as z.core.$ZodObject, made);
}

function allowValues(made: JsonSchema, more: readonly string[]): void {
  const values = made.enum ?? (made.const === undefined ? [] : [made.const]);
  if (values.length === 0) return;
  delete made.const;
  made.enum = [...new Set([...values, ...more])];
}

function allowNames(schema: z.core.$ZodObject, made: JsonSchema): void {
  if (!schema._zod.def.catchall) made.additionalProperties = false;
  for (const [name, field] of Object.entries(schema._zod.def.shape)) {
    const { aliases = [] } = metaOf(field);
    for (const alias of aliases)
      made.properties![alias] = { ...(made.properties![name] as JsonSchema), deprecated: true };
    if (aliases.length === 0 || !made.required?.includes(name)) continue;
    made.required = made.required.filter((each) => each !== name);
    const either = [name, ...aliases].map((each) => ({ required: [each] }));
    made.allOf = [...(made.allOf ?? []), { anyOf: either }];
  }
}
