import { readInput, UsageError, type CommandIo } from "#base/cli";
import { didYouMean, durationMs, parseYaml } from "#base/config";
import { CodedError, codeOf } from "#base/kernel";
import { serviceList, serviceTypes, type ServiceConfiguration } from "#services/tbot";
import type { Command } from "commander";
import { durationOption } from "../../duration-option.ts";
import { listForBot } from "../../service-list.ts";
import { addServiceCommands, serviceWords } from "../../service-commands.ts";
import { refuseBotFlags } from "./bot-flags.ts";
import { narrated } from "./narrate.ts";
import { notAccepted, tellOutcome } from "./outcome.ts";
import { addSocket, withApi, type SocketOptions } from "./socket.ts";

interface Options extends SocketOptions {
  readonly file?: string;
  readonly skipWait?: boolean;
  readonly timeout?: string;
  readonly idempotencyKey?: string;
}

const EXIT_CODES = `
Exit codes:
  0  every service is healthy, or has ended without error
  1  a service failed or is unhealthy (it goes on trying), or the bot could not be reached
  2  not accepted: nothing was started
  3  timed out: a service has not reported yet (it goes on starting)`;

export function defineSpawn(command: Command, io: CommandIo): void {
  addOptions(command);
  command.option(
    "-f, --file <file>",
    "a YAML list of services, as in tbot.yaml; - is standard input",
  );
  command.argument("[service]", "its type, with the flags below it");
  command.action(async (word: string | undefined) => {
    const options: Options = command.opts();
    if (options.file === undefined || word !== undefined) throw new UsageError(missing(word));
    await spawn(options, io, await fromFile(options.file, io));
  });
  addServiceCommands(command, {
    prepare: (child, subject) => {
      refuseBotFlags(addOptions(child));
      if (subject) child.argument(`[${subject.name}]`, `as --${subject.name}`);
    },
    act: async ({ child, argument, service }) => {
      const options: Options = { ...command.opts(), ...child.opts() };
      if (options.file !== undefined) throw new UsageError("give a service or --file, not both");
      await spawn(options, io, [service({ ...options }, argument)]);
    },
  });
}

const addOptions = (command: Command): Command =>
  addSocket(command)
    .option("--skip-wait", "return once the services are accepted")
    .addOption(durationOption("--timeout", "wait no longer than this for them to be healthy"))
    .option("--idempotency-key <key>", "the same key with the same list starts nothing twice")
    .addHelpText("after", EXIT_CODES);

function missing(word: string | undefined): string {
  const types = Object.keys(serviceTypes);
  if (word === undefined) return `name a service (${types.join(", ")}), or give --file`;
  return `"${word}" is not a service (${types.join(", ")})${didYouMean(word, serviceWords())}`;
}

async function fromFile(file: string, io: CommandIo): Promise<readonly ServiceConfiguration[]> {
  const source = await readInput(file, io);
  try {
    return parseYaml({ ...source, schema: serviceList });
  } catch (error) {
    throw notAccepted(error, io);
  }
}

/** Asks the running bot, and tells what came of it. */
async function spawn(
  options: Options,
  io: CommandIo,
  services: readonly ServiceConfiguration[],
): Promise<void> {
  const { timeout, skipWait = false, idempotencyKey } = options;
  const request = {
    configuration: listForBot(services),
    skipWait,
    ...(timeout === undefined ? {} : { timeoutMs: durationMs(timeout) }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  };
  const outcome = await withApi(options, io, async (api) => {
    try {
      return await narrated(api, io, () => api.spawn(request, { signal: io.signal }));
    } catch (error) {
      if (io.signal.aborted) throw leftAlone();
      throw codeOf(error) === "unavailable" ? error : notAccepted(error, io);
    }
  });
  tellOutcome(outcome, { io, timeout });
}

const leftAlone = (): CodedError =>
  new CodedError(
    "canceled",
    "stopped waiting; what was asked for goes on: `tbot api status` shows it, `tbot api stop NAME` ends it",
  );
