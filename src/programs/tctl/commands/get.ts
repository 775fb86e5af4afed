import { addFormat, UsageError, type CommandIo, type OutputFormat } from "#base/cli";
import { yamlOfAll } from "#base/config";
import type { AnyResource, KindName } from "#domain/resources";
import type { Command } from "commander";
import * as z from "zod";
import { onCluster, type Given } from "../action.ts";
import { allOf, getOne } from "../documents.ts";
import { parseReferences } from "../references.ts";
import { tableOf } from "../tables.ts";

const flags = z.strictObject({
  labels: z
    .record(z.string(), z.string())
    .default({})
    .meta({ description: "only with these labels" }),
  search: z
    .string()
    .default("")
    .meta({ description: "only where name, a label or a field contains this" }),
  field: z
    .record(z.string(), z.string())
    .default({})
    .meta({ description: "only where a field of the kind has this value, such as bot_name=robot" }),
  sort: z.string().default("").meta({ description: "order by this field instead of the name" }),
  descending: z.boolean().default(false).meta({ description: "last first" }),
});

type Flags = z.output<typeof flags>;

export function defineGet(command: Command, io: CommandIo): void {
  command.argument("<what...>", "kinds (bots), or resources (bot/robot), separated by commas");
  addFormat(command);
  onCluster(command, io, { schema: flags, act: get });
}

async function get({ cluster, args, options, format, io }: Given<Flags>): Promise<void> {
  const references = args.flatMap(parseReferences);
  const filtered = Object.keys(options.labels).length > 0 || options.search !== "";
  if (filtered && references.every(({ name }) => name !== undefined))
    throw new UsageError("--labels and --search choose among a kind; name no single resource");
  const { field, ...rest } = options;
  const groups = [];
  for (const { kind, name } of references) {
    const documents =
      name === undefined
        ? await allOf(cluster, kind, { ...rest, fields: field })
        : [await getOne(cluster, kind, name)];
    groups.push({ kind, documents });
  }
  const single = references.length === 1 && references[0]?.name !== undefined;
  print(io, format, { groups, single });
}

interface Group {
  readonly kind: KindName;
  readonly documents: readonly AnyResource[];
}

/** YAML can be given to `create -f`; JSON of one named resource is that, of anything else a list. */
function print(
  io: CommandIo,
  format: OutputFormat,
  { groups, single }: { groups: readonly Group[]; single: boolean },
): void {
  const all = groups.flatMap(({ documents }) => documents);
  if (format === "yaml") io.stdout.write(yamlOfAll(all));
  else if (format === "json")
    io.stdout.write(`${JSON.stringify(single ? all[0] : all, null, 2)}\n`);
  else io.stdout.write(groups.map(({ kind, documents }) => tableOf(kind, documents)).join("\n"));
}
