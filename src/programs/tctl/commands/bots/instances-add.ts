import { addFormat, printResult, type CommandIo } from "#base/cli";
import { duration, durationMs } from "#base/config";
import { systemClock } from "#base/kernel";
import { joinUriOf } from "#domain/join";
import type { Command } from "commander";
import * as z from "zod";
import { onCluster, type Given } from "../../action.ts";
import { boundToken, onboardingFlags } from "../../bound-token.ts";
import type { Cluster } from "../../connect.ts";
import { allOf, createAll, found } from "../../documents.ts";
import { entryOf } from "../../join.ts";
import { timeOf } from "../../time.ts";

const flags = z.strictObject({
  ...onboardingFlags,
  token: z.string().min(1).optional().meta({
    placeholder: "name",
    description: "name of the token (default: the bot's with a number)",
  }),
  ttl: duration.default("1h").meta({ description: "how long the secret may be used, once" }),
});

type Flags = z.output<typeof flags>;

export function defineInstancesAdd(command: Command, io: CommandIo): void {
  command.argument("<bot>", "name of a bot that is there");
  onCluster(addFormat(command), io, { schema: flags, act: addInstance });
}

/** One token is one machine: another machine of a bot gets another token. */
async function addInstance({
  cluster,
  args,
  options,
  format,
  io,
  tctl,
  npx,
}: Given<Flags>): Promise<void> {
  const bot = args[0]!;
  const until = timeOf(systemClock.now() + durationMs(options.ttl));
  const entry = await entryOf(cluster);
  const name = options.token ?? (await freeName(cluster, bot));
  const token = await boundToken({ bot, name }, options, until);
  const { documents } = await createAll(cluster, [token]);
  const uri = joinUriOf(entry, found(documents, "token"));
  const expires = options.public_key === undefined ? until : "";
  const command = `${npx}tbot start identity --destination ./${name} --join-uri '${uri}'`;
  const value = { bot, token: name, join_uri: uri, expires, command };
  await printResult(io, { format, value, text: () => textOf({ ...value, tctl }) });
}

/** `robot-2`: a bot's first token has its own name. */
async function freeName(cluster: Cluster, bot: string): Promise<string> {
  const tokens = await allOf(cluster, "token", { search: bot });
  const taken = new Set(tokens.map(({ metadata }) => metadata.name));
  for (let number = 2; ; number++) {
    if (!taken.has(`${bot}-${number}`)) return `${bot}-${number}`;
  }
}

function textOf(value: {
  bot: string;
  token: string;
  join_uri: string;
  expires: string;
  command: string;
  tctl: string;
}): string {
  const { bot, token, join_uri: uri, expires, command, tctl } = value;
  const secret = expires ? `; keep it secret, it is good for one machine until ${expires}` : "";
  return `token/${token} created: another machine can be bot "${bot}"

Join URI${secret}:

  ${uri}

To start the bot there, run:

  ${command}

Watch it: ${tctl} bots instances ls ${bot}
`;
}
