import {
  keepPreviousData,
  infiniteQueryOptions,
  queryOptions,
  type InfiniteData,
} from "@tanstack/react-query";
import { call, named, query, site } from "./client.ts";
import type {
  Bot,
  ClusterAlert,
  ClusterStatus,
  Document,
  Instance,
  InstanceDetails,
  InstanceSummary,
  Lock,
  Page,
  Token,
  ViewerContext,
} from "./types.ts";

/** The first word of each key is the kind of resource that it shows: what changes live is asked again. */

export const viewer = queryOptions({
  queryKey: ["viewer"],
  queryFn: () => call<ViewerContext>("GET", `${site}/context`),
  retry: false,
});

export const botOf = (name: string) =>
  queryOptions({
    queryKey: ["bot", name],
    meta: { about: name },
    queryFn: () => call<Bot>("GET", `${site}/machine-id/bot/${named(name)}`),
  });

const PAGE = 100;
/** What a panel of another page shows. */
const FEW = 10;
/** The most that one answer holds, and more than anybody looks through. */
const MOST_ROLES = 500;

const pages = <Item>(key: readonly unknown[], path: string, values: Record<string, string>) =>
  infiniteQueryOptions<Page<Item>, Error, InfiniteData<Page<Item>>, readonly unknown[], string>({
    queryKey: [...key, values],
    placeholderData: (old, of) => (of?.queryKey[0] === key[0] ? old : undefined),
    initialPageParam: "",
    queryFn: ({ pageParam }) =>
      call<Page<Item>>("GET", path + query({ ...values, limit: PAGE, start_key: pageParam })),
    getNextPageParam: (last) => (last.next_key === "" ? undefined : last.next_key),
  });

export const bots = (values: { search: string; sort: string; order: string }) =>
  pages<Bot>(["bot"], `${site}/machine-id/bot`, values);

export const instances = (values: Record<string, string>) =>
  pages<Instance>(["bot_instance"], `${site}/machine-id/bot-instance`, values);

/** Of all of them, whatever the list is filtered by. */
export const instanceSummary = queryOptions({
  queryKey: ["bot_instance", "summary"],
  queryFn: () => call<InstanceSummary>("GET", `${site}/machine-id/bot-instance/summary`),
});

export const resources = (kind: string, search: string, order: string) =>
  pages<Document>([kind], `${site}/resources/${named(kind)}`, { search, order });

/** For choosing: who may not list roles types their names. */
export const roleNames = queryOptions({
  queryKey: ["role", "names"],
  retry: false,
  queryFn: async () => {
    const path = `${site}/resources/role${query({ limit: MOST_ROLES })}`;
    const { items } = await call<Page<Document>>("GET", path);
    return items.map(({ metadata: { name, description } }) => ({ id: name, about: description }));
  },
});

/** Looked through for the ten: of those that were heard of last, some may have ended. */
const LOOKED_THROUGH = 50;

/** The last that were heard of, of those whose credentials hold; sorted and filtered again, for an older proxy. */
export const activeInstances = (bot: string) =>
  queryOptions({
    queryKey: ["bot_instance", "active", bot],
    meta: { about: bot },
    queryFn: async () => {
      const values = { bot_name: bot, sort: "last_active_at", order: "desc" };
      const path = `${site}/machine-id/bot-instance${query({ ...values, limit: LOOKED_THROUGH })}`;
      const { items } = await call<Page<Instance>>("GET", path);
      return items
        .filter(({ bot_name }) => bot_name === bot)
        .filter(({ credentials_end: end }) => !end || Date.parse(end) > Date.now())
        .toSorted((a, b) => (a.last_active_at < b.last_active_at ? 1 : -1))
        .slice(0, FEW);
    },
  });

export const instanceOf = (bot: string, id: string) =>
  queryOptions({
    queryKey: ["bot_instance", bot, id],
    meta: { about: `${bot}:${id}` },
    queryFn: () =>
      call<InstanceDetails>(
        "GET",
        `${site}/machine-id/bot/${named(bot)}/bot-instance/${named(id)}`,
      ),
  });

/** An older proxy ignores the filters: so the page filters again. */
export const tokensOf = (bot: string) =>
  queryOptions({
    queryKey: ["token", bot],
    retry: false,
    queryFn: async () => {
      const path = `/v1/webapi/tokens${query({ role: "Bot", bot })}`;
      const { items } = await call<{ items: readonly Token[] }>("GET", path);
      return items.filter(({ roles, bot_name }) => roles.includes("Bot") && bot_name === bot);
    },
  });

/** What a page shows of a kind that it sorts by itself. */
export const MOST_SORTED = 5_000;

/** As many as a page can sort, and whether there are more; an older proxy sends all, and no key. */
async function everything<Item>(path: string, search: string): Promise<Everything<Item>> {
  const items: Item[] = [];
  let start_key: string | undefined = "";
  do {
    const given = query({ search, limit: 500, start_key });
    const page: Page<Item> = await call<Page<Item>>("GET", path + given);
    items.push(...page.items);
    start_key = page.next_key;
  } while (start_key && items.length < MOST_SORTED);
  return { items, more: Boolean(start_key) };
}

interface Everything<Item> {
  readonly items: readonly Item[];
  readonly more: boolean;
}

export const allTokens = (search: string) =>
  queryOptions({
    queryKey: ["token", "all", search],
    retry: false,
    placeholderData: keepPreviousData,
    queryFn: () => everything<Token>("/v1/webapi/tokens", search),
  });

/** Likewise: an older proxy sends every lock. */
export const locksOn = (bot: Pick<Bot, "user_name" | "role_name">) =>
  queryOptions({
    queryKey: ["lock", bot.user_name],
    queryFn: async () => {
      const target = `user:${bot.user_name},role:${bot.role_name}`;
      const path = `${site}/locks${query({ in_force_only: true, target })}`;
      const { items } = await call<{ items: readonly Lock[] }>("GET", path);
      return items.filter((lock) => isInForce(lock) && isOn(lock, bot));
    },
  });

export const allLocks = (search: string) =>
  queryOptions({
    queryKey: ["lock", "all", search],
    placeholderData: keepPreviousData,
    queryFn: () => everything<Lock>(`${site}/locks`, search),
  });

export const clusterStatus = queryOptions({
  queryKey: ["status"],
  queryFn: () => call<ClusterStatus>("GET", `${site}/status`),
});

/** An alert that no change of a token brings is seen within this time. */
const ALERTS_MS = 60_000;

export const clusterAlerts = queryOptions({
  // Most alerts are about tokens: whatever changes one may bring or end an alert.
  queryKey: ["token", "alerts"],
  retry: false,
  refetchInterval: ALERTS_MS,
  queryFn: async () =>
    (await call<{ items: readonly ClusterAlert[] }>("GET", `${site}/alerts`)).items,
});

const isInForce = ({ expires }: Lock): boolean =>
  expires === "" || Date.parse(expires) > Date.now();

const isOn = ({ targets }: Lock, bot: Pick<Bot, "user_name" | "role_name">): boolean =>
  targets["user"] === bot.user_name || targets["role"] === bot.role_name;
