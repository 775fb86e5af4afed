import type { CommandIo } from "#base/cli";
import { parseYaml, readYaml } from "#base/config";
import { botConfiguration, checkConfiguration } from "#services/tbot";
import type { Command } from "commander";

export function defineValidate(command: Command, io: CommandIo): void {
  command.requiredOption("-c, --config <file>", "configuration file to check");
  command.action(async ({ config }: { config: string }) => {
    const configuration = parseYaml({ ...(await readYaml(config)), schema: botConfiguration });
    checkConfiguration(configuration);
    io.stdout.write(`${config} is valid: ${configuration.services.length} service(s)\n`);
  });
}
