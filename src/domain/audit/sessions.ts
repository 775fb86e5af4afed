import type { Json, Store } from "#base/storage";
import { readPage, type PageTokens } from "#domain/resources";
import { ACTIVITY_INDEX, connectionsOf } from "./activity.ts";
import { EVENT_KIND, eventOf, indexKey, type AuditEvent } from "./event.ts";

/** A bot's connection to an application, as the log has it. Times in milliseconds since the epoch. */
export interface RecordedSession {
  readonly id: string;
  readonly app: string;
  readonly instanceId: string;
  readonly remoteAddr: string;
  readonly startedAt: number;
  /** Absent while it goes on, and for ever when the cluster stopped meanwhile. */
  readonly end?: SessionEnd | undefined;
}

interface SessionEnd {
  readonly at: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly reason: string;
}

export interface SessionQuery {
  readonly bot: string;
  readonly pageSize?: number;
  readonly pageToken?: string;
}

interface SessionPage {
  readonly sessions: readonly RecordedSession[];
  readonly nextPageToken?: string;
}

/** The newest start first. */
export async function sessionsPage(
  source: { readonly store: Store; readonly tokens: PageTokens },
  { bot, pageSize, pageToken }: SessionQuery,
): Promise<SessionPage> {
  const prefix = connectionsOf(bot);
  const { values, nextPageToken } = await readPage({
    ...source,
    binding: ["sessions", bot],
    range: { kind: EVENT_KIND, index: ACTIVITY_INDEX, prefix, order: "descending" },
    keyOf: (item) => `${prefix}${item.name}`,
    read: eventOf,
    pageSize,
    pageToken,
  });
  const sessions = await Promise.all(
    values.map(async (event) => {
      const start = startOf(event);
      return { ...start, end: await sessionEnd(source.store, start.id) };
    }),
  );
  return { sessions, ...(nextPageToken ? { nextPageToken } : {}) };
}

/** What the log has of the end of a session. */
export async function sessionEnd(store: Store, id: string): Promise<SessionEnd | undefined> {
  const prefix = indexKey(id, "");
  const { items } = await store.list({ kind: EVENT_KIND, index: "session", prefix, limit: 2 });
  const end = items.map(eventOf).find(({ type }) => type === "app.session.end");
  return end && endOf(end);
}

const startOf = ({ actor, fields, remote_addr, time }: AuditEvent): RecordedSession => ({
  id: textOf(fields.session_id),
  app: textOf(fields.app),
  instanceId: actor.instance_id ?? "",
  remoteAddr: remote_addr,
  startedAt: Date.parse(time),
});

const endOf = ({ fields, time }: AuditEvent): SessionEnd => ({
  at: Date.parse(time),
  bytesUp: Number(fields.bytes_up),
  bytesDown: Number(fields.bytes_down),
  reason: textOf(fields.reason),
});

const textOf = (value: Json | undefined): string => (typeof value === "string" ? value : "");
