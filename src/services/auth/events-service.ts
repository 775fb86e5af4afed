import { Bell, codeOf, sleep } from "#base/kernel";
import {
  actorOf,
  checkFilter,
  EVENT_KIND,
  eventOf,
  matchesEvent,
  type EventQuery,
} from "#domain/audit";
import type {
  EventNewsSchema,
  ExportedEventsSchema,
  SearchEventsRequest,
  WatchEventsRequest,
} from "@tenon/api/tenon/auth/v1/auth";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { News } from "./event-news.ts";
import { following } from "./following.ts";
import type { AuthCall, AuthParts } from "./parts.ts";
import { rung } from "./rung.ts";

type Request = Omit<SearchEventsRequest, "$typeName">;

export async function searchEvents(
  { audit }: Pick<AuthParts, "audit">,
  request: Request,
): Promise<{ events: string[]; nextPageToken: string }> {
  if (request.id !== "") {
    const found = await audit.find(request.id);
    return { events: found ? [JSON.stringify(found)] : [], nextPageToken: "" };
  }
  const { ascending, pageSize, pageToken } = request;
  const { events, nextPageToken = "" } = await audit.search({
    ...queryOf(request),
    ascending,
    ...(pageSize > 0 ? { pageSize } : {}),
    ...(pageToken === "" ? {} : { pageToken }),
  });
  return { events: events.map((event) => JSON.stringify(event)), nextPageToken };
}

const queryOf = ({ from, to, type, bot, user, session, code }: Request): EventQuery => ({
  from: Number(from),
  to: Number(to),
  type,
  bot,
  user,
  session,
  code,
});

/** Of one export; a spreadsheet takes ten times as many, and a person reads none of them. */
const MAX_EXPORTED = 100_000;
/** Of one message. */
const EXPORT_PAGE = 500;

/** Newest first. The export is recorded before anything of it leaves. */
export async function* exportEvents(
  { audit, store, clock }: Pick<AuthParts, "audit" | "store" | "clock">,
  request: Request,
  call: Pick<AuthCall, "caller" | "remoteAddr" | "signal">,
): AsyncGenerator<MessageInitShape<typeof ExportedEventsSchema>, void, undefined> {
  checkFilter(request);
  // Not what comes meanwhile, this export first of all.
  const query = { ...queryOf(request), to: Number(request.to) || clock.now() };
  await store.commit([audit.write(exportedEvent(query, call))]);
  let [left, pageToken] = [MAX_EXPORTED, ""];
  do {
    const page = await audit.search({ ...query, pageSize: Math.min(EXPORT_PAGE, left), pageToken });
    left -= page.events.length;
    pageToken = page.nextPageToken ?? "";
    yield { events: page.events.map((event) => JSON.stringify(event)) };
  } while (pageToken !== "" && left > 0 && !call.signal.aborted);
  yield { truncated: pageToken !== "", limit: MAX_EXPORTED };
}

function exportedEvent(
  { from = 0, to = 0, ...filter }: EventQuery,
  { caller, remoteAddr }: Pick<AuthCall, "caller" | "remoteAddr">,
) {
  const said = Object.entries(filter).filter(([, value]) => value !== "");
  const texts = said.map(([name, value]) => `${name}=${value}`);
  const at = (ms: number): string => (ms === 0 ? "" : new Date(ms).toISOString());
  return {
    type: "audit.export" as const,
    actor: actorOf(caller),
    remoteAddr,
    fields: { from: at(from), to: at(to), filter: texts },
  };
}

/** Between two messages, so that a busy cluster does not flood who listens. */
const NEWS_PAUSE_MS = 1_000;

/** News of events that pass the filter: the first at once, those of a second together. */
export async function* watchEvents(
  parts: Pick<AuthParts, "store" | "clock">,
  request: Omit<WatchEventsRequest, "$typeName">,
  { signal }: Pick<AuthCall, "signal">,
): AsyncGenerator<MessageInitShape<typeof EventNewsSchema>, void, undefined> {
  checkFilter(request);
  const [news, bell, stop] = [new News(), new Bell(), new AbortController()];
  const until = AbortSignal.any([signal, stop.signal]);
  let failure: unknown;
  const gathering = gather({
    ...parts,
    request,
    news,
    bell,
    signal: until,
    after: await parts.store.position(),
  }).catch((error: unknown) => {
    failure = error;
    bell.ring();
  });
  try {
    yield {};
    for (;;) {
      await rung(bell, signal);
      if (failure) throw failure;
      if (signal.aborted) return;
      yield news.take();
      await sleep(parts.clock, NEWS_PAUSE_MS, signal).catch(() => undefined);
    }
  } finally {
    stop.abort();
    await gathering;
  }
}

interface Gathering extends Pick<AuthParts, "store"> {
  readonly request: Omit<WatchEventsRequest, "$typeName">;
  readonly news: News;
  readonly bell: Bell;
  readonly signal: AbortSignal;
  readonly after: number;
}

/** Who falls behind the feed hears that anything may be new, and goes on from now. */
async function gather({ store, request, news, bell, signal, after }: Gathering): Promise<void> {
  for (let start = after; !signal.aborted; start = await store.position()) {
    try {
      for await (const { item } of following(store, {
        kinds: [EVENT_KIND],
        after: start,
        signal,
      })) {
        if (!item) continue;
        const event = eventOf(item);
        if (!matchesEvent(request, event)) continue;
        news.add(event);
        bell.ring();
      }
      return;
    } catch (error) {
      if (codeOf(error) !== "limit_exceeded") throw error;
      news.missed();
      bell.ring();
    }
  }
}
