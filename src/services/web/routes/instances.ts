import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import { AuthService } from "@tenon/api/tenon/auth/v1/auth";
import { badParameter, codeOf } from "#base/kernel";
import type { Context } from "hono";
import {
  botInstanceName,
  firstSeenAt,
  healthOf,
  lastActiveAt,
  recoveriesLeft,
  type BotInstance,
} from "#domain/resources";
import { PersonCalls, plain } from "../caller.ts";
import { answers, newApp } from "../openapi.ts";
import type { WebEnv, WebParts } from "../parts.ts";
import { Viewer } from "../viewer.ts";
import { page, pageOptions } from "./bots.ts";

const site = z.object({ site: z.string() });

const instance = z.object({
  bot_name: z.string(),
  instance_id: z.string(),
  last_active_at: z.string(),
  first_seen_at: z.string(),
  hostname: z.string(),
  join_method: z.string(),
  version: z.string(),
  os: z.string(),
  generation: z.number(),
  /** When its credentials end; empty where a version before this one recorded its last join. */
  credentials_end: z.string(),
  /** The worst of what its services last reported: healthy, initializing, unhealthy or failed. */
  health: z.string(),
});

const list = createRoute({
  method: "get",
  path: "/v1/webapi/sites/{site}/machine-id/bot-instance",
  request: {
    params: site,
    query: page.extend({
      /** Exact, each of them, where `search` is contains-text over all fields. */
      bot_name: z.string().optional(),
      /** Of `bot_name` only, by the end of their credentials: not ended, or within 24 hours. */
      state: z.enum(["active", "recent"]).optional(),
      version: z.string().optional(),
      os: z.string().optional(),
      join_method: z.string().optional(),
      health: z.string().optional(),
    }),
  },
  responses: answers("instances", z.object({ items: z.array(instance), next_key: z.string() })),
});

const counts = z.array(z.object({ value: z.string(), count: z.number() }));

const summary = createRoute({
  method: "get",
  path: "/v1/webapi/sites/{site}/machine-id/bot-instance/summary",
  request: { params: site },
  responses: answers(
    "how many instances there are, and how many have each version, health, system and join method",
    z.object({
      total: z.number(),
      version: counts,
      health: counts,
      os: counts,
      join_method: counts,
    }),
  ),
});

const show = createRoute({
  method: "get",
  path: "/v1/webapi/sites/{site}/machine-id/bot/{name}/bot-instance/{id}",
  request: { params: site.extend({ name: z.string(), id: z.string() }) },
  responses: answers(
    "one instance, whole: authentications, heartbeats, health, notices",
    z.object({
      summary: instance,
      document: z.record(z.string(), z.any()),
      /** Of a bound key that is counted, where the caller may read tokens. */
      recoveries: z.object({ left: z.number(), limit: z.number() }).optional(),
    }),
  ),
});

export function instanceRoutes(parts: WebParts): OpenAPIHono<WebEnv> {
  return newApp()
    .openapi(list, async (context) => {
      const { state, ...query } = context.req.valid("query");
      if (state) return context.json(await ofState(parts, context, { state, ...query }), 200);
      const { items, next } = await new PersonCalls(parts, context).list("bot_instance", {
        ...pageOptions(query),
        fields: fieldsOf(query),
      });
      return context.json({ items: items.map(described), next_key: next }, 200);
    })
    .openapi(summary, async (context) => {
      const calls = new PersonCalls(parts, context);
      const { total, fields } = await calls.tally("bot_instance", counted);
      const [version, health, os, join_method] = counted.map((name) => fields[name] ?? []);
      return context.json(
        { total, version: version!, health: health!, os: os!, join_method: join_method! },
        200,
      );
    })
    .openapi(show, async (context) => {
      const { name, id } = context.req.valid("param");
      const calls = new PersonCalls(parts, context);
      const document = await calls.get("bot_instance", botInstanceName(name, id));
      const viewer = await Viewer.read(parts, context.get("session").user);
      const recoveries = viewer.may("token", "read")
        ? await recoveriesOf(calls, document)
        : undefined;
      return context.json(
        {
          summary: described(document),
          document: plain(document),
          ...(recoveries ? { recoveries } : {}),
        },
        200,
      );
    });
}

/** Numbers only: what the token holds is for those who gave a second factor. */
async function recoveriesOf(
  calls: PersonCalls,
  { status }: BotInstance,
): Promise<{ left: number; limit: number } | undefined> {
  const join = status?.latest_authentications.at(-1);
  if (join?.join_method !== "bound_keypair") return undefined;
  try {
    const token = await calls.get("token", join.token);
    const left = recoveriesLeft(token);
    const limit = token.spec.bound_keypair?.recovery.limit;
    return left === undefined || limit === undefined ? undefined : { left, limit };
  } catch (error) {
    if (codeOf(error) === "not_found") return undefined;
    throw error;
  }
}

/** In the order of their end, which no search or sort changes. */
async function ofState(
  { calls }: WebParts,
  context: Context<WebEnv>,
  { bot_name: bot, state, search, sort, limit, start_key }: StateQuery,
): Promise<{ items: z.infer<typeof instance>[]; next_key: string }> {
  if (!bot) throw badParameter("state needs bot_name: it is asked of one bot");
  if (search || sort) throw badParameter("state goes neither with search nor with sort");
  const { origin } = new PersonCalls({ calls }, context);
  const { instances, nextPageToken } = await calls.call(
    AuthService.method.listBotInstances,
    { bot, state, pageSize: limit ?? 0, pageToken: start_key ?? "" },
    origin,
  );
  const items = instances.map((json) => described(JSON.parse(json) as BotInstance));
  return { items, next_key: nextPageToken };
}

type StateQuery = z.infer<typeof page> & {
  readonly bot_name?: string | undefined;
  readonly state: string;
};

const filters = ["bot_name", "version", "os", "join_method", "health"] as const;

const counted = ["version", "health", "os", "join_method"] as const;

/** An empty filter is none: an address bar may hold one. */
const fieldsOf = (query: { readonly [K in (typeof filters)[number]]?: string | undefined }) =>
  Object.fromEntries(filters.flatMap((name) => (query[name] ? [[name, query[name]]] : [])));

function described(found: BotInstance): z.infer<typeof instance> {
  const beat = found.status?.latest_heartbeats.at(-1);
  const join = found.status?.latest_authentications.at(-1);
  return {
    bot_name: found.spec.bot_name,
    instance_id: found.spec.instance_id,
    last_active_at: lastActiveAt(found),
    first_seen_at: firstSeenAt(found),
    hostname: beat?.hostname ?? "",
    join_method: join?.join_method ?? "",
    version: beat?.version ?? "",
    os: beat?.os ?? "",
    generation: found.status?.generation ?? 0,
    credentials_end: join?.expires ?? "",
    health: healthOf(found),
  };
}
