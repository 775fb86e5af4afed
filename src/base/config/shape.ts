import * as z from "zod";

/** What `.meta({…})` on a field may say; the schema is the one place for all of it. */
export interface FieldMeta extends OwnMeta {
  readonly description?: string | undefined;
}

interface OwnMeta {
  /** `duration` and the like: what help and reference pages call the type instead of `string`. */
  readonly typeName?: string;
  /** Other names of the field that are accepted: `app` for `app_name`. */
  readonly aliases?: readonly string[];
  /** Other spellings of a value of an enum or literal: `{ ssh: "identity" }`. */
  readonly valueAliases?: Readonly<Record<string, string>>;
  /** Its value never stands in a fault, an effective configuration or a log. */
  readonly secret?: boolean;
  /** A path of the file system: a relative one is relative to whoever wrote it. */
  readonly path?: boolean;
  /** The kind of resource that it names, as `tctl get` knows it: for those who offer names. */
  readonly resource?: string;
  /** The flag's name without dashes, or `false` for none; default: the path in kebab-case. */
  readonly flag?: string | false;
  /** More names of the flag: accepted, not listed. */
  readonly flagAliases?: readonly string[];
  /** One letter: `-d`. */
  readonly short?: string;
  /** The environment variable that may hold it. */
  readonly env?: string;
  /** The one thing that it is about: a command line may give it without the flag's name. */
  readonly subject?: boolean;
  /** What stands for the value in help: `<host:port>`. */
  readonly placeholder?: string;
  /** Turns the flag's text into the value that the schema takes, where they differ. */
  readonly fromFlag?: (text: string) => unknown;
}

declare module "zod" {
  // oxlint-disable-next-line typescript/no-empty-object-type: the two declarations merge.
  interface GlobalMeta extends OwnMeta {}
}

/** A schema as this room sees it: what is behind optional, default, pipe and lazy. */
export type Shape = Facts &
  (
    | {
        readonly type: "object";
        readonly fields: ReadonlyMap<string, z.core.$ZodType>;
        readonly open: boolean;
      }
    | { readonly type: "list"; readonly item: z.core.$ZodType }
    | { readonly type: "map"; readonly key: z.core.$ZodType; readonly value: z.core.$ZodType }
    | {
        readonly type: "choice";
        readonly by: string;
        readonly options: ReadonlyMap<string, z.core.$ZodType>;
      }
    | { readonly type: "union"; readonly options: readonly z.core.$ZodType[] }
    | { readonly type: "enum"; readonly values: readonly string[] }
    | { readonly type: "string" | "number" | "integer" | "boolean" | "any" }
  );

interface Facts {
  readonly meta: FieldMeta;
  readonly required: boolean;
  /** Of the field as a whole; `undefined` when there is none. */
  readonly default: unknown;
}

type Def = z.core.$ZodTypes["_zod"]["def"];

/** The one translator of zod's own structures. */
export function shapeOf(schema: z.core.$ZodType): Shape {
  let meta: FieldMeta = {};
  let required = true;
  let fallback: unknown;
  let current = schema;
  for (;;) {
    meta = { ...z.globalRegistry.get(current), ...meta };
    const def = defOf(current);
    const inner = unwrapped(def);
    if (!inner) return { ...bare(def), meta, required, default: fallback };
    if (def.type === "default" || def.type === "prefault") fallback ??= def.defaultValue;
    if (["default", "prefault", "optional", "catch"].includes(def.type)) required = false;
    current = inner;
  }
}

export const metaOf = (schema: z.core.$ZodType): FieldMeta => shapeOf(schema).meta;

// The base class hides which definition it holds; zod's own union of all types names them.
const defOf = (schema: z.core.$ZodType): Def => (schema as z.core.$ZodTypes)._zod.def;

function unwrapped(def: Def): z.core.$ZodType | undefined {
  if (def.type === "lazy") return def.getter();
  if (def.type === "pipe") return pipedShape(def);
  return "innerType" in def ? def.innerType : undefined;
}

/** The end that says most of what may be written: a preprocessed schema, or an enum behind a transform. */
function pipedShape(def: { in: z.core.$ZodType; out: z.core.$ZodType }): z.core.$ZodType {
  if (defOf(def.in).type === "transform") return def.out;
  return defOf(def.out).type === "enum" ? def.out : def.in;
}

type Bare = Shape extends infer S ? (S extends Shape ? Omit<S, keyof Facts> : never) : never;

function bare(def: Def): Bare {
  switch (def.type) {
    case "object":
      return { type: "object", fields: new Map(Object.entries(def.shape)), open: isOpen(def) };
    case "array":
      return { type: "list", item: def.element };
    case "record":
      return { type: "map", key: def.keyType, value: def.valueType };
    case "union":
      return unionShape(def);
    case "enum":
      return { type: "enum", values: Object.values(def.entries).map(String) };
    case "literal":
      return { type: "enum", values: def.values.map(String) };
    case "number":
      return { type: "format" in def && String(def.format).includes("int") ? "integer" : "number" };
    case "string":
    case "boolean":
      return { type: def.type };
    default:
      return { type: "any" };
  }
}

const isOpen = (def: z.core.$ZodObjectDef): boolean =>
  def.catchall !== undefined && defOf(def.catchall).type !== "never";

function unionShape(def: z.core.$ZodUnionDef): Bare {
  if (!("discriminator" in def)) return { type: "union", options: def.options };
  const by = String(def.discriminator);
  const options = def.options.flatMap((option) =>
    valuesOf(option, by).map((value) => [value, option] as const),
  );
  return { type: "choice", by, options: new Map(options) };
}

/** The values of the discriminator that lead to this option. */
function valuesOf(option: z.core.$ZodType, by: string): readonly string[] {
  const shape = shapeOf(option);
  if (shape.type === "choice") return [...shape.options.keys()];
  const field = shape.type === "object" ? shape.fields.get(by) : undefined;
  const values = field && shapeOf(field);
  return values?.type === "enum" ? values.values : [];
}
