import type { IndexDefinition, JsonObject } from "#base/storage";
import { timestamp } from "#base/config";
import * as z from "zod";
import { textOf } from "./text.ts";

/** Labels that only the server writes, such as the one that ties a bot's user to it. */
export const INTERNAL_LABELS = "tenon.internal/";

/** Names of resources: what a path, a URL and a shell can carry unquoted. */
export const resourceName = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._@+-]*$/, {
    error: "must start with a letter or digit and hold only letters, digits and . _ @ + -",
  });

export const labels = z.record(z.string().min(1).max(128), z.string().max(512));

export const metadata = z.strictObject({
  name: resourceName.meta({ description: "unique among its kind" }),
  labels: labels
    .default({})
    .meta({ description: "name to value, for filters and for roles to match" }),
  description: z.string().max(1024).optional().meta({ description: "for people" }),
  expires: timestamp.optional().meta({ description: "when the resource goes by itself" }),
  revision: z.string().optional().meta({
    description:
      "opaque; set by the server with every write, given back to make a write conditional",
  }),
});

export type Metadata = z.infer<typeof metadata>;

/** A document of any kind, as YAML, JSON and the store hold it. */
export interface Resource<K extends string = string, Spec = JsonObject, Status = JsonObject> {
  readonly kind: K;
  readonly version: string;
  readonly metadata: Metadata;
  readonly spec: Spec;
  /** Owned by the server: what a client writes here is dropped. */
  readonly status?: Status | undefined;
}

/** Everything that the rest of the house knows about one kind; `kinds.ts` lists them all. */
export interface Kind<R extends Resource = Resource> {
  readonly kind: R["kind"];
  readonly version: string;
  /** Other words a person may type: `bots`, `ca`. */
  readonly aliases: readonly string[];
  /** The whole document, strict, with defaults. */
  readonly schema: z.ZodType<R>;
  /** What a filter (`fields`) may name, and how to read it. */
  readonly fields: Readonly<Record<string, (resource: R) => readonly string[]>>;
  /** What `sort` may name beside `name`; each has an index of the same name in `indexes`. */
  readonly sorts: readonly string[];
  /** Whether the store finds what a filter looks for in its text: for kinds of which there are many. */
  readonly searched: boolean;
  readonly indexes: readonly IndexDefinition[];
  /** Whether the name itself opens something, so that it never stands in a suggestion, event or log. */
  readonly hasSecretName: (resource: R) => boolean;
  /** Who may write it: `anyone` with the right rule, or only the server itself. */
  readonly writable: "clients" | "server";
}

type Draft<R extends Resource> = {
  readonly kind: R["kind"];
  readonly version: string;
  readonly aliases: readonly string[];
  readonly spec: z.ZodType<R["spec"]>;
  readonly status?: z.ZodType;
  readonly name?: z.ZodType<string>;
  readonly fields?: Kind<R>["fields"];
  readonly sorts?: readonly string[];
  readonly indexes?: readonly DraftIndex<R>[];
  /** Makes the kind a searched one; to be raised whenever its fields change. */
  readonly textVersion?: number;
  readonly hasSecretName?: Kind<R>["hasSecretName"];
  readonly writable?: Kind["writable"];
};

type DraftIndex<R extends Resource> = Omit<IndexDefinition, "kind" | "key"> & {
  key: (resource: R) => readonly string[];
};

/** An index that lists the documents with one value of a field in the order of a sort. */
export const combined = <R extends Resource>(
  field: string,
  valuesOf: (resource: R) => readonly string[],
  sort: string,
  keyOf: (resource: R) => string,
): DraftIndex<R> => ({
  name: combinedName(field, sort),
  version: 1,
  key: (resource) => valuesOf(resource).map((value) => combinedPrefix(value) + keyOf(resource)),
});

export const combinedName = (field: string, sort: string): string => `${field}+${sort}`;
export const combinedPrefix = (value: string): string => `${value}\0`;

/** Builds a kind from its spec and status; the envelope is the same for all. */
export function defineKind<R extends Resource>(draft: Draft<R>): Kind<R> {
  const schema = z.strictObject({
    kind: z.literal(draft.kind),
    version: z.literal(draft.version),
    metadata: draft.name ? metadata.extend({ name: draft.name }) : metadata,
    spec: draft.spec,
    status: (draft.status ?? z.strictObject({})).optional(),
  });
  const { fields = {}, indexes = [], textVersion: version } = draft;
  const text: DraftIndex<R>[] =
    version === undefined
      ? []
      : [{ name: "text", version, use: "text", key: (each) => [textOf({ fields }, each)] }];
  return {
    kind: draft.kind,
    version: draft.version,
    aliases: draft.aliases,
    schema: schema as unknown as z.ZodType<R>,
    fields,
    sorts: draft.sorts ?? [],
    searched: version !== undefined,
    indexes: [...indexes, ...text].map(({ key, ...rest }) => ({
      ...rest,
      kind: draft.kind,
      key: (value) => key(value as unknown as R),
    })),
    hasSecretName: draft.hasSecretName ?? (() => false),
    writable: draft.writable ?? "clients",
  };
}
