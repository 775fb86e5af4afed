import { infiniteQueryOptions, queryOptions, type InfiniteData } from "@tanstack/react-query";
import { call, named, query, site } from "./client.ts";
import type { AuditEvent, Page } from "./types.ts";

/** As it stands in the address; what is absent filters nothing. */
export interface EventFilter {
  readonly bot?: string;
  readonly user?: string;
  readonly type?: string;
  /** success or failure. */
  readonly code?: string;
  /** Of a connection to an application. */
  readonly session?: string;
  /** One of `ranges`: until now. */
  readonly range?: string;
  /** RFC 3339. */
  readonly from?: string;
  readonly to?: string;
}

/** Words of the address, and how far back each goes. */
export const ranges = {
  hour: { title: "Last hour", ms: 3_600_000 },
  day: { title: "Last day", ms: 86_400_000 },
  week: { title: "Last week", ms: 7 * 86_400_000 },
  month: { title: "Last 30 days", ms: 30 * 86_400_000 },
} as const;

export const isRange = (word: string | undefined): word is keyof typeof ranges =>
  word !== undefined && Object.hasOwn(ranges, word);

/** As the endpoints take it. */
export function eventQuery({ range, from, to, ...about }: EventFilter) {
  const start = isRange(range) ? Date.now() - ranges[range].ms : msOf(from);
  return { ...about, from: start, to: isRange(range) ? undefined : msOf(to) };
}

const msOf = (time: string | undefined): number | undefined => {
  const ms = Date.parse(time ?? "");
  return Number.isNaN(ms) ? undefined : ms;
};

export type EventPages = InfiniteData<Page<AuditEvent>>;
const PAGE = 100;

/** Newest first; what is new is put before it as the cluster tells of it (`news.ts`). */
export const events = (filter: EventFilter) =>
  infiniteQueryOptions<
    Page<AuditEvent>,
    Error,
    EventPages,
    readonly ["event", EventFilter],
    string
  >({
    queryKey: ["event", filter],
    placeholderData: (old) => old,
    initialPageParam: "",
    queryFn: ({ pageParam }) =>
      searchEvents({ ...eventQuery(filter), limit: PAGE, start_key: pageParam }),
    getNextPageParam: (last) => (last.next_key === "" ? undefined : last.next_key),
  });

export const searchEvents = (
  values: Readonly<Record<string, string | number | undefined>>,
): Promise<Page<AuditEvent>> => call("GET", `${site}/events/search${query(values)}`);

export const eventOf = (id: string) =>
  queryOptions({
    queryKey: ["event", "one", id],
    queryFn: () => call<AuditEvent>("GET", `${site}/events/${named(id)}`),
    staleTime: Infinity,
  });

export const knownTypes = queryOptions({
  queryKey: ["event", "types"],
  queryFn: async () => {
    const path = `${site}/events/types`;
    return (await call<{ items: readonly { type: string; code: string }[] }>("GET", path)).items;
  },
  staleTime: Infinity,
});

export const exportPath = (filter: EventFilter, format: "jsonl" | "csv"): string =>
  `${site}/events/export${query({ ...eventQuery(filter), format })}`;
