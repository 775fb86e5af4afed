import type { CommandIo } from "#base/cli";
import type { Command } from "commander";
import { addSocket, withApi, type SocketOptions } from "./socket.ts";

export function defineConfig(command: Command, io: CommandIo): void {
  addSocket(command).action(async (options: SocketOptions) => {
    const text = await withApi(
      options,
      io,
      async (api) => await api.configuration({ signal: io.signal }),
    );
    io.stdout.write(text);
  });
}
