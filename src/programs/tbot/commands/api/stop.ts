import { EndedWith, type CommandIo } from "#base/cli";
import { codeOf, messageOf } from "#base/kernel";
import type { Command } from "commander";
import { addSocket, withApi, type SocketOptions } from "./socket.ts";

export function defineStop(command: Command, io: CommandIo): void {
  command.argument("<name...>", "services to end, as `tbot api status` names them");
  addSocket(command).action(async (names: readonly string[], options: SocketOptions) => {
    await withApi(options, io, async (api) => {
      let failed = false;
      for (const name of names) {
        try {
          await api.stop(name, { signal: io.signal });
          io.stdout.write(`Stopped service: ${name}\n`);
        } catch (error) {
          if (codeOf(error) === "unavailable" || io.signal.aborted) throw error;
          io.stderr.write(`Error: ${messageOf(error)}\n`);
          failed = true;
        }
      }
      if (failed) throw new EndedWith(1);
    });
  });
}
