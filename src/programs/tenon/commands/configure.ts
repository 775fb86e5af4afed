import type { CommandIo } from "#base/cli";
import { yamlOf, type FlagOptions } from "#base/config";
import type { Command } from "commander";
import { configuration } from "../configuration.ts";
import { addConfigurationFlags, readConfiguration } from "./configuration.ts";

export function defineConfigure(command: Command, io: CommandIo): void {
  addConfigurationFlags(command).action(async (options: FlagOptions) => {
    const read = await readConfiguration(options, io.env);
    io.stdout.write(`version: ${read.version}\n${yamlOf(read, configuration)}`);
  });
}
