import type { Clock, Logger } from "#base/kernel";
import { messageOf } from "#base/kernel";
import type { AuditEvent } from "#domain/audit";
import type { Authorities } from "#domain/authority";
import type { ExportedEvents } from "@tenon/api/tenon/auth/v1/auth";
import { stringify } from "csv-stringify/sync";
import type { Context } from "hono";
import { stream } from "hono/streaming";
import type { WebEnv } from "./parts.ts";

export const exportFormats = ["jsonl", "csv"] as const;
type Format = (typeof exportFormats)[number];

interface Form {
  readonly type: string;
  readonly head: string;
  readonly lines: (events: readonly string[]) => string;
  readonly note: (text: string) => string;
}

const columns = [
  "id",
  "time",
  "type",
  "code",
  "actor_kind",
  "actor_name",
  "actor_instance",
  "remote_addr",
  "fields",
] as const;

/** A cell that begins like a formula gets an apostrophe: a spreadsheet shows it, and runs nothing. */
const csv = (rows: readonly (readonly string[])[]): string =>
  stringify([...rows], { escape_formulas: true, record_delimiter: "windows" });

const forms: Readonly<Record<Format, Form>> = {
  jsonl: {
    type: "application/x-ndjson",
    head: "",
    lines: (events) => events.map((event) => `${event}\n`).join(""),
    note: (text) => `${JSON.stringify({ note: text })}\n`,
  },
  csv: {
    type: "text/csv; charset=utf-8",
    head: csv([columns]),
    lines: (events) => csv(events.map((event) => rowOf(JSON.parse(event) as AuditEvent))),
    note: (text) => csv([[`note: ${text}`]]),
  },
};

const rowOf = ({ id, time, type, code, actor, remote_addr, fields }: AuditEvent) => [
  id,
  time,
  type,
  code,
  actor.kind,
  actor.name,
  actor.instance_id ?? "",
  remote_addr,
  JSON.stringify(fields),
];

interface Export {
  readonly format: Format;
  readonly pages: AsyncGenerator<ExportedEvents>;
  readonly authorities: Pick<Authorities, "clusterName">;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A file, page by page as it is read. What is refused is refused before it begins. */
export async function exportOf(context: Context<WebEnv>, about: Export): Promise<Response> {
  const { format, pages, logger } = about;
  const form = forms[format];
  const first = await pages.next();
  context.header("content-type", form.type);
  context.header("content-disposition", `attachment; filename="${fileName(about)}"`);
  return stream(context, async (out) => {
    out.onAbort(() => void pages.return(undefined));
    await out.write(form.head);
    try {
      for (let page = first; !page.done; page = await pages.next()) {
        await out.write(form.lines(page.value.events));
        if (page.value.truncated) await out.write(form.note(cutNote(page.value.limit)));
      }
    } catch (error) {
      logger.warn("an export broke off", { reason: messageOf(error) });
      await out.write(form.note(`the export broke off here: ${messageOf(error)}`));
    }
  });
}

const cutNote = (limit: number): string =>
  `only the newest ${limit} events are here, and there are older ones; export them with an earlier end of the time range`;

/** The cluster's name holds only lower-case letters, digits, dots and hyphens. */
function fileName({ authorities, clock, format }: Export): string {
  const cluster = authorities.clusterName.replaceAll(/[^a-z0-9.-]/g, "_");
  const time = new Date(clock.now()).toISOString().slice(0, 19).replaceAll(":", "");
  return `${cluster}-events-${time}Z.${format}`;
}
