import type { CommandIo } from "#base/cli";
import type { FlagOptions } from "#base/config";
import type { Command } from "commander";
import { run } from "../run.ts";
import { settingsOf } from "../settings.ts";
import { addConfigurationFlags, readConfiguration } from "./configuration.ts";

export function defineStart(command: Command, io: CommandIo): void {
  addConfigurationFlags(command).action(async (options: FlagOptions) => {
    const configuration = await readConfiguration(options, io.env);
    await run(await settingsOf(configuration, { env: io.env, root: process.getuid?.() === 0 }), io);
  });
}
