import { request } from "node:http";
import { UsageError, type CommandIo } from "#base/cli";
import { duration, durationMs } from "#base/config";
import {
  CodedError,
  codeOf,
  deadline,
  messageOf,
  notFound,
  sleep,
  systemClock,
  timedOut,
} from "#base/kernel";
import { parseAddress, type Address } from "#services/enrolment";
import type { Command } from "commander";

const LOOK_AGAIN_MS = 100;

interface Options {
  readonly diagAddr: Address;
  readonly service?: string;
  readonly timeout: string;
}

/** Waits for *healthy*, and meanwhile tolerates a bot whose listener is not up yet. */
export function defineWait(command: Command, io: CommandIo): void {
  command.requiredOption("--diag-addr <host:port>", "diagnostics address of the bot", addressOf);
  command.option("--service <name>", "wait for this service only");
  command.option("--timeout <duration>", "give up after this time", durationOf, "60s");
  command.action(async (options: Options) => {
    using limit = deadline(systemClock, durationMs(options.timeout), io.signal);
    io.stdout.write(await untilReady(options, limit.signal, io.signal));
  });
}

async function untilReady(
  options: Options,
  limit: AbortSignal,
  stop: AbortSignal,
): Promise<string> {
  for (let last = "no answer yet"; ;) {
    try {
      const answer = await ask(options, limit);
      if (answer.ready) return answer.text;
      last = answer.text.trim();
    } catch (error) {
      if (codeOf(error) === "not_found") throw error;
      if (!limit.aborted) last = messageOf(error);
    }
    if (stop.aborted) throw new CodedError("canceled", "stopped waiting");
    if (limit.aborted) throw timedOut(`not ready after ${options.timeout}: ${last}`);
    await sleep(systemClock, LOOK_AGAIN_MS, limit).catch(() => {});
  }
}

function ask(
  { diagAddr: { host, port }, service }: Options,
  signal: AbortSignal,
): Promise<{ ready: boolean; text: string }> {
  const path = service === undefined ? "/readyz" : `/readyz/${encodeURIComponent(service)}`;
  return new Promise((resolve, reject) => {
    request({ host, port, path, signal, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("end", () => {
        if (response.statusCode === 404) reject(notFound(`the bot answers: ${text.trim()}`));
        else resolve({ ready: response.statusCode === 200, text });
      });
      response.on("error", reject);
    })
      .on("error", reject)
      .end();
  });
}

function addressOf(text: string): Address {
  try {
    return parseAddress(text, 0);
  } catch (error) {
    throw new UsageError(`--diag-addr ${messageOf(error)}`);
  }
}

function durationOf(text: string): string {
  const parsed = duration.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new UsageError(`--timeout "${text}" is not a duration; write 90s, 5m or 1h30m`);
}
