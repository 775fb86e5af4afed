import { rm } from "node:fs/promises";
import { UsageError, type CommandIo } from "#base/cli";
import { messageOf, systemClock, VERSION, writeFileAtomic, type Logger } from "#base/kernel";
import { createLogger, LogRing, Metrics } from "#base/observe";
import { parseAddress } from "#services/enrolment";
import {
  Bot,
  checkConfiguration,
  Diagnostics,
  enrol,
  hostFacts,
  type BotConfiguration,
  type JoinParameters,
} from "#services/tbot";
import type { Command } from "commander";
import { apiSocket } from "../api-socket.ts";
import { addBotArguments, type BotArguments, type OwnOptions } from "../arguments.ts";
import { defaultStorage } from "../default-storage.ts";
import { notifySystemd } from "../systemd/notify.ts";
import { watchUncaught } from "../uncaught.ts";

export function defineStart(command: Command, io: CommandIo): void {
  addBotArguments(command, io, async (given, options) => await start(given, options, io));
}

async function start(given: BotArguments, options: OwnOptions, io: CommandIo): Promise<void> {
  using renewals = new RenewalSignals(process);
  const { file } = given;
  const parameters = check(given);
  const storage = given.configuration.storage ?? defaultStorage(io);
  const configuration = { ...given.configuration, storage };
  const logs = new LogRing();
  const log = createLogger({
    level: options.debug ? "debug" : "info",
    format: options.logFormat,
    sink: io.stderr,
    ring: logs,
  });
  log.info("tbot starts", { version: VERSION, ...(file ? { configuration: file } : {}) });
  const shared = { configuration, clock: systemClock, log };
  await using enrolled = await enrol({ ...shared, parameters, env: io.env });
  const metrics = new Metrics();
  const { enrolment, storage: opened } = enrolled;
  const bot = new Bot({
    ...shared,
    enrolment,
    ...(opened.spawned === undefined ? {} : { spawned: opened.spawned }),
    host: hostFacts(),
    random: Math.random,
    metrics,
    logs,
    surroundings: { apiSocket: apiSocket(io) },
  });
  await using _diagnostics = await startDiagnostics(configuration, { bot, metrics, log });
  await using _pidFile = await writePidFile(options.pidFile);
  renewals.lead(() => bot.renewNow());
  using _notified = await notifySystemd({
    ...shared,
    env: io.env,
    readiness: bot.readiness,
    signal: io.signal,
  });
  using _uncaught = watchUncaught(process, (error) => bot.blame(error));
  await bot.run(io.signal);
  log.info("tbot ends");
}

/** What a file lacks is a failure; what the command line lacks is a fault of usage. */
function check({ configuration, file }: BotArguments): JoinParameters {
  try {
    return checkConfiguration(configuration);
  } catch (error) {
    throw file === undefined ? new UsageError(messageOf(error)) : error;
  }
}

/** Spec section 5: "`SIGUSR1` and `SIGHUP` renew at once". One that comes early is not lost. */
class RenewalSignals implements Disposable {
  readonly #host: NodeJS.Process;
  readonly #onSignal = (): void => this.#renew();
  #early = false;
  #renew = (): void => void (this.#early = true);

  constructor(host: NodeJS.Process) {
    this.#host = host;
    for (const name of RENEWAL_SIGNALS) host.on(name, this.#onSignal);
  }

  lead(renew: () => void): void {
    this.#renew = renew;
    if (this.#early) renew();
  }

  [Symbol.dispose](): void {
    for (const name of RENEWAL_SIGNALS) this.#host.off(name, this.#onSignal);
  }
}

const RENEWAL_SIGNALS = ["SIGUSR1", "SIGHUP"] as const;

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
