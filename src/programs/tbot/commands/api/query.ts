import { UsageError, type CommandIo } from "#base/cli";
import { didYouMean, valueFromFlags, addFlags, yamlOf } from "#base/config";
import { queryKinds, type Found, type QueryKind } from "#services/bot-client";
import { Option, type Command } from "commander";
import * as z from "zod";
import { ansibleInventory } from "./ansible.ts";
import { addSocket, withApi, type SocketOptions } from "./socket.ts";

const formats = ["names", "json", "yaml", "ansible"] as const;
type Format = (typeof formats)[number];

const flags = z.strictObject({
  label: z
    .record(z.string(), z.string())
    .default({})
    .meta({ flagAliases: ["labels"], description: "only with these labels; * takes any value" }),
});

/** Other words for what may be asked for. */
const otherWords: Readonly<Record<string, QueryKind>> = {
  node: "nodes",
  app: "apps",
  application: "apps",
  applications: "apps",
  database: "databases",
  db: "databases",
  dbs: "databases",
  kubernetes: "kube",
  k8s: "kube",
};

export function defineQuery(command: Command, io: CommandIo): void {
  command.argument("<kind>", `what to look for: ${queryKinds.join(", ")}`);
  addFlags(addSocket(command), flags);
  command.addOption(
    new Option("-f, --format <format>", "names, one a line; or an Ansible inventory of nodes")
      .choices(formats)
      .default("names"),
  );
  command.action(async (word: string, options: SocketOptions & { format: Format }) => {
    const kind = kindOf(word);
    const { format } = options;
    if (format === "ansible" && kind !== "nodes")
      throw new UsageError(`an Ansible inventory is of nodes; ${kind} have no hosts to log in to`);
    const { label } = valueFromFlags({ schema: flags, options: command.opts() });
    const found = await withApi(
      options,
      io,
      async (api) => await api.query(kind, label, { signal: io.signal }),
    );
    io.stdout.write(printed(found, format));
  });
}

function kindOf(word: string): QueryKind {
  const kind = queryKinds.find((each) => each === word) ?? otherWords[word];
  if (kind !== undefined && Object.values<string>(queryKinds).includes(kind)) return kind;
  throw new UsageError(
    `"${word}" is nothing to look for; allowed: ${queryKinds.join(", ")}${didYouMean(word, queryKinds)}`,
  );
}

function printed(found: readonly Found[], format: Format): string {
  if (format === "names") return found.map(({ name }) => `${name}\n`).join("");
  if (format === "json") return `${JSON.stringify(found.map(plain), null, 2)}\n`;
  return yamlOf(format === "yaml" ? found.map(plain) : ansibleInventory(found));
}

/** Without what is empty. */
const plain = (found: Found): object =>
  Object.fromEntries(Object.entries(found).filter(([, value]) => value !== ""));
