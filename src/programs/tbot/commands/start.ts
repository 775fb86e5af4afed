import { readFile, rm } from "node:fs/promises";
import { arch, homedir, hostname, platform } from "node:os";
import { join } from "node:path";
import type { CommandIo } from "#base/cli";
import { durationMs } from "#base/config";
import {
  messageOf,
  notFound,
  systemClock,
  VERSION,
  writeFileAtomic,
  type Clock,
  type Logger,
} from "#base/kernel";
import { createLogger, Metrics } from "#base/observe";
import { JoinClient } from "#domain/join";
import { Enrolment, parseAddress } from "#services/enrolment";
import {
  Bot,
  checkConfiguration,
  Diagnostics,
  openBotStorage,
  type BotConfiguration,
  type HostFacts,
  type JoinParameters,
} from "#services/tbot";
import type { Command } from "commander";
import { addBotArguments, type BotArguments } from "../arguments.ts";

interface Options {
  readonly debug?: boolean;
  readonly logFormat?: string;
  readonly pidFile?: string;
}

export function defineStart(command: Command, io: CommandIo): void {
  addBotArguments(command, io, async (given, options) => await start(given, options, io));
}

async function start(
  { configuration, file }: BotArguments,
  options: Options,
  io: CommandIo,
): Promise<void> {
  const clock = systemClock;
  const log = createLogger({
    level: options.debug ? "debug" : "info",
    format: options.logFormat === "json" ? "json" : "text",
    sink: io.stderr,
  });
  const parameters = checkConfiguration(configuration);
  log.info("tbot starts", {
    version: VERSION,
    ...(file === undefined ? {} : { configuration: file }),
  });
  using enrolment = await enrol({ configuration, parameters, clock, log, io });
  const metrics = new Metrics();
  const bot = new Bot({
    configuration,
    enrolment,
    host: hostFacts(),
    clock,
    random: Math.random,
    log,
    metrics,
  });
  await using _diagnostics = await startDiagnostics(configuration, { bot, metrics, log });
  await using _pidFile = await writePidFile(options.pidFile);
  for (const name of ["SIGUSR1", "SIGHUP"] as const) process.on(name, () => bot.renewNow());
  await bot.run(io.signal);
  log.info("tbot ends");
}

async function enrol(options: {
  configuration: BotConfiguration;
  parameters: JoinParameters;
  clock: Clock;
  log: Logger;
  io: CommandIo;
}): Promise<Enrolment> {
  const { configuration, parameters, clock, log, io } = options;
  const storage = await openBotStorage(configuration.storage ?? defaultStorage(io), log);
  const secret = await registrationSecret(parameters, io);
  const client = new JoinClient({
    settings: {
      ...parameters,
      role: "Bot",
      host: hostFacts(),
      ttlMs: durationMs(configuration.credential_ttl),
      ...(secret === undefined ? {} : { registrationSecret: secret }),
    },
    storage: storage.join,
    keys: storage.keys,
    clock,
    logger: log,
  });
  return await Enrolment.open({
    address: parameters.address,
    caPins: parameters.caPins,
    join: client,
    storage: storage.join,
    clock,
  });
}

async function registrationSecret(
  parameters: JoinParameters,
  io: CommandIo,
): Promise<string | undefined> {
  const { registrationSecret: given, registrationSecretPath: path } = parameters;
  if (path === undefined) return given ?? io.env["TBOT_REGISTRATION_SECRET"];
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    throw notFound(`cannot read the registration secret from "${path}" (${messageOf(error)})`, {
      cause: error,
    });
  }
}

function defaultStorage({ env }: CommandIo): NonNullable<BotConfiguration["storage"]> {
  const state = env["XDG_STATE_HOME"] ?? join(homedir(), ".local/state");
  const path = process.getuid?.() === 0 ? "/var/lib/tenon/bot" : join(state, "tenon/bot");
  return { type: "directory", path, symlinks: "try-secure", acls: "try", readers: [] };
}

async function startDiagnostics(
  { diag_addr }: BotConfiguration,
  { bot, metrics, log }: { bot: Bot; metrics: Metrics; log: Logger },
): Promise<AsyncDisposable | undefined> {
  if (diag_addr === undefined) return undefined;
  return await Diagnostics.start({
    ...parseAddress(diag_addr, 0),
    readiness: bot.readiness,
    metrics,
    log,
    pid: process.pid,
  });
}

async function writePidFile(path: string | undefined): Promise<AsyncDisposable | undefined> {
  if (path === undefined) return undefined;
  await writeFileAtomic(path, `${process.pid}\n`, { mode: 0o644 });
  return { [Symbol.asyncDispose]: async () => await rm(path, { force: true }) };
}

function hostFacts(): HostFacts {
  return { version: VERSION, hostname: hostname(), os: platform(), architecture: arch() };
}
