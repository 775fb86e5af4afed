import type { Query, QueryClient, QueryKey } from "@tanstack/react-query";
import type { Derived } from "./derived.ts";
import { eventQuery, searchEvents, type EventFilter, type EventPages } from "./events.ts";
import type { AuditEvent } from "./types.ts";

/** Of what there are new events in the audit log; never what they say. */
export interface News {
  readonly types: readonly string[];
  readonly bots: readonly string[];
  readonly users: readonly string[];
  /** Anything may be new. */
  readonly all: boolean;
}

/** Brings what is shown up to date: lists get what is new before what they have, the rest is asked again. */
export async function takeNews(client: QueryClient, derived: Derived, news: News): Promise<void> {
  const lists = client.getQueryCache().findAll({ queryKey: ["event"], type: "active" });
  const asked = lists.filter(({ queryKey }) => mayHave(queryKey[1], news));
  await Promise.all([
    ...asked.map(({ queryKey }) => prepend(client, queryKey)),
    client.invalidateQueries({ predicate: isOldList, refetchType: "none" }),
    derived.ask(news.bots, news.all),
  ]);
}

/** Shown again, it is asked again. */
const isOldList = (query: Query): boolean => {
  const [kind, filter] = query.queryKey;
  return kind === "event" && typeof filter === "object" && !query.isActive();
};

function mayHave(filter: unknown, { types, bots, users, all }: News): boolean {
  if (typeof filter !== "object") return false;
  const { bot, user, type, to } = filter as EventFilter;
  if (to) return false;
  return (
    all ||
    ((!type || types.includes(type)) &&
      (!bot || bots.includes(bot)) &&
      (!user || users.includes(user)))
  );
}

/** An event may come to the log this much after the time that it bears. */
const LATE_MS = 10_000;
const MOST_NEW = 500;
/** A list that is open for days does not grow for days. */
const MOST_HELD = 2_000;

async function prepend(client: QueryClient, queryKey: QueryKey): Promise<void> {
  const newest = client.getQueryData<EventPages>(queryKey)?.pages[0]?.items[0];
  const again = async (): Promise<void> =>
    await client.invalidateQueries({ queryKey, exact: true });
  if (!newest) return await again();
  const filter = eventQuery(queryKey[1] as EventFilter);
  const from = Math.max(filter.from ?? 0, Date.parse(newest.time) - LATE_MS);
  const come = await searchEvents({ ...filter, from, order: "asc", limit: MOST_NEW });
  const merged = client.setQueryData<EventPages>(
    queryKey,
    (old) => old && withNew(old, come.items),
  );
  if (come.next_key === "" && (merged?.pages[0]?.items.length ?? 0) <= MOST_HELD) return;
  // So much is new that the newest page is all that anybody reads.
  client.setQueryData<EventPages>(queryKey, (old) => old && firstPage(old));
  await again();
}

const firstPage = ({ pages, pageParams }: EventPages): EventPages => ({
  pages: pages.slice(0, 1),
  pageParams: pageParams.slice(0, 1),
});

function withNew(old: EventPages, come: readonly AuditEvent[]): EventPages {
  const known = new Set(old.pages.flatMap(({ items }) => items.map(({ id }) => id)));
  const fresh = come.filter(({ id }) => !known.has(id));
  const [first, ...rest] = old.pages;
  if (!first || fresh.length === 0) return old;
  // Ids sort by time.
  const items = [...first.items, ...fresh].toSorted((a, b) => (a.id < b.id ? 1 : -1));
  return { ...old, pages: [{ ...first, items }, ...rest] };
}
