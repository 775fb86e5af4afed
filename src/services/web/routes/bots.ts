import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import { caPins } from "#domain/authority";
import { joinUriOf } from "#domain/join";
import { botUserName, type Bot, type Token } from "#domain/resources";
import { PersonCalls } from "../caller.ts";
import { tokenOf } from "../joining.ts";
import { answers, newApp, takes } from "../openapi.ts";
import type { WebEnv, WebParts } from "../parts.ts";
import { requireFactor } from "../session.ts";

const site = z.object({ site: z.string() });
const one = site.extend({ name: z.string() });
const traits = z.array(z.object({ name: z.string(), values: z.array(z.string()) }));

const bot = z.object({
  name: z.string(),
  description: z.string(),
  labels: z.record(z.string(), z.string()),
  roles: z.array(z.string()),
  traits,
  max_session_ttl: z.string(),
  user_name: z.string(),
  role_name: z.string(),
  created_at: z.string(),
  created_by: z.string(),
  revision: z.string(),
});

export const page = z.object({
  search: z.string().optional(),
  sort: z.string().optional(),
  /** `desc` or `asc`. */
  order: z.enum(["asc", "desc"]).optional(),
  limit: z.coerce.number().int().min(1).max(500).optional(),
  start_key: z.string().optional(),
});

export const pageOptions = ({ search, sort, order, limit, start_key }: z.infer<typeof page>) => ({
  search: search ?? "",
  sort: sort ?? "",
  descending: order === "desc",
  pageSize: limit ?? 0,
  pageToken: start_key ?? "",
});

const list = createRoute({
  method: "get",
  path: "/v1/webapi/sites/{site}/machine-id/bot",
  request: { params: site, query: page },
  responses: answers("bots", z.object({ items: z.array(bot), next_key: z.string() })),
});

const show = createRoute({
  method: "get",
  path: "/v1/webapi/sites/{site}/machine-id/bot/{name}",
  request: { params: one },
  responses: answers("one bot, with its roles and traits", bot),
});

const create = createRoute({
  method: "post",
  path: "/v1/webapi/sites/{site}/machine-id/bot",
  request: {
    params: site,
    ...takes(
      z.strictObject({
        name: z.string(),
        roles: z.array(z.string()),
        traits: traits.default([]),
        max_session_ttl: z.string().optional(),
        /** Makes a join token of the bot's name with it, in one commit. */
        join: z
          .discriminatedUnion("method", [
            z.strictObject({ method: z.literal("bound_keypair") }),
            z.strictObject({ method: z.literal("github"), repository: z.string() }),
          ])
          .optional(),
      }),
    ),
  },
  responses: answers(
    "the bot that was made, and how its machine joins: a secret",
    z.object({ bot, join_uri: z.string() }),
  ),
});

const update = createRoute({
  method: "put",
  path: "/v2/webapi/sites/{site}/machine-id/bot/{name}",
  request: {
    params: one,
    ...takes(
      z.strictObject({
        roles: z.array(z.string()),
        traits,
        max_session_ttl: z.string(),
        /** As it was read: the change is refused when somebody else was first. */
        revision: z.string(),
      }),
    ),
  },
  responses: answers("the bot after the change, which is made whole or not at all", bot),
});

const remove = createRoute({
  method: "delete",
  path: "/v1/webapi/sites/{site}/machine-id/bot/{name}",
  request: { params: one },
  responses: answers("everything that went", z.object({ deleted: z.array(z.string()) })),
});

export function botRoutes(parts: WebParts): OpenAPIHono<WebEnv> {
  return newApp()
    .openapi(list, async (context) => {
      const calls = new PersonCalls(parts, context);
      const { items, next } = await calls.list("bot", pageOptions(context.req.valid("query")));
      return context.json({ items: items.map(described), next_key: next }, 200);
    })
    .openapi(show, async (context) => {
      const calls = new PersonCalls(parts, context);
      const found = await calls.get("bot", context.req.valid("param").name);
      return context.json(described(found), 200);
    })
    .openapi(create, async (context) => {
      requireFactor(parts, context);
      const { name, join, ...spec } = context.req.valid("json");
      const calls = new PersonCalls(parts, context);
      const made = await calls.write(
        "create",
        { kind: "bot", version: "v1", metadata: { name }, spec },
        ...(join ? [tokenOf(name, join, parts)] : []),
      );
      const [token] = made.others as readonly Token[];
      const entry = { address: parts.publicAddr(), caPins: caPins(parts.authorities.trust()) };
      const join_uri = token ? joinUriOf(entry, token) : "";
      return context.json({ bot: described(made.document as Bot), join_uri }, 200);
    })
    .openapi(update, async (context) => {
      requireFactor(parts, context);
      const { revision, ...change } = context.req.valid("json");
      const calls = new PersonCalls(parts, context);
      const { status: _, ...found } = await calls.get("bot", context.req.valid("param").name);
      const changed = await calls.write("update", {
        ...found,
        metadata: { ...found.metadata, revision },
        spec: { ...found.spec, ...change },
      });
      return context.json(described(changed.document as Bot), 200);
    })
    .openapi(remove, async (context) => {
      requireFactor(parts, context);
      const calls = new PersonCalls(parts, context);
      const deleted = await calls.remove("bot", context.req.valid("param").name);
      return context.json({ deleted: [...deleted] }, 200);
    });
}

function described({ metadata, spec, status }: Bot): z.infer<typeof bot> {
  return {
    name: metadata.name,
    description: metadata.description ?? "",
    labels: metadata.labels,
    roles: [...spec.roles],
    traits: [...spec.traits],
    max_session_ttl: spec.max_session_ttl,
    user_name: status?.user_name ?? botUserName(metadata.name),
    role_name: status?.role_name ?? botUserName(metadata.name),
    created_at: status?.created_at ?? "",
    created_by: status?.created_by ?? "",
    revision: metadata.revision ?? "",
  };
}
