import { UsageError, type CommandIo } from "#base/cli";
import type { FlagOptions } from "#base/config";
import type { Command } from "commander";
import { run } from "../run.ts";
import { settingsOf } from "../settings.ts";
import { addConfigurationFlags, readConfiguration } from "./configuration.ts";

export function defineStart(command: Command, io: CommandIo): void {
  command.option(
    "--restored",
    "the store was restored from a backup: for a week, tokens may be moved forward to what their machines prove",
  );
  addConfigurationFlags(command).action(async (options: FlagOptions) => {
    const configuration = await readConfiguration(options, io.env);
    const restored = options["restored"] === true;
    if (restored && !configuration.auth_service.enabled)
      throw new UsageError("--restored is for the cluster itself, and auth_service is not enabled");
    const surroundings = { env: io.env, root: process.getuid?.() === 0 };
    await run(await settingsOf(configuration, surroundings), io, { restored });
  });
}
