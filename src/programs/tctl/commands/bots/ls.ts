import { addFormat, formatTable, printResult, type CommandIo } from "#base/cli";
import { lastActiveAt, type BotInstance, type Token } from "#domain/resources";
import type { Command } from "commander";
import { noFlags, onCluster, type Given } from "../../action.ts";
import { allOf } from "../../documents.ts";
import { joinsLeft } from "../../tables.ts";
import { secondsOf } from "../../time.ts";

export function defineBotsLs(command: Command, io: CommandIo): void {
  onCluster(addFormat(command), io, { schema: noFlags, act: listBots });
}

async function listBots({ cluster, format, io }: Given<object>): Promise<void> {
  const [bots, tokens, instances] = await Promise.all([
    allOf(cluster, "bot"),
    allOf(cluster, "token"),
    allOf(cluster, "bot_instance"),
  ]);
  const rows = bots.map(({ metadata, spec }) => {
    const { name } = metadata;
    const own = instances.filter((instance) => instance.spec.bot_name === name);
    const entries = tokens.filter((token) => token.spec.bot_name === name);
    return { name, roles: spec.roles, ...activityOf(own), tokens: entries.map(tokenOf) };
  });
  await printResult(io, { format, value: rows, text: () => tableOf(rows) });
}

const activityOf = (instances: readonly BotInstance[]) => ({
  instances: instances.length,
  last_active_at: instances.map(lastActiveAt).sort().at(-1) ?? "",
});

const tokenOf = (token: Token) => ({
  name: token.metadata.name,
  join_method: token.spec.join_method,
  joins_left: joinsLeft(token),
});

type Row = {
  readonly name: string;
  readonly roles: readonly string[];
  readonly instances: number;
  readonly last_active_at: string;
  readonly tokens: readonly ReturnType<typeof tokenOf>[];
};

function tableOf(rows: readonly Row[]): string {
  return formatTable(
    rows,
    [
      { heading: "Name", cell: ({ name }) => name },
      { heading: "Roles", cell: ({ roles }) => roles.join(", ") },
      { heading: "Instances", cell: ({ instances }) => instances, align: "right" },
      { heading: "Last active", cell: (row) => secondsOf(row.last_active_at) || "never" },
      { heading: "Joins left", cell: ({ tokens }) => tokens.map(joinsText).join(", ") },
    ],
    "No bots. Add one: tctl bots add NAME --roles access",
  );
}

const joinsText = (token: Row["tokens"][number]): string =>
  `${token.joins_left} (${token.join_method})`;
