import { didYouMean } from "#base/config";
import { badParameter } from "#base/kernel";
import type { Item, ListQuery, Store } from "#base/storage";
import { readPage, type PageTokens } from "#domain/resources";
import { isEventType, eventTypes } from "./event-types.ts";
import {
  botsOf,
  EVENT_KIND,
  eventOf,
  indexKey,
  sessionsOf,
  timePrefix,
  usersOf,
  type AuditEvent,
} from "./event.ts";

/** All conditions must hold; an empty text is none. */
export interface EventFilter {
  /** `bot.join`. */
  readonly type?: string;
  readonly bot?: string;
  readonly user?: string;
  /** Of a connection to an application. */
  readonly session?: string;
  /** `success` or `failure`. */
  readonly code?: string;
}

export interface EventQuery extends EventFilter {
  /** Milliseconds since the epoch, inclusive; 0 or absent: from the beginning. */
  readonly from?: number;
  /** Exclusive; 0 or absent: to the end. */
  readonly to?: number;
  /** Oldest first; default: newest first. */
  readonly ascending?: boolean;
  readonly pageSize?: number;
  readonly pageToken?: string;
}

export interface EventPage {
  readonly events: readonly AuditEvent[];
  readonly nextPageToken?: string;
}

export async function searchEvents(
  source: { readonly store: Store; readonly tokens: PageTokens },
  query: EventQuery,
): Promise<EventPage> {
  const { from = 0, to = 0, ascending = false } = query;
  checkFilter(query);
  const { values, nextPageToken } = await readPage({
    ...source,
    binding: ["events", from, to, ...filters.map((name) => query[name] ?? ""), ascending],
    ...rangeOf(query),
    read: eventOf,
    wanted: wantedOf(query),
    pageSize: query.pageSize,
    pageToken: query.pageToken,
  });
  return { events: values, ...(nextPageToken ? { nextPageToken } : {}) };
}

const filters = ["session", "bot", "user", "type", "code"] as const;

export function checkFilter({ type = "", code = "" }: EventFilter): void {
  if (!["", "success", "failure"].includes(code))
    throw badParameter(`code "${code}" is unknown; use success or failure`);
  if (type === "" || isEventType(type)) return;
  const known = Object.keys(eventTypes);
  throw badParameter(`"${type}" is not a type of event${didYouMean(type, known)}`);
}

/** Whether an event passes. */
export function matchesEvent(filter: EventFilter, event: AuditEvent): boolean {
  const { type, bot, user, session, code } = filter;
  return (
    (!type || event.type === type) &&
    (!code || event.code === code) &&
    (!bot || botsOf(event).includes(bot)) &&
    (!user || usersOf(event).includes(user)) &&
    (!session || sessionsOf(event).includes(session))
  );
}

/** Narrowest first: a bot or a user has fewer events than a type. */
const indexOf = (filter: EventFilter): (typeof filters)[number] | undefined =>
  filters.find((name) => filter[name] && (name !== "code" || filter.code === "failure"));

function rangeOf(query: EventQuery): { range: ListQuery; keyOf: (item: Item) => string } {
  const index = indexOf(query);
  const key = (id: string): string => (index ? indexKey(query[index]!, id) : id);
  const order = query.ascending ? "ascending" : "descending";
  const bounds = { from: key(timePrefix(query.from ?? 0)), to: key(endOf(query)) };
  return {
    range: { kind: EVENT_KIND, order, ...bounds, ...(index ? { index } : {}) },
    keyOf: (item) => key(item.name),
  };
}

/** Above every id: ids are hexadecimal. */
const endOf = ({ to = 0 }: EventQuery): string => (to > 0 ? timePrefix(to) : "g");

/** What the index of the range does not already say. */
function wantedOf(query: EventQuery): ((event: AuditEvent) => boolean) | undefined {
  const index = indexOf(query);
  if (filters.every((name) => !query[name] || name === index)) return undefined;
  return (event) => matchesEvent(query, event);
}
