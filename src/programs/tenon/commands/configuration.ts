import { UsageError, type CommandIo } from "#base/cli";
import {
  addFlags,
  environmentTree,
  flagTree,
  parseTree,
  readYaml,
  yamlTrees,
  type FlagOptions,
  type Tree,
} from "#base/config";
import type { Command } from "commander";
import { configuration, type Configuration } from "../configuration.ts";

/** Adds `-c` and every flag that the configuration's schema makes. */
export function addConfigurationFlags(command: Command): Command {
  command.option("-c, --config <file>", "configuration file (tenon.yaml); flags go over it");
  return addFlags(command, configuration);
}

/**
 * The file, under the environment, under the flags, checked together. A fault of the flags alone is
 * one of usage.
 */
export async function readConfiguration(
  options: FlagOptions,
  env: CommandIo["env"],
): Promise<Configuration> {
  const flags = usage(() => flagTree(configuration, options));
  const environment = environmentTree(configuration, env);
  const file = options["config"];
  if (typeof file !== "string")
    return usage(() =>
      parseTree({ schema: configuration, what: "the command line", trees: [environment, flags] }),
    );
  const trees: Tree[] = [...yamlTrees(await readYaml(file), "one"), environment, flags];
  return parseTree({ schema: configuration, what: file, trees });
}

export function usage<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof Error ? new UsageError(error.message) : error;
  }
}
