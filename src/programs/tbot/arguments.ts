import { UsageError, type CommandIo } from "#base/cli";
import {
  addFlags,
  environmentTree,
  flagTree,
  parseTree,
  readYaml,
  valueTree,
  yamlTrees,
  type Tree,
} from "#base/config";
import {
  botConfiguration,
  serviceTypes,
  type BotConfiguration,
  type ServiceConfiguration,
} from "#services/tbot";
import { looksLikeJoinUri } from "#domain/join";
import { Option, type Command } from "commander";
import { addServiceCommands } from "./service-commands.ts";

/** What `start` and `configure` hand on. */
export interface BotArguments {
  readonly configuration: BotConfiguration;
  /** The file that it came from, if any. */
  readonly file?: string;
}

/** The options that are of the command line alone. */
export interface OwnOptions {
  readonly debug?: boolean;
  readonly logFormat: "text" | "json";
  readonly pidFile?: string;
}

type Act = (given: BotArguments, options: OwnOptions) => Promise<void>;
type Options = Record<string, unknown>;

/**
 * Gives a command the arguments that `start` and `configure` share: `-c FILE`, the bot's own flags,
 * and a subcommand for each type of service with that service's flags.
 */
export function addBotArguments(command: Command, io: CommandIo, act: Act): void {
  const run = async (
    uri: string | undefined,
    options: Options,
    services: readonly ServiceConfiguration[],
  ): Promise<void> => {
    await act(await readArguments({ uri, options, services, io }), ownOptions(options));
  };
  addOwnFlags(command);
  command.argument("[join-uri]", "join URI, as --join-uri");
  command.action(async (uri: string | undefined) => await run(uri, command.opts(), []));
  addServiceCommands(command, {
    prepare: (child) => void addOwnFlags(child).argument("[join-uri]", "join URI, as --join-uri"),
    act: async ({ child, argument: uri, service }) => {
      const options: Options = { ...command.opts(), ...child.opts() };
      await run(uri, options, [service(options)]);
    },
  });
}

function addOwnFlags(command: Command): Command {
  command.option(
    "-c, --config <file>",
    "configuration file (or TBOT_CONFIG_PATH); flags go over it",
  );
  command.option("-d, --debug", "log everything");
  command.addOption(
    new Option("--log-format <format>", "how to write the log").choices(["text", "json"]),
  );
  command.option("--pid-file <path>", "write the process id here while the bot runs");
  return addFlags(command, botConfiguration);
}

function ownOptions(options: Options): OwnOptions {
  const { debug, logFormat, pidFile } = options;
  return {
    debug: debug === true,
    logFormat: logFormat === "json" ? "json" : "text",
    ...(typeof pidFile === "string" ? { pidFile } : {}),
  };
}

/** The configuration, from the file and what goes over it. */
export async function readArguments(given: {
  uri: string | undefined;
  options: Options;
  services: readonly ServiceConfiguration[];
  io: CommandIo;
}): Promise<BotArguments> {
  const { uri, options, services, io } = given;
  if (uri !== undefined && options["joinUri"] !== undefined)
    throw new UsageError("the join URI is given twice: as an argument and with --join-uri");
  if (uri !== undefined && !looksLikeJoinUri(uri)) {
    const known = Object.keys(serviceTypes).join(", ");
    throw new UsageError(`"${uri}" is neither a service (${known}) nor a join URI (tbot+proxy+…)`);
  }
  const path = options["config"] ?? io.env["TBOT_CONFIG_PATH"];
  const file = typeof path === "string" ? path : undefined;
  const trees: Tree[] = [
    ...(file === undefined ? [valueTree({})] : yamlTrees(await readYaml(file), "one")),
    environmentTree(botConfiguration, io.env),
    flagTree(botConfiguration, options),
    ...(uri === undefined ? [] : [valueTree({ join_uri: uri })]),
  ];
  const configuration = parseTree({
    trees,
    what: file ?? "the command line",
    schema: botConfiguration,
  });
  return {
    configuration: { ...configuration, services: [...configuration.services, ...services] },
    ...(file === undefined ? {} : { file }),
  };
}
