import type { CommandIo } from "#base/cli";
import { systemClock, type Logger } from "#base/kernel";
import { createLogger } from "#base/observe";
import { BotApiClient, BotClient } from "#services/bot-client";
import type { Command } from "commander";
import { CredentialDirectory } from "../mcp/credential-directory.ts";
import { serveMcp } from "../mcp/serve.ts";
import type { Session } from "../mcp/server.ts";
import { addSocket, socketOf, type SocketOptions } from "./api/socket.ts";

interface Options extends SocketOptions {
  readonly credentialSocket?: string;
  readonly credentialDirectory?: string;
}

export function defineMcp(command: Command, io: CommandIo): void {
  addSocket(command);
  command.option(
    "--credential-socket <path>",
    "socket of the bot's credential API, so that the agent may ask for short credentials",
  );
  command.option(
    "--credential-directory <path>",
    "where those are written; default: a directory that is removed when the agent is gone",
  );
  command.action(async (options: Options) => await serve(options, io));
}

async function serve(options: Options, io: CommandIo): Promise<void> {
  // Standard output is the agent's.
  const log = createLogger({ level: "info", format: "text", sink: io.stderr });
  using api = await BotApiClient.open(socketOf(options, io));
  await using place = new CredentialDirectory(
    options.credentialDirectory,
    io.env["XDG_RUNTIME_DIR"],
  );
  using issuing = await openIssuing(options, { place, log });
  const session: Session = { api, log, ...(issuing ? { issuing: issuing.issuing } : {}) };
  const { stdin, stdout } = process;
  await serveMcp(session, { stdin, stdout, signal: io.signal });
}

async function openIssuing(
  { credentialSocket: socket }: Options,
  { place, log }: { place: CredentialDirectory; log: Logger },
): Promise<(Disposable & { issuing: NonNullable<Session["issuing"]> }) | undefined> {
  if (socket === undefined) return undefined;
  const purpose = "mcp/issue_credential";
  const parts = { socket, purpose, clock: systemClock, random: Math.random, logger: log };
  const source = await BotClient.open(parts);
  return {
    issuing: { source, log, directory: async () => await place.path() },
    [Symbol.dispose]: () => source[Symbol.dispose](),
  };
}
