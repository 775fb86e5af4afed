import { request } from "node:http";
import type { CommandIo } from "#base/cli";
import { durationMs } from "#base/config";
import { CodedError, messageOf, sleep, systemClock, timedOut } from "#base/kernel";
import { parseAddress } from "#services/enrolment";
import type { Command } from "commander";

const LOOK_AGAIN_MS = 100;

interface Options {
  readonly diagAddr: string;
  readonly service?: string;
  readonly timeout: string;
}

/** Waits for *healthy*, and meanwhile tolerates a bot whose listener is not up yet. */
export function defineWait(command: Command, io: CommandIo): void {
  command.requiredOption("--diag-addr <host:port>", "diagnostics address of the bot");
  command.option("--service <name>", "wait for this service only");
  command.option("--timeout <duration>", "give up after this time", "60s");
  command.action(async (options: Options) => {
    const end = systemClock.monotonic() + durationMs(options.timeout);
    for (let last = "no answer yet"; ;) {
      const answer = await ask(options, io.signal).catch((error: unknown) => ({
        ready: false,
        text: messageOf(error),
      }));
      if (answer.ready) return void io.stdout.write(answer.text);
      last = answer.text.trim();
      if (io.signal.aborted) throw new CodedError("canceled", "stopped waiting");
      if (systemClock.monotonic() > end)
        throw timedOut(`not ready after ${options.timeout}: ${last}`);
      await sleep(systemClock, LOOK_AGAIN_MS, io.signal);
    }
  });
}

function ask(
  { diagAddr, service }: Options,
  signal: AbortSignal,
): Promise<{ ready: boolean; text: string }> {
  const { host, port } = parseAddress(diagAddr, 0);
  const path = service === undefined ? "/readyz" : `/readyz/${encodeURIComponent(service)}`;
  return new Promise((resolve, reject) => {
    request({ host, port, path, signal, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("end", () => resolve({ ready: response.statusCode === 200, text }));
      response.on("error", reject);
    })
      .on("error", reject)
      .end();
  });
}
