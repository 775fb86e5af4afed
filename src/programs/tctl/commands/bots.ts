import type { CommandIo } from "#base/cli";
import type { Command } from "commander";
import { noFlags, onCluster, type Given } from "../action.ts";
import { defineBotsAdd } from "./bots/add.ts";
import { defineBotInstances } from "./bots/instances.ts";
import { defineBotsLs } from "./bots/ls.ts";
import { defineBotsUpdate } from "./bots/update.ts";
import { remove } from "./rm.ts";

export function defineBots(command: Command, io: CommandIo): void {
  const child = (name: string, summary: string): Command =>
    command.command(name).summary(summary).description(summary);
  defineBotsAdd(child("add", "add a bot with a token, and print the command that starts it"), io);
  defineBotsUpdate(child("update", "change a bot's roles, limits and recoveries"), io);
  defineBotsLs(child("ls", "list bots, their instances and what joins they have left"), io);
  const rm = child("rm", "remove a bot with its user, role, tokens and instances");
  onCluster(rm.argument("<name>", "name of the bot"), io, { schema: noFlags, act: removeBot });
  defineBotInstances(child("instances", "add and look at the machines that a bot runs on"), io);
}

const removeBot = async ({ cluster, args, io }: Given<object>): Promise<void> =>
  await remove(cluster, { kind: "bot", name: args[0]! }, io);
