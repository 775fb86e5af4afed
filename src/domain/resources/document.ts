import { parseValue } from "#base/config";
import { badParameter, deepFreeze, internal } from "#base/kernel";
import { MAX_VALUE_BYTES, type Item, type JsonObject, type Write } from "#base/storage";
import { expiryOf } from "./expiry.ts";
import type { Resource } from "./kind.ts";
import { isKindName, kindNamed, kinds, type AnyResource, type KindName } from "./kinds.ts";

/**
 * Reads a document, given as JSON text or as a value: strict, with defaults, by its kind. All its
 * faults come in one `bad_parameter`, each with its path.
 */
export function parseDocument(input: unknown): AnyResource {
  return parseObject(objectOf(input));
}

/**
 * The same for a document from a client, whose `status` does not count: it is the server's
 * (specification, section 2, rule 2). `hadStatus` is for telling the client.
 */
export function parseClientDocument(input: unknown): { resource: AnyResource; hadStatus: boolean } {
  const { status, ...rest } = objectOf(input);
  const hadStatus = isObject(status) ? Object.keys(status).length > 0 : (status ?? null) !== null;
  return { resource: parseObject(rest), hadStatus };
}

function objectOf(input: unknown): JsonObject {
  const value = typeof input === "string" ? readJson(input) : input;
  if (isObject(value)) return value;
  throw badParameter("a resource must be an object with kind, version, metadata and spec");
}

function parseObject(value: JsonObject): AnyResource {
  const name = kindOf(value);
  return parseValue({ value, what: titleOf(name, value.metadata), schema: kinds[name].schema });
}

function readJson(text: string): unknown {
  if (Buffer.byteLength(text) > MAX_VALUE_BYTES)
    throw badParameter(`a resource must not be larger than ${MAX_VALUE_BYTES} bytes`);
  try {
    return JSON.parse(text);
  } catch {
    throw badParameter("the resource is not valid JSON");
  }
}

function kindOf(value: JsonObject): KindName {
  if (typeof value.kind !== "string")
    throw badParameter(`a resource needs a kind, one of ${Object.keys(kinds).join(", ")}`);
  const name = kindNamed(value.kind);
  if (name !== value.kind) throw badParameter(`kind "${value.kind}" is spelled "${name}"`);
  return name;
}

/** The names of some tokens are secrets, and a faulty one does not say whether its is. */
function titleOf(kind: KindName, metadata: unknown): string {
  const name = isObject(metadata) ? metadata.name : undefined;
  return typeof name === "string" && kind !== "token" ? `${kind} "${name}"` : kind;
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The write that stores a document; `update` is conditional on `metadata.revision`. */
export function writeOf(resource: AnyResource, op: "create" | "update" | "put"): Write {
  const { revision, ...metadata } = resource.metadata;
  const expires = expiryOf(resource);
  const write = {
    kind: resource.kind,
    name: resource.metadata.name,
    // The store keeps what JSON keeps of it: fields that hold `undefined` go.
    value: { ...resource, metadata } as unknown as JsonObject,
    ...(expires === undefined ? {} : { expires }),
  };
  if (op !== "update") return { op, ...write };
  if (!revision)
    throw badParameter(
      `${resource.kind} "${resource.metadata.name}" has no metadata.revision; read it first`,
    );
  return { op, ...write, revision };
}

/** The write that removes a document: at its revision, when it has one. */
export function deleteOf(resource: Resource<string, unknown, unknown>): Write {
  const { name, revision } = resource.metadata;
  return { op: "delete", kind: resource.kind, name, ...(revision ? { revision } : {}) };
}

/** Documents of items that the store hands out again and again, which are frozen. */
const known = new WeakMap<Item, AnyResource>();

/** The document of a stored item, complete with the defaults of today's schema. */
export function fromItem(item: Item): AnyResource {
  if (!Object.isFrozen(item)) return readItem(item);
  const before = known.get(item);
  if (before) return before;
  const resource = deepFreeze(readItem(item));
  known.set(item, resource);
  return resource;
}

function readItem(item: Item): AnyResource {
  if (!isKindName(item.kind)) throw internal(`"${item.kind}" is not a kind of resource`);
  const parsed = kinds[item.kind].schema.safeParse(item.value);
  if (!parsed.success)
    throw internal(`the stored ${item.kind} "${item.name}" does not fit its schema`, {
      cause: parsed.error,
    });
  const { data } = parsed;
  return { ...data, metadata: { ...data.metadata, revision: item.revision } };
}
