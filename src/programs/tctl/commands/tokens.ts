import { addFormat, printResult, type CommandIo } from "#base/cli";
import { duration, durationMs } from "#base/config";
import { randomToken } from "#base/crypto";
import { systemClock } from "#base/kernel";
import { systemRoles, type SystemRole } from "#domain/resources";
import type { Command } from "commander";
import * as z from "zod";
import { noFlags, onCluster, type Given } from "../action.ts";
import { allOf, createAll } from "../documents.ts";
import { entryOf, joinUri, type Entry } from "../join.ts";
import { printDocuments } from "../print.ts";
import { timeOf } from "../time.ts";
import { remove } from "./rm.ts";

const roleOf = Object.fromEntries(systemRoles.map((role) => [role.toLowerCase(), role]));

const addFlags = z
  .strictObject({
    type: z.enum(Object.keys(roleOf)).meta({ description: "what may join with it" }),
    ttl: duration.default("1h").meta({ description: "how long it may be used, once" }),
    bot: z
      .string()
      .min(1)
      .optional()
      .meta({ placeholder: "name", description: "for --type bot: the bot" }),
  })
  .superRefine(({ type, bot }, context) => {
    const forBot = type === "bot";
    if (forBot && bot === undefined)
      context.addIssue({ code: "custom", path: ["bot"], message: "is required with --type bot" });
    if (!forBot && bot !== undefined)
      context.addIssue({ code: "custom", path: ["bot"], message: "needs --type bot" });
  });

export function defineTokens(command: Command, io: CommandIo): void {
  const summary = "make a token that one machine can join with, once";
  const add = addFormat(command.command("add").summary(summary).description(summary));
  onCluster(add, io, { schema: addFlags, act: addToken });
  const ls = addFormat(command.command("ls").summary("list tokens").description("Lists tokens."));
  onCluster(ls, io, { schema: noFlags, act: listTokens });
  const rm = command.command("rm").summary("remove a token").description("Removes a token.");
  onCluster(rm.argument("<name>", "name of the token"), io, { schema: noFlags, act: removeToken });
}

async function addToken(given: Given<z.output<typeof addFlags>>): Promise<void> {
  const { cluster, options, format, io } = given;
  const role = roleOf[options.type]!;
  const entry = await entryOf(cluster);
  const name = randomToken();
  const expires = timeOf(systemClock.now() + durationMs(options.ttl));
  const bot = options.bot === undefined ? {} : { bot_name: options.bot };
  const spec = { roles: [role], join_method: "token", ...bot };
  await createAll(cluster, [{ kind: "token", version: "v2", metadata: { name, expires }, spec }]);
  const command = commandFor(role, name, entry);
  const value = { token: name, role, ...bot, expires, ca_pins: entry.caPins, command };
  await printResult(io, { format, value, text: () => textOf(value) });
}

function textOf(value: { token: string; role: string; expires: string; command: string }): string {
  const { token, role, expires, command } = value;
  const use = command ? `\nTo use it, run there:\n\n  ${command}\n` : "";
  return `The token for ${role}, good for one join until ${expires}:\n\n  ${token}\n${use}`;
}

/** Empty for what has no command of its own that joins. */
function commandFor(role: SystemRole, token: string, entry: Entry): string {
  if (role === "Bot") {
    const uri = joinUri(entry, { method: "token", token });
    return `tbot start identity --destination ./identity --join-uri '${uri}'`;
  }
  if (role !== "App") return "";
  const pins = entry.caPins.map((pin) => ` --ca-pin ${pin}`).join("");
  const joining = `--proxy-server ${entry.address} --token ${token}${pins}`;
  return `tenon app start --name NAME --uri http://localhost:8080 ${joining}`;
}

async function listTokens({ cluster, format, io }: Given<object>): Promise<void> {
  await printDocuments(io, { format, kind: "token", documents: await allOf(cluster, "token") });
}

const removeToken = async ({ cluster, args, io }: Given<object>): Promise<void> =>
  await remove(cluster, { kind: "token", name: args[0]! }, io);
