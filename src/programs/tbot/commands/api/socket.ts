import type { CommandIo } from "#base/cli";
import { CodedError } from "#base/kernel";
import { BotApiClient } from "#services/bot-client";
import type { Command } from "commander";
import { apiSocket } from "../../api-socket.ts";

export interface SocketOptions {
  readonly socket?: string;
}

export const addSocket = (command: Command): Command =>
  command.option(
    "--socket <path>",
    "socket of the running bot: a path or unix:///path; default: TBOT_API_SOCKET, or where `tbot start bot-api` listens",
  );

/** The socket that is named, or the one where a bot of this user takes orders by default. */
export const socketOf = ({ socket }: SocketOptions, io: Pick<CommandIo, "env">): string =>
  socket ?? apiSocket(io);

/** Talks to the bot, and says what to look at when there is none. */
export async function withApi<T>(
  options: SocketOptions,
  io: Pick<CommandIo, "env">,
  act: (api: BotApiClient) => Promise<T>,
): Promise<T> {
  using api = await BotApiClient.open(socketOf(options, io));
  try {
    return await act(api);
  } catch (error) {
    throw isAbsence(error) ? explained(error, options, io) : error;
  }
}

/** Nobody serves the socket, as the system says. */
function isAbsence(error: unknown): error is CodedError {
  if (!(error instanceof CodedError) || error.code !== "unavailable") return false;
  const { cause } = error;
  return cause instanceof Error && "code" in cause && absences.has(String(cause.code));
}

const absences: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ECONNREFUSED"]);

function explained(
  error: CodedError,
  { socket }: SocketOptions,
  { env }: Pick<CommandIo, "env">,
): CodedError {
  const where =
    socket !== undefined
      ? "--socket names it"
      : env["TBOT_API_SOCKET"]
        ? "TBOT_API_SOCKET names it"
        : "it is the default; --socket or TBOT_API_SOCKET name another";
  const hint = `${where}: does \`tbot start bot-api\` run, and listen there? its log tells`;
  return new CodedError(error.code, `${error.message}\n${hint}`, { cause: error });
}
