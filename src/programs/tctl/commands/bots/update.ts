import { addFormat, printResult, UsageError, type CommandIo } from "#base/cli";
import { duration } from "#base/config";
import { notFound } from "#base/kernel";
import type { Bot } from "#domain/resources";
import type { Command } from "commander";
import * as z from "zod";
import { onCluster, type Given } from "../../action.ts";
import { recoveryFlags } from "../../bound-token.ts";
import { withRecovery } from "../../change-token.ts";
import type { Cluster } from "../../connect.ts";
import { allOf, changeAll, getOne } from "../../documents.ts";

const roleList = z.array(z.string().min(1)).default([]);

const flags = z
  .strictObject({
    add_roles: roleList.meta({ description: "roles that it may use as well" }),
    remove_roles: roleList.meta({ description: "roles that it may no longer use" }),
    set_roles: roleList.meta({ description: "all roles that it may use" }),
    set_logins: roleList.meta({ description: "all accounts on nodes that it has" }),
    max_session_ttl: duration
      .optional()
      .meta({ description: "longest lifetime of what it is given" }),
    ...recoveryFlags,
    token: z.string().min(1).optional().meta({
      placeholder: "name",
      description: "which token's recoveries, where the bot has several",
    }),
  })
  .superRefine((options, context) => {
    if (options.set_roles.length > 0 && options.add_roles.length + options.remove_roles.length > 0)
      context.addIssue({
        code: "custom",
        path: ["set_roles"],
        message: "says all roles, so add_roles and remove_roles have no part beside it",
      });
    if (!changesBot(options) && !changesToken(options))
      context.addIssue({ code: "custom", message: "nothing to change; give one of the flags" });
  });

type Flags = z.output<typeof flags>;

const changesBot = (options: Pick<Flags, keyof Flags>): boolean =>
  options.max_session_ttl !== undefined ||
  [options.add_roles, options.remove_roles, options.set_roles, options.set_logins].some(
    (list) => list.length > 0,
  );

const changesToken = ({ recovery_limit: limit, recovery_mode: mode }: Flags): boolean =>
  limit !== undefined || mode !== undefined;

export function defineBotsUpdate(command: Command, io: CommandIo): void {
  command.argument("<name>", "name of the bot");
  onCluster(addFormat(command), io, { schema: flags, act: updateBot });
}

/** The bot and its token change together, or neither does. */
async function updateBot({ cluster, args, options, format, io }: Given<Flags>): Promise<void> {
  const name = args[0]!;
  const tokenName = changesToken(options) ? await tokenOf(cluster, name, options.token) : undefined;
  const { documents, notices } = await changeAll(
    cluster,
    async () => [
      ...(changesBot(options) ? [await getOne(cluster, "bot", name)] : []),
      ...(tokenName === undefined ? [] : [await getOne(cluster, "token", tokenName)]),
    ],
    (read) =>
      read.map((document) =>
        document.kind === "bot" ? withFlags(document, options) : withRecovery(document, options),
      ),
  );
  for (const notice of notices) io.stderr.write(`note: ${notice}\n`);
  const text = (): string =>
    documents.map(({ kind, metadata }) => `${kind}/${metadata.name} changed\n`).join("");
  await printResult(io, { format, value: documents, text });
}

/** The bound_keypair token whose limit is meant. */
async function tokenOf(cluster: Cluster, bot: string, named?: string): Promise<string> {
  const tokens = await allOf(cluster, "token", {
    fields: { bot_name: bot, join_method: "bound_keypair" },
  });
  const names = tokens.map(({ metadata }) => metadata.name);
  if (named !== undefined && names.includes(named)) return named;
  if (names.length === 0)
    throw notFound(
      `bot "${bot}" has no token of join method bound_keypair, which counts recoveries`,
    );
  if (named === undefined && names.length === 1) return names[0]!;
  throw new UsageError(
    `bot "${bot}" has the tokens ${names.map((name) => `"${name}"`).join(", ")}; name one with --token`,
  );
}

function withFlags(bot: Bot, options: Flags): Bot {
  const { add_roles, remove_roles, set_roles, set_logins, max_session_ttl } = options;
  const base = set_roles.length > 0 ? set_roles : bot.spec.roles;
  const roles = [...new Set([...base, ...add_roles])].filter(
    (role) => !remove_roles.includes(role),
  );
  const traits =
    set_logins.length > 0
      ? [
          ...bot.spec.traits.filter(({ name }) => name !== "logins"),
          { name: "logins", values: set_logins },
        ]
      : bot.spec.traits;
  return {
    ...bot,
    spec: {
      ...bot.spec,
      roles,
      traits,
      ...(max_session_ttl === undefined ? {} : { max_session_ttl }),
    },
  };
}
