import { addFormat, printResult, type CommandIo, type OutputFormat } from "#base/cli";
import { VERSION } from "#base/kernel";
import type { Command } from "commander";

export function defineVersion(command: Command, io: CommandIo): void {
  addFormat(command).action(({ format }: { format: OutputFormat }) =>
    printResult(io, { format, value: { version: VERSION }, text: () => `tenon ${VERSION}\n` }),
  );
}
