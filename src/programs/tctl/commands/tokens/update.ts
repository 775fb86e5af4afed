import { addFormat, printResult, type CommandIo } from "#base/cli";
import { tokenDisplayName, type Token } from "#domain/resources";
import type { Command } from "commander";
import * as z from "zod";
import { onCluster, type Given } from "../../action.ts";
import { recoveryFlags } from "../../bound-token.ts";
import { withRecovery, withTimes } from "../../change-token.ts";
import { changeAll, found, getOne } from "../../documents.ts";
import { future, futureTime } from "../../time.ts";

const time = future.optional();

const flags = z
  .strictObject({
    ...recoveryFlags,
    rotate_after: time.meta({
      placeholder: "time",
      description: "a join after this time (or so long from now) must bring a new key; or never",
    }),
    must_register_before: time.meta({
      placeholder: "time",
      description: "until when the registration secret is taken; or never, for no end",
    }),
    expires: time.meta({
      placeholder: "time",
      description: "when the token goes by itself; or never",
    }),
    description: z.string().max(1024).optional().meta({ description: "for people" }),
  })
  .superRefine((options, context) => {
    if (Object.values(options).every((value) => value === undefined))
      context.addIssue({ code: "custom", message: "nothing to change; give one of the flags" });
  });

type Flags = z.output<typeof flags>;

export function defineTokensUpdate(command: Command, io: CommandIo): void {
  command.argument("<name>", "name of the token");
  onCluster(addFormat(command), io, { schema: flags, act: updateToken });
}

async function updateToken({ cluster, args, options, format, io }: Given<Flags>): Promise<void> {
  const { documents, notices } = await changeAll(
    cluster,
    async () => [await getOne(cluster, "token", args[0]!)],
    (tokens) => tokens.map((token) => withFlags(token, options)),
  );
  for (const notice of notices) io.stderr.write(`note: ${notice}\n`);
  const value = found(documents, "token");
  const text = (): string => `token/${tokenDisplayName(value)} changed\n`;
  await printResult(io, { format, value, text });
}

function withFlags(token: Token, options: Flags): Token {
  const { expires, description, rotate_after, must_register_before, ...recovery } = options;
  const counted = withRecovery(token, recovery);
  const timed = withTimes(counted, { rotate_after, must_register_before });
  const metadata = {
    ...timed.metadata,
    ...(expires === undefined ? {} : { expires: futureTime(expires) }),
    ...(description === undefined ? {} : { description }),
  };
  return { ...timed, metadata };
}
