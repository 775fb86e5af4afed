import { didYouMean } from "#base/config";
import { badParameter } from "#base/kernel";
import type { Kind } from "./kind.ts";
import type { AnyResource } from "./kinds.ts";

/** Which documents of a kind are wanted; all conditions must hold. */
export interface Filter {
  /** Text that name, a label or a field of the kind contains, whatever its case. */
  readonly search?: string;
  /** Labels that must be there with exactly these values. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Fields of the kind (`bot_name`) that must have exactly these values. */
  readonly fields?: Readonly<Record<string, string>>;
}

/** `undefined` when every document passes; `bad_parameter` for a field that the kind does not have. */
export function filterOf(
  kind: Kind<AnyResource>,
  filter: Filter,
): ((resource: AnyResource) => boolean) | undefined {
  const tests = [
    ...searchTests(kind, filter.search ?? ""),
    ...Object.entries(filter.labels ?? {}).map(labelTest),
    ...Object.entries(filter.fields ?? {}).map(([name, value]) => fieldTest(kind, name, value)),
  ];
  return tests.length > 0 ? (resource) => tests.every((test) => test(resource)) : undefined;
}

type Test = (resource: AnyResource) => boolean;

function searchTests(kind: Kind<AnyResource>, search: string): readonly Test[] {
  const text = search.trim().toLowerCase();
  if (!text) return [];
  return [(resource) => wordsOf(kind, resource).some((word) => word.toLowerCase().includes(text))];
}

function wordsOf(kind: Kind<AnyResource>, resource: AnyResource): readonly string[] {
  const { name, description = "", labels } = resource.metadata;
  const fields = Object.values(kind.fields).flatMap((read) => read(resource));
  return [name, description, ...Object.entries(labels).flat(), ...fields];
}

const labelTest =
  ([name, value]: readonly [string, string]): Test =>
  (resource) =>
    Object.hasOwn(resource.metadata.labels, name) && resource.metadata.labels[name] === value;

function fieldTest(kind: Kind<AnyResource>, name: string, value: string): Test {
  const read = Object.hasOwn(kind.fields, name) ? kind.fields[name] : undefined;
  if (read) return (resource) => read(resource).includes(value);
  const allowed = Object.keys(kind.fields);
  throw badParameter(
    `"${name}" is not a field that ${kind.kind} can be filtered by; allowed: ${allowed.join(", ") || "none"}${didYouMean(name, allowed)}`,
  );
}
