import type { CommandIo } from "#base/cli";
import { createLogger } from "#base/observe";
import { BotApiClient } from "#services/bot-client";
import type { Command } from "commander";
import { serveMcp } from "../mcp/serve.ts";
import { addSocket, socketOf, type SocketOptions } from "./api/socket.ts";

export function defineMcp(command: Command, io: CommandIo): void {
  addSocket(command).action(async (options: SocketOptions) => {
    // Standard output is the agent's.
    const log = createLogger({ level: "info", format: "text", sink: io.stderr });
    using api = await BotApiClient.open(socketOf(options, io));
    const { stdin, stdout } = process;
    await serveMcp({ api, log }, { stdin, stdout, signal: io.signal });
  });
}
