import type { Filter } from "./filter.ts";
import type { Kind, Resource } from "./kind.ts";

/**
 * The text of a document, in which the store finds what a filter looks for (`containing`): a line for
 * each word that `search` sees, so that none reaches into the next. The value of a field stands after
 * the field's own mark, and so is found whole too. It may say more than the filter, never less: the
 * filter has the last word.
 */
export function textOf<R extends Resource>(kind: Pick<Kind<R>, "fields">, resource: R): string {
  const { name, description = "", labels } = resource.metadata;
  const words = [name, description, ...Object.entries(labels).flat()].map(normal);
  const values = Object.values(kind.fields).flatMap((read, i) =>
    read(resource).map((value) => markOf(i) + normal(value)),
  );
  return ["", ...words, ...values, ""].join("\n");
}

/** What the text of every document that passes the filter contains; `known`: the fields of the kind. */
export function partsOf(
  known: readonly string[],
  { search = "", labels = {}, fields = {} }: Filter,
): readonly string[] {
  const marked = Object.entries(fields).map(
    ([name, value]) => `${markOf(known.indexOf(name))}${normal(value)}\n`,
  );
  return [normal(search.trim()), ...Object.entries(labels).flat().map(normal), ...marked].filter(
    (part) => part !== "" && Buffer.byteLength(part) <= MAX_PART_BYTES,
  );
}

/** A longer one narrows nothing down that these do not. */
const MAX_PART_BYTES = 1_024;
const FIRST_MARK = 0x10;

/** Control characters, which no word has. */
const markOf = (field: number): string => String.fromCharCode(FIRST_MARK + field);

const normal = (text: string): string =>
  // oxlint-disable-next-line no-control-regex
  text.toLowerCase().replaceAll(/[\0-\x1f]/g, " ");
