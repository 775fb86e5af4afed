import {
  addFormat,
  formatTable,
  printResult,
  type Column,
  type CommandIo,
  type OutputFormat,
} from "#base/cli";
import type { BotApiClient, RemoteEvent, RemoteStatus } from "#services/bot-client";
import type { Command } from "commander";
import { addSocket, withApi, type SocketOptions } from "./socket.ts";

interface Options extends SocketOptions {
  readonly format: OutputFormat;
  readonly watch?: boolean;
}

export function defineStatus(command: Command, io: CommandIo): void {
  command.argument("[name]", "only this service");
  addFormat(addSocket(command)).option("-w, --watch", "go on with each change, a line each");
  command.action(async (name: string | undefined, options: Options) => {
    await withApi(options, io, async (api) => {
      if (options.watch) await watch(api, { name, io, format: options.format });
      else await show(api, { name, io, format: options.format });
    });
  });
}

interface Wanted {
  readonly name: string | undefined;
  readonly io: CommandIo;
  readonly format: OutputFormat;
}

async function show(api: BotApiClient, { name, io, format }: Wanted): Promise<void> {
  const statuses = await api.statuses(name, { signal: io.signal });
  const values = statuses.map(plain);
  await printResult(io, {
    format,
    value: name === undefined ? values : values[0],
    text: () => formatTable(statuses, columns, "No services."),
  });
}

const columns: readonly Column<RemoteStatus>[] = [
  { heading: "Name", cell: ({ name }) => name },
  { heading: "Type", cell: ({ type }) => type },
  { heading: "Status", cell: ({ status }) => status },
  { heading: "Since", cell: ({ updatedAt }) => secondsOf(updatedAt) },
  { heading: "From", cell: ({ spawned }) => (spawned ? "api" : "start") },
  { heading: "Reason", cell: ({ reason }) => reason },
];

async function watch(api: BotApiClient, { name, io, format }: Wanted): Promise<void> {
  // A name that is not there would be waited for in vain.
  if (name !== undefined) await api.statuses(name, { signal: io.signal });
  try {
    for await (const event of api.watch({ signal: io.signal })) {
      if (name !== undefined && event.service.name !== name) continue;
      io.stdout.write(format === "text" ? lineOf(event) : documentOf(event, format));
    }
  } catch (error) {
    if (!io.signal.aborted) throw error;
  }
}

function lineOf({ event, service }: RemoteEvent): string {
  const { name, status, reason, updatedAt } = service;
  const what = event === "current" ? status : event;
  return `${secondsOf(updatedAt)}  ${what.padEnd(EVENT_WIDTH)}  ${name}${reason ? `: ${reason}` : ""}\n`;
}

/** Of the longest word for an event. */
const EVENT_WIDTH = "initializing".length;

/** One line of JSON, or one document of YAML, each. */
function documentOf({ event, service }: RemoteEvent, format: "json" | "yaml"): string {
  const line = JSON.stringify({ event, ...plain(service) });
  return format === "json" ? `${line}\n` : `--- ${line}\n`;
}

const plain = ({ updatedAt, ...rest }: RemoteStatus) => ({
  ...rest,
  updated_at: new Date(updatedAt).toISOString(),
});

const secondsOf = (time: number): string => `${new Date(time).toISOString().slice(0, 19)}Z`;
