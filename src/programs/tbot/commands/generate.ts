import { UsageError, type CommandIo } from "#base/cli";
import { addFlags, valueFromFlags } from "#base/config";
import { systemClock } from "#base/kernel";
import { createLogger } from "#base/observe";
import { BotClient } from "#services/bot-client";
import { generateKinds, generateOutput, type GenerateKind } from "#services/tbot";
import type { Command } from "commander";

/** One-shot credentials from a running bot, as files. */
export function defineGenerate(command: Command, io: CommandIo): void {
  addSocket(command);
  for (const [kind, { aliases, summary, schema }] of Object.entries(generateKinds)) {
    const child = command
      .command(kind)
      .aliases([...aliases])
      .summary(summary)
      .description(summary);
    addFlags(addSocket(child), schema);
    child.action(async () => await generate(kind as GenerateKind, child, io));
  }
}

const addSocket = (command: Command): Command =>
  command.option(
    "--socket <path>",
    "socket of the bot's credential API: a path, unix:///path or file:///path",
  );

async function generate(kind: GenerateKind, child: Command, io: CommandIo): Promise<void> {
  const given = { ...child.parent?.opts(), ...child.opts() };
  const { socket } = given;
  if (typeof socket !== "string")
    throw new UsageError(
      "no socket: give --socket, as the configuration of the running bot has it under `sockets`",
    );
  const options = valueFromFlags({ schema: generateKinds[kind].schema, options: child.opts() });
  const log = createLogger({ level: "warn", format: "text", sink: io.stderr });
  const parts = { socket, clock: systemClock, random: Math.random, logger: log };
  using source = await BotClient.open(parts);
  const { expires, where, names } = await generateOutput({
    kind,
    options,
    source,
    signal: io.signal,
    log,
  });
  const end = new Date(expires).toISOString();
  io.stdout.write(`wrote ${names.join(", ")} to ${where}; valid until ${end}\n`);
}
