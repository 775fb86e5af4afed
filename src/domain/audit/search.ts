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
  timePrefix,
  usersOf,
  type AuditEvent,
} from "./event.ts";

/** All conditions must hold. */
export interface EventQuery {
  /** Milliseconds since the epoch, inclusive; 0 or absent: from the beginning. */
  readonly from?: number;
  /** Exclusive; 0 or absent: to the end. */
  readonly to?: number;
  /** `bot.join`. */
  readonly type?: string;
  readonly bot?: string;
  readonly user?: string;
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
  const { from = 0, to = 0, type = "", bot = "", user = "", ascending = false } = query;
  checkType(type);
  const { values, nextPageToken } = await readPage({
    ...source,
    binding: ["events", from, to, type, bot, user, ascending],
    ...rangeOf(query),
    read: eventOf,
    wanted: wantedOf(query),
    pageSize: query.pageSize,
    pageToken: query.pageToken,
  });
  return { events: values, ...(nextPageToken ? { nextPageToken } : {}) };
}

function checkType(type: string): void {
  if (type === "" || isEventType(type)) return;
  const known = Object.keys(eventTypes);
  throw badParameter(`"${type}" is not a type of event${didYouMean(type, known)}`);
}

/** Narrowest first: a bot or a user has fewer events than a type. */
const indexes = ["bot", "user", "type"] as const;

function rangeOf(query: EventQuery): { range: ListQuery; keyOf: (item: Item) => string } {
  const index = indexes.find((name) => query[name]);
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
  const { type, bot, user } = query;
  if ([type, bot, user].filter(Boolean).length < 2) return undefined;
  return (event) =>
    (!type || event.type === type) &&
    (!bot || botsOf(event).includes(bot)) &&
    (!user || usersOf(event).includes(user));
}
