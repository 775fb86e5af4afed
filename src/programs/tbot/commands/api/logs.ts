import { UsageError, type CommandIo } from "#base/cli";
import type { Command } from "commander";
import { addSocket, withApi, type SocketOptions } from "./socket.ts";

interface Options extends SocketOptions {
  readonly follow?: boolean;
  readonly service?: string;
  readonly tail?: number;
}

export function defineLogs(command: Command, io: CommandIo): void {
  addSocket(command)
    .option("-f, --follow", "go on with each new line")
    .option("--service <name>", "only lines of this service")
    .option("--tail <lines>", "begin with so many; default: all that the bot still holds", lines);
  command.action(async ({ follow = false, service = "", tail = 0, ...rest }: Options) => {
    await withApi(rest, io, async (api) => {
      try {
        for await (const line of api.logs({ follow, service, tail }, { signal: io.signal }))
          io.stdout.write(`${line}\n`);
      } catch (error) {
        if (!io.signal.aborted) throw error;
      }
    });
  });
}

function lines(text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new UsageError(`--tail "${text}" is not a number of lines`);
}
