import { resolve } from "node:path";
import { UsageError, type CommandIo } from "#base/cli";
import { parseYaml, readYaml } from "#base/config";
import { botConfiguration, checkConfiguration } from "#services/tbot";
import type { Command } from "commander";
import { installUnit } from "../../systemd/install.ts";
import { describeUnit } from "../../systemd/describe.ts";

interface Options {
  readonly config?: string;
  readonly name: string;
  readonly user: string;
  readonly group?: string;
  readonly systemdDirectory: string;
  readonly tbotPath?: string;
  readonly write?: boolean;
  readonly force?: boolean;
}

export function defineInstallSystemd(command: Command, io: CommandIo): void {
  command.option("-c, --config <file>", "the bot's configuration (or TBOT_CONFIG_PATH)");
  command.option("--name <name>", "name of the unit, without .service", "tbot");
  command.option("--user <user>", "whom the bot runs as", "tenon");
  command.option("--group <group>", "its group; without it, the one named like the user");
  command.option("--tbot-path <path>", "the tbot that it runs; without it, this one");
  command.option("--systemd-directory <path>", "where units are", "/etc/systemd/system");
  command.option("--write", "write it there instead of printing it");
  command.option("--force", "also over a unit that says something else");
  command.action(async (options: Options) => await installSystemd(options, io));
}

async function installSystemd(options: Options, io: CommandIo): Promise<void> {
  const path = options.config ?? io.env["TBOT_CONFIG_PATH"];
  if (path === undefined)
    throw new UsageError("no configuration: give -c FILE (tbot configure prints one)");
  if (options.force && !options.write) throw new UsageError("--force is for --write");
  const configuration = parseYaml({ ...(await readYaml(path)), schema: botConfiguration });
  checkConfiguration(configuration);
  const { text, notes } = await describeUnit({ ...options, configuration, file: resolve(path) });
  for (const note of notes) io.stderr.write(`note: ${note}\n`);
  if (!options.write) io.stdout.write(text);
  else
    io.stdout.write(await installUnit({ ...options, text, directory: options.systemdDirectory }));
}
