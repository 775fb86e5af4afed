import { Option, type Command } from "commander";
import type { CommandIo } from "./io.ts";

const formats = ["text", "json", "yaml"] as const;
export type OutputFormat = (typeof formats)[number];

/** Adds `--format` to a command that lists or shows something. */
export function addFormat(command: Command): Command {
  return command.addOption(
    new Option("-f, --format <format>", "how to print the result").choices(formats).default("text"),
  );
}

/** Prints a result for people (`text`) or for programs (the value itself). */
export async function printResult(
  io: CommandIo,
  options: { format: OutputFormat; value: unknown; text: () => string },
): Promise<void> {
  const { format, value, text } = options;
  if (format === "json") io.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  else if (format === "yaml") io.stdout.write((await import("#base/config")).yamlOf(value));
  else io.stdout.write(text());
}
