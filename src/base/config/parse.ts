import type { z } from "zod";
import { faultsError, type Fault } from "./faults.ts";
import { expectation, faultsOfIssue } from "./issues.ts";
import { normalize } from "./normalize.ts";
import { mergeTrees, plainOf, valueTree, type Tree } from "./tree.ts";
import { yamlTrees } from "./yaml-tree.ts";

/** The text of a YAML document and the name under which faults speak of it. */
export interface YamlSource {
  readonly text: string;
  readonly file: string;
}

/**
 * One YAML document, checked and with its defaults. Throws one `bad_parameter` with every fault:
 * file, line, column, path, what was wrong, what is allowed, and the nearest name.
 */
export function parseYaml<S extends z.ZodType>(source: YamlSource & { schema: S }): z.output<S> {
  return parseTree({ ...source, what: source.file, trees: yamlTrees(source, "one") });
}

/** Every document of a stream (`---` between them), each of the one schema; empty ones are left out. */
export function parseYamlDocuments<S extends z.ZodType>(
  source: YamlSource & { schema: S },
): z.output<S>[] {
  const results = yamlTrees(source, "many").map((tree) => check([tree], source.schema));
  const faults = results.flatMap((result) => result.faults);
  if (faults.length > 0) throw faultsError(source.file, faults);
  return results.map((result) => result.value);
}

/** A value from JSON or a program; `what` names it in the error: `token "ci"`. */
export function parseValue<S extends z.ZodType>(source: {
  value: unknown;
  what: string;
  schema: S;
}): z.output<S> {
  return parseTree({ ...source, trees: [valueTree(source.value)] });
}

/** Later trees win over earlier ones, whichever accepted names they use: a file, then flags. */
export function parseTree<S extends z.ZodType>(source: {
  trees: readonly Tree[];
  what: string;
  schema: S;
}): z.output<S> {
  const result = check(source.trees, source.schema);
  if (result.faults.length > 0) throw faultsError(source.what, result.faults);
  return result.value;
}

function check<S extends z.ZodType>(
  trees: readonly Tree[],
  schema: S,
): { faults: readonly Fault[]; value: z.output<S> } {
  const normalized = trees.map((tree) => normalize(tree, schema));
  const tree = normalized.map((each) => each.tree).reduce(mergeTrees);
  const parsed = schema.safeParse(plainOf(tree), { error: expectation });
  const meant = (fault: Fault): boolean => normalized.some((each) => each.meant.has(fault.path));
  const faults = (parsed.error?.issues ?? [])
    .flatMap((issue) => faultsOfIssue(issue, tree))
    .filter((fault) => !(fault.problem.startsWith("is required") && meant(fault)));
  return {
    faults: [...normalized.flatMap((each) => each.faults), ...faults],
    // Only read when there are no faults.
    value: parsed.data as z.output<S>,
  };
}
