// Workflow files and action.yml, as far as this stand-in goes: what it does not know is an error.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseYaml } from "#base/config";
import * as z from "zod";

const texts = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({});

const step = z.strictObject({
  id: z.string().optional(),
  name: z.string().optional(),
  uses: z.string().optional(),
  with: texts,
  run: z.string().optional(),
  shell: z.enum(["bash", "sh"]).optional(),
  env: texts,
  if: z.string().optional(),
  "continue-on-error": z.boolean().default(false),
});

const job = z.strictObject({
  "runs-on": z.string(),
  permissions: z.record(z.string(), z.string()).default({}),
  env: texts,
  steps: z.array(step),
});

const workflow = z.strictObject({
  name: z.string().optional(),
  on: z.unknown(),
  permissions: z.record(z.string(), z.string()).default({}),
  env: texts,
  jobs: z.record(z.string(), job),
});

const action = z.strictObject({
  name: z.string(),
  description: z.string(),
  inputs: z
    .record(
      z.string(),
      z.strictObject({
        description: z.string(),
        required: z.boolean().default(false),
        default: z.string().default(""),
      }),
    )
    .default({}),
  outputs: z.record(z.string(), z.strictObject({ description: z.string() })).default({}),
  runs: z.strictObject({
    using: z.literal("node24"),
    main: z.string(),
    post: z.string().optional(),
    "post-if": z.string().default("always()"),
  }),
  branding: z.strictObject({ icon: z.string(), color: z.string() }).optional(),
});

export type Step = z.output<typeof step>;
export type Job = z.output<typeof job>;
export type WorkflowFile = z.output<typeof workflow>;
export type Action = z.output<typeof action>;

export const parseWorkflow = (text: string, file = "workflow.yaml"): WorkflowFile =>
  parseYaml({ text, file, schema: workflow });

export async function readAction(directory: string): Promise<Action> {
  const file = join(directory, "action.yml");
  return parseYaml({ text: await readFile(file, "utf8"), file, schema: action });
}
