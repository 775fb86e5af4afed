import { UsageError, type CommandIo } from "#base/cli";
import { CodedError } from "#base/kernel";
import { BotApiClient } from "#services/bot-client";
import type { Command } from "commander";

export interface SocketOptions {
  readonly socket?: string;
}

export const SOCKET_VARIABLE = "TBOT_API_SOCKET";

export const addSocket = (command: Command): Command =>
  command.option(
    "--socket <path>",
    `socket of the running bot: a path or unix:///path (or ${SOCKET_VARIABLE})`,
  );

/** The socket that was meant; throws `UsageError` when none was named. */
export function socketOf({ socket }: SocketOptions, { env }: Pick<CommandIo, "env">): string {
  const named = socket ?? env[SOCKET_VARIABLE];
  if (named !== undefined && named !== "") return named;
  throw new UsageError(
    `no socket: give --socket, or set ${SOCKET_VARIABLE}, to where a bot runs \`tbot start bot-api --listen unix:///path …\``,
  );
}

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
    throw isAbsence(error) ? explained(error, options) : error;
  }
}

/** Nobody serves the socket, as the system says. */
function isAbsence(error: unknown): error is CodedError {
  if (!(error instanceof CodedError) || error.code !== "unavailable") return false;
  const { cause } = error;
  return cause instanceof Error && "code" in cause && absences.has(String(cause.code));
}

const absences: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ECONNREFUSED"]);

function explained(error: CodedError, { socket }: SocketOptions): CodedError {
  const from = socket === undefined ? `${SOCKET_VARIABLE} says so` : "--socket says so";
  const hint = `is \`tbot start bot-api\` running there? ${from}`;
  return new CodedError(error.code, `${error.message}\n${hint}`, { cause: error });
}
