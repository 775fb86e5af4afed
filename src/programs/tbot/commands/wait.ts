import { UsageError, type CommandIo } from "#base/cli";
import { durationMs } from "#base/config";
import {
  CodedError,
  codeOf,
  deadline,
  messageOf,
  sleep,
  systemClock,
  timedOut,
} from "#base/kernel";
import { parseAddress, type Address } from "#services/enrolment";
import type { Command } from "commander";
import { durationOption } from "../duration-option.ts";
import { addSocket, socketOf, type SocketOptions } from "./api/socket.ts";
import { askDiagnostics, askSocket, type Ask } from "./wait/ask.ts";

const LOOK_AGAIN_MS = 100;

interface Options extends SocketOptions {
  readonly diagAddr?: Address;
  readonly service?: string;
  readonly timeout: string;
}

/** Waits for *healthy*, and meanwhile tolerates a bot that does not answer yet. */
export function defineWait(command: Command, io: CommandIo): void {
  command.option("--diag-addr <host:port>", "diagnostics address of the bot", addressOf);
  addSocket(command);
  command.option("--service <name>", "wait for this service only");
  command.addOption(durationOption("--timeout", "give up after this time").default("60s"));
  command.action(async (options: Options) => {
    const ask = askOf(options, io);
    using limit = deadline(systemClock, durationMs(options.timeout), io.signal);
    io.stdout.write(await untilReady(ask, { ...options, limit: limit.signal, stop: io.signal }));
  });
}

function askOf(options: Options, io: CommandIo): Ask {
  const { diagAddr, socket, service } = options;
  if (diagAddr && socket !== undefined)
    throw new UsageError("--diag-addr and --socket are two ways to one bot; give one of them");
  return diagAddr ? askDiagnostics(diagAddr, service) : askSocket(socketOf(options, io), service);
}

async function untilReady(
  ask: Ask,
  { timeout, limit, stop }: { timeout: string; limit: AbortSignal; stop: AbortSignal },
): Promise<string> {
  for (let last = "no answer yet"; ;) {
    try {
      const answer = await ask(limit);
      if (answer.ready) return answer.text;
      last = answer.text.trim();
    } catch (error) {
      if (codeOf(error) === "not_found") throw error;
      if (!limit.aborted) last = messageOf(error);
    }
    if (stop.aborted) throw new CodedError("canceled", "stopped waiting");
    if (limit.aborted) throw timedOut(`not ready after ${timeout}: ${last}`);
    await sleep(systemClock, LOOK_AGAIN_MS, limit).catch(() => {});
  }
}

function addressOf(text: string): Address {
  try {
    return parseAddress(text, 0);
  } catch (error) {
    throw new UsageError(`--diag-addr ${messageOf(error)}`);
  }
}
