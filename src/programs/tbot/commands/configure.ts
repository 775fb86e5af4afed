import type { CommandIo } from "#base/cli";
import { yamlOf } from "#base/config";
import { botConfiguration } from "#services/tbot";
import type { Command } from "commander";
import { addBotArguments } from "../arguments.ts";

export function defineConfigure(command: Command, io: CommandIo): void {
  addBotArguments(command, io, async ({ configuration }) => {
    io.stdout.write(
      `version: ${configuration.version}\n${yamlOf(configuration, botConfiguration)}`,
    );
  });
}
