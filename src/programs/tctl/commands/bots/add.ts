import { addFormat, printResult, type CommandIo } from "#base/cli";
import { duration, durationMs } from "#base/config";
import { randomToken } from "#base/crypto";
import { systemClock } from "#base/kernel";
import { joinUriOf } from "#domain/join";
import type { Token } from "#domain/resources";
import type { Command } from "commander";
import * as z from "zod";
import { onCluster, type Given } from "../../action.ts";
import { boundToken, onboardingFlags } from "../../bound-token.ts";
import { createAll, found } from "../../documents.ts";
import { entryOf } from "../../join.ts";
import { timeOf } from "../../time.ts";

const flags = z
  .strictObject({
    roles: z.array(z.string().min(1)).min(1).meta({ description: "roles that the bot may use" }),
    join_method: z
      .enum(["bound_keypair", "token"])
      .default("bound_keypair")
      .meta({ description: "how its machine proves itself" }),
    ...onboardingFlags,
    token: z.string().min(1).optional().meta({
      placeholder: "name",
      description: "name of the token (bound_keypair; default: the bot's)",
    }),
    ttl: duration.default("1h").meta({ description: "how long the secret may be used, once" }),
    max_session_ttl: duration
      .optional()
      .meta({ description: "longest lifetime of what it is given" }),
    logins: z
      .array(z.string().min(1))
      .default([])
      .meta({ description: "accounts on nodes that roles with {{internal.logins}} give" }),
  })
  .superRefine((options, context) => {
    if (options.join_method === "bound_keypair") return;
    for (const name of ["public_key", "recovery_limit", "recovery_mode", "token"] as const)
      if (options[name] !== undefined)
        context.addIssue({
          code: "custom",
          path: [name],
          message: "needs --join-method bound_keypair",
        });
  });

type Flags = z.output<typeof flags>;

export function defineBotsAdd(command: Command, io: CommandIo): void {
  command.argument("<name>", "name of the new bot");
  onCluster(addFormat(command), io, { schema: flags, act: addBot });
}

async function addBot({
  cluster,
  args,
  options,
  format,
  io,
  tctl,
  npx,
}: Given<Flags>): Promise<void> {
  const name = args[0]!;
  const until = timeOf(systemClock.now() + durationMs(options.ttl));
  const entry = await entryOf(cluster);
  const token =
    options.join_method === "token"
      ? secretToken(name, until)
      : await boundToken({ bot: name, name: options.token ?? name }, options, until);
  const { documents } = await createAll(cluster, [botOf(name, options), token]);
  const stored = found(documents, "token");
  const uri = joinUriOf(entry, stored);
  const command = `${npx}tbot start identity --destination ./${name} --join-uri '${uri}'`;
  const expires = options.public_key === undefined ? until : "";
  const value = {
    bot: name,
    roles: options.roles,
    token: tokenFacts(stored),
    join_uri: uri,
    expires,
    command,
  };
  await printResult(io, { format, value, text: () => textOf({ ...value, tctl }) });
}

const tokenFacts = ({ metadata, spec }: Token) => ({
  name: metadata.name,
  join_method: spec.join_method,
});

const botOf = (name: string, { roles, max_session_ttl: ttl, logins }: Flags): object => ({
  kind: "bot",
  version: "v1",
  metadata: { name },
  spec: {
    roles,
    ...(logins.length > 0 ? { traits: [{ name: "logins", values: logins }] } : {}),
    ...(ttl === undefined ? {} : { max_session_ttl: ttl }),
  },
});

/** Its name is the secret, and it is gone once used. */
const secretToken = (bot: string, expires: string): object => ({
  kind: "token",
  version: "v2",
  metadata: { name: randomToken(), expires },
  spec: { roles: ["Bot"], bot_name: bot, join_method: "token" },
});

function textOf(value: {
  bot: string;
  roles: readonly string[];
  token: { name: string; join_method: string };
  join_uri: string;
  expires: string;
  command: string;
  tctl: string;
}): string {
  const { bot, roles, join_uri: uri, expires, command, tctl } = value;
  const secret = expires ? `; keep it secret, it is good for one machine until ${expires}` : "";
  return `bot/${bot} created with ${roles.join(", ")}

Join URI${secret}:

  ${uri}

To start the bot, run on its machine:

  ${command}

It writes credentials to ./${bot} and keeps them fresh. Watch it: ${tctl} bots instances ls ${bot}
`;
}
