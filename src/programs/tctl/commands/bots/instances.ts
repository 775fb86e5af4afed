import { addFormat, printResult, UsageError, type CommandIo } from "#base/cli";
import { notFound } from "#base/kernel";
import type { BotInstance } from "#domain/resources";
import type { Command } from "commander";
import { noFlags, onCluster, type Given } from "../../action.ts";
import type { Cluster } from "../../connect.ts";
import { allOf, getOne } from "../../documents.ts";
import { printDocuments } from "../../print.ts";
import { describeInstance } from "./describe-instance.ts";

export function defineBotInstances(command: Command, io: CommandIo): void {
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
  await printDocuments(io, { format, kind: "bot_instance", documents });
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
