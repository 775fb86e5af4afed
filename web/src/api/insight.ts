import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { call, named, query, site } from "./client.ts";
import type { AccessGraph, Activity, Instance, Page, Session } from "./types.ts";

const of = (bot: string): string => `${site}/machine-id/bot/${named(bot)}`;

/** Time alone makes an instance recent: no news tells of it. */
const LOOK_EVERY_MS = 60_000;
const FEW = 10;

export const endedInstances = (bot: string) =>
  queryOptions({
    queryKey: ["bot_instance", "ended", bot],
    meta: { about: bot },
    queryFn: () => {
      const values = { bot_name: bot, state: "recent", limit: FEW };
      return call<Page<Instance>>("GET", `${site}/machine-id/bot-instance${query(values)}`);
    },
    refetchInterval: LOOK_EVERY_MS,
  });

/** Likewise: the last step ends, and another begins. */
export const activityOf = (bot: string, range: string) =>
  queryOptions({
    queryKey: ["activity", bot, range],
    queryFn: () => call<Activity>("GET", `${of(bot)}/activity${query({ range })}`),
    placeholderData: keepPreviousData,
    refetchInterval: LOOK_EVERY_MS,
  });

export const accessOf = (bot: string) =>
  queryOptions({
    queryKey: ["access", bot],
    queryFn: () => call<AccessGraph>("GET", `${of(bot)}/access-graph`),
    placeholderData: keepPreviousData,
  });

const PAGE = 50;

export const sessionsOf = (bot: string) =>
  infiniteQueryOptions({
    queryKey: ["session", bot],
    initialPageParam: "",
    queryFn: ({ pageParam }) =>
      call<Page<Session> & { readonly open: number }>(
        "GET",
        `${of(bot)}/sessions${query({ limit: PAGE, start_key: pageParam })}`,
      ),
    getNextPageParam: (last) => (last.next_key === "" ? undefined : last.next_key),
  });
