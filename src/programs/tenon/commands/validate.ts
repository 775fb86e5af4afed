import type { CommandIo } from "#base/cli";
import { parseYaml, readYaml } from "#base/config";
import type { Command } from "commander";
import { configuration } from "../configuration.ts";

export function defineValidate(command: Command, io: CommandIo): void {
  command
    .requiredOption("-c, --config <file>", "configuration file to check")
    .action(async ({ config }: { config: string }) => {
      parseYaml({ ...(await readYaml(config)), schema: configuration });
      io.stdout.write(`${config} is valid\n`);
    });
}
