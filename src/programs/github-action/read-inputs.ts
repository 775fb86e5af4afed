import { environmentTree, parseTree } from "#base/config";
import type { z } from "zod";
import type { Workflow } from "./workflow.ts";

/** The inputs of an action by its schema, whose fields name theirs as `env`; all faults at once. */
export function readInputs<S extends z.ZodObject>(workflow: Workflow, schema: S): z.output<S> {
  const names = Object.values(schema.shape).flatMap((field) => field.meta()?.env ?? []);
  const given = Object.fromEntries(names.map((name) => [name, workflow.input(name)]));
  const trees = [environmentTree(schema, given)];
  return parseTree({ trees, what: "with", schema });
}
