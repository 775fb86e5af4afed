import { addFormat, formatTable, printResult, type CommandIo } from "#base/cli";
import { durationMs } from "#base/config";
import { systemClock } from "#base/kernel";
import type { AuditEvent } from "#domain/audit";
import type { Command } from "commander";
import * as z from "zod";
import { onCluster, type Given } from "../action.ts";
import type { Cluster } from "../connect.ts";
import { isDuration, isTime, secondsOf } from "../time.ts";

/** Of one call; the server's own limit is above it. */
const PAGE_SIZE = 200;

const moment = z.string().refine((text) => isDuration(text) || isTime(text), {
  error: "must be a time such as 2026-01-31T12:00:00Z, or a time ago such as 30m or 7d",
});

const flags = z.strictObject({
  type: z.string().default("").meta({ description: "only this type, such as bot.join" }),
  bot: z
    .string()
    .default("")
    .meta({ description: "only what this bot did or what was done to it" }),
  user: z
    .string()
    .default("")
    .meta({ description: "only what this user did or what was done to it" }),
  from: moment
    .optional()
    .meta({ placeholder: "time", description: "not before this time, or so long ago" }),
  to: moment
    .optional()
    .meta({ placeholder: "time", description: "before this time, or so long ago" }),
  limit: z.int().min(1).max(100_000).default(100).meta({ description: "at most so many events" }),
  ascending: z.boolean().default(false).meta({ description: "oldest first" }),
});

type Flags = z.output<typeof flags>;

export function defineAudit(command: Command, io: CommandIo): void {
  const summary = "list events, newest first";
  const ls = addFormat(command.command("ls").summary(summary).description(summary));
  onCluster(ls, io, { schema: flags, act: list });
}

async function list({ cluster, options, format, io }: Given<Flags>): Promise<void> {
  const events = await search(cluster, options);
  await printResult(io, { format, value: events, text: () => tableOf(events) });
}

async function search(cluster: Cluster, options: Flags): Promise<AuditEvent[]> {
  const { from, to, limit, ...rest } = options;
  const query = { ...rest, from: momentMs(from), to: momentMs(to) };
  const events: AuditEvent[] = [];
  for (let pageToken = ""; events.length < limit;) {
    const pageSize = Math.min(PAGE_SIZE, limit - events.length);
    const page = await cluster.auth.searchEvents({ ...query, pageSize, pageToken });
    events.push(...page.events.map((json) => JSON.parse(json) as AuditEvent));
    pageToken = page.nextPageToken;
    if (!pageToken) break;
  }
  return events.slice(0, limit);
}

/** Milliseconds since the epoch; 0 leaves the end open. */
function momentMs(text: string | undefined): bigint {
  if (text === undefined) return 0n;
  const ms = isDuration(text) ? systemClock.now() - durationMs(text) : Date.parse(text);
  return BigInt(Math.max(1, ms));
}

function tableOf(events: readonly AuditEvent[]): string {
  return formatTable(
    events,
    [
      { heading: "Time", cell: ({ time }) => secondsOf(time) },
      { heading: "Event", cell: ({ type }) => type },
      { heading: "Result", cell: ({ code }) => code },
      { heading: "By", cell: ({ actor }) => [actor.kind, actor.name].filter(Boolean).join(" ") },
      { heading: "From", cell: (event) => event.remote_addr },
      { heading: "Details", cell: ({ fields }) => detailsOf(fields) },
    ],
    "No events found.",
  );
}

/** `name=robot roles=access,auditor`, without what is empty. */
function detailsOf(fields: AuditEvent["fields"]): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== "" && value !== undefined)
    .filter(([, value]) => !(Array.isArray(value) && value.length === 0))
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ");
}
