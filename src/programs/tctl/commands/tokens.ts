import { addFormat, type CommandIo } from "#base/cli";
import type { Command } from "commander";
import { noFlags, onCluster, type Given } from "../action.ts";
import { allOf } from "../documents.ts";
import { printDocuments } from "../print.ts";
import { remove } from "./rm.ts";
import { defineTokensAdd } from "./tokens/add.ts";
import { defineTokensUpdate } from "./tokens/update.ts";

export function defineTokens(command: Command, io: CommandIo): void {
  const child = (name: string, summary: string): Command =>
    command.command(name).summary(summary).description(summary);
  defineTokensAdd(child("add", "make a token that one machine can join with"), io);
  defineTokensUpdate(child("update", "change a token: recoveries, rotation, times"), io);
  const ls = addFormat(command.command("ls").summary("list tokens").description("Lists tokens."));
  onCluster(ls, io, { schema: noFlags, act: listTokens });
  const rm = command.command("rm").summary("remove a token").description("Removes a token.");
  onCluster(rm.argument("<name>", "name of the token"), io, { schema: noFlags, act: removeToken });
}

async function listTokens({ cluster, format, io }: Given<object>): Promise<void> {
  await printDocuments(io, { format, kind: "token", documents: await allOf(cluster, "token") });
}

const removeToken = async ({ cluster, args, io }: Given<object>): Promise<void> =>
  await remove(cluster, { kind: "token", name: args[0]! }, io);
