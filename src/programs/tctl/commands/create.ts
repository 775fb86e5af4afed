import { readInput, type CommandIo, type OutputFormat } from "#base/cli";
import { parseYamlDocuments, yamlOfAll } from "#base/config";
import type { Command } from "commander";
import * as z from "zod";
import { onCluster, type Given } from "../action.ts";
import { anyDocumentOf, toDocument } from "../documents.ts";
import { anyKind } from "../schemas.ts";

const flags = z.strictObject({
  file: z
    .string()
    .meta({ short: "f", placeholder: "file", description: "YAML or JSON file; - reads the input" }),
  dry_run: z
    .boolean()
    .default(false)
    .meta({ description: "check everything, here and on the server, and write nothing" }),
  force: z.boolean().default(false).meta({ description: "replace what exists already" }),
});

export function defineCreate(command: Command, io: CommandIo): void {
  const format = command.createOption("--format <format>", "how to print the result");
  command.addOption(format.choices(["text", "json", "yaml"]).default("text"));
  onCluster(command, io, { schema: flags, act: create });
}

async function create(given: Given<z.output<typeof flags>>): Promise<void> {
  const { cluster, options, format, io } = given;
  const source = await readInput(options.file, io);
  const parsed = parseYamlDocuments({ ...source, schema: anyKind() });
  const write = options.force ? cluster.resources.upsert : cluster.resources.create;
  const written = await write({ documents: parsed.map(toDocument), dryRun: options.dry_run });
  for (const notice of written.notices) io.stderr.write(`note: ${notice}\n`);
  const documents = written.documents.map(({ json }) => anyDocumentOf(json));
  const done = doneWord(options);
  const lines = documents.map(({ kind, metadata }) => `${kind}/${metadata.name} ${done}\n`);
  io.stdout.write(textOf(documents, format, lines));
}

function doneWord({ dry_run: dryRun, force }: z.output<typeof flags>): string {
  if (dryRun) return "is valid; nothing was written";
  return force ? "written" : "created";
}

function textOf(documents: readonly object[], format: OutputFormat, lines: string[]): string {
  if (format === "json") return `${JSON.stringify(documents, null, 2)}\n`;
  return format === "yaml" ? yamlOfAll(documents) : lines.join("");
}
