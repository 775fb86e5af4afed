import { addFormat, formatTable, printResult, UsageError, type CommandIo } from "#base/cli";
import { codeOf, notFound } from "#base/kernel";
import type { BotInstance, Token } from "#domain/resources";
import type { Command } from "commander";
import { noFlags, onCluster, type Given } from "../../action.ts";
import type { Cluster } from "../../connect.ts";
import { allOf, getOne } from "../../documents.ts";
import { columns, joinsLeft, recoveriesUsed } from "../../tables.ts";
import { describeInstance } from "./describe-instance.ts";
import { defineInstancesAdd } from "./instances-add.ts";

export function defineBotInstances(command: Command, io: CommandIo): void {
  const add = command.command("add").summary("let another machine be a bot that is there");
  add.description("Makes another token for a bot: each machine has its own. Prints its join URI.");
  defineInstancesAdd(add, io);
  const ls = command.command("ls").summary("list instances, the last active first");
  ls.description("Lists instances, the last active first.");
  ls.argument("[bot]", "only of this bot");
  onCluster(addFormat(ls), io, { schema: noFlags, act: list });
  const show = command.command("show").summary("show one instance: joins, heartbeats, services");
  show.description("Shows one instance: its joins, heartbeats and services.");
  show.argument("<instance>", "instance id, its first characters, or bot/id");
  onCluster(addFormat(show), io, { schema: noFlags, act: showOne });
}

async function list({ cluster, args, format, io }: Given<object>): Promise<void> {
  const fields: Record<string, string> = args[0] === undefined ? {} : { bot_name: args[0] };
  const filter = { fields, sort: "last_active_at", descending: true };
  const documents = await allOf(cluster, "bot_instance", filter);
  const tokens = await boundTokens(cluster, fields);
  await printResult(io, { format, value: documents, text: () => tableOf(documents, tokens) });
}

/** By the instance that each is bound to. Who may not read tokens sees the instances alone. */
async function boundTokens(
  cluster: Cluster,
  fields: Record<string, string>,
): Promise<ReadonlyMap<string, Token>> {
  try {
    const tokens = await allOf(cluster, "token", {
      fields: { ...fields, join_method: "bound_keypair" },
    });
    return new Map(
      tokens.map((token) => [token.status?.bound_keypair?.bound_bot_instance_id ?? "", token]),
    );
  } catch (error) {
    if (codeOf(error) === "access_denied") return new Map();
    throw error;
  }
}

function tableOf(instances: readonly BotInstance[], tokens: ReadonlyMap<string, Token>): string {
  const tokenOf = ({ spec }: BotInstance): Token | undefined => tokens.get(spec.instance_id);
  const ofToken =
    <T>(read: (token: Token) => T) =>
    (instance: BotInstance): T | undefined => {
      const token = tokenOf(instance);
      return token && read(token);
    };
  const [bot, instance, ...rest] = columns.bot_instance;
  return formatTable(
    instances,
    [
      bot!,
      instance!,
      { heading: "Token", cell: ofToken(({ metadata }) => metadata.name) },
      { heading: "Recoveries", cell: ofToken(recoveriesUsed), align: "right" },
      { heading: "Left", cell: ofToken(joinsLeft), align: "right" },
      ...rest,
    ],
    "No bot instance found.",
  );
}

async function showOne({ cluster, args, format, io }: Given<object>): Promise<void> {
  const instance = await find(cluster, args[0]!);
  await printResult(io, { format, value: instance, text: () => describeInstance(instance) });
}

/** By its whole name, or by the beginning of its id where that names only one. */
async function find(cluster: Cluster, text: string): Promise<BotInstance> {
  const name = text.replace("/", ":");
  if (name.includes(":")) return await getOne(cluster, "bot_instance", name);
  const matching = (await allOf(cluster, "bot_instance", { search: text })).filter((instance) =>
    instance.spec.instance_id.startsWith(text),
  );
  const [instance, ...others] = matching;
  if (!instance)
    throw notFound(`there is no bot instance "${text}"; list them: tctl bots instances ls`);
  if (others.length > 0)
    throw new UsageError(`${matching.length} bot instances begin with "${text}"; give more of it`);
  return instance;
}
