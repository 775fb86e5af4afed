import { addFormat, printResult, UsageError, type CommandIo, type OutputFormat } from "#base/cli";
import { CodedError, sleep, systemClock } from "#base/kernel";
import { boundKeyIn, holderOfStorage, wishRotation } from "#services/enrolment";
import type { Command } from "commander";
import { readArguments } from "../../arguments.ts";
import { defaultStorage } from "../../default-storage.ts";

interface Options {
  readonly format: OutputFormat;
}

/** A join takes a tenth of a second, a token may take seconds to make a key. */
const PATIENCE_MS = 15_000;
const LOOK_AGAIN_MS = 100;

export function defineKeypairRotate(command: Command, io: CommandIo): void {
  command.option("--storage <path>", "the bot's storage, as for `tbot start`");
  command.option("-c, --config <file>", "the bot's configuration, for its storage");
  addFormat(command).action(async (options: Options) => await rotate(options, io));
}

/** The bot itself makes the new key and proves it: here it is only told to, through its storage. */
async function rotate(options: Options, io: CommandIo): Promise<void> {
  const { configuration } = await readArguments({
    uri: undefined,
    options: { ...options },
    services: [],
    io,
  });
  const storage = configuration.storage ?? defaultStorage(io);
  if (storage.type === "memory")
    throw new UsageError("a storage in memory cannot be reached from here; give --storage");
  const keyId = await wishRotation(storage.path);
  const holder = holderOfStorage(storage.path);
  const told = holder?.pid !== undefined && tell(holder.pid);
  const rotated = told && (await isReplaced(storage.path, keyId, io.signal));
  await printResult(io, {
    format: options.format,
    value: { rotated, running: holder !== undefined, told },
    text: () => `${outcome({ rotated, running: holder !== undefined, told })}\n`,
  });
}

/** It renews at once, and meets the wish. Another user's bot meets it at its next renewal. */
function tell(pid: number): boolean {
  try {
    return process.kill(pid, "SIGUSR1");
  } catch {
    return false;
  }
}

async function isReplaced(path: string, keyId: string, signal: AbortSignal): Promise<boolean> {
  const end = systemClock.monotonic() + PATIENCE_MS;
  while (systemClock.monotonic() < end && !signal.aborted) {
    if ((await boundKeyIn(path)) !== keyId) return true;
    await sleep(systemClock, LOOK_AGAIN_MS, signal).catch(ignoreEnd);
  }
  return false;
}

function ignoreEnd(error: unknown): void {
  if (!(error instanceof CodedError) || error.code !== "canceled") throw error;
}

function outcome(seen: { rotated: boolean; running: boolean; told: boolean }): string {
  if (seen.rotated) return "The bot has replaced its keypair.";
  if (seen.told) return "The bot was told, and has not done it yet: its log says why.";
  const when = seen.running ? "renews" : "starts";
  return `The bot will replace its keypair when it next ${when}.`;
}
