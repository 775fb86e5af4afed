import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import { AuthService, type SearchEventsRequestSchema } from "@tenon/api/tenon/auth/v1/auth";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { notFound } from "#base/kernel";
import { eventTypes } from "#domain/audit";
import { PersonCalls } from "../caller.ts";
import { exportFormats, exportOf } from "../event-export.ts";
import { answers, newApp } from "../openapi.ts";
import type { WebEnv, WebParts } from "../parts.ts";

const site = z.object({ site: z.string() });
const methods = AuthService.method;
const event = z.record(z.string(), z.any());

const filter = z.object({
  /** Milliseconds since the epoch; from is inclusive, to is not. */
  from: z.coerce.number().int().min(0).optional(),
  to: z.coerce.number().int().min(0).optional(),
  type: z.string().optional(),
  bot: z.string().optional(),
  user: z.string().optional(),
  /** Of a connection to an application. */
  session: z.string().optional(),
  code: z.enum(["success", "failure", ""]).optional(),
});

const search = createRoute({
  method: "get",
  path: "/v1/webapi/sites/{site}/events/search",
  request: {
    params: site,
    query: filter.extend({
      order: z.enum(["asc", "desc"]).optional(),
      limit: z.coerce.number().int().min(1).max(1_000).optional(),
      start_key: z.string().optional(),
    }),
  },
  responses: answers(
    "events of the audit log, the newest first unless asked otherwise",
    z.object({ items: z.array(event), next_key: z.string() }),
  ),
});

const types = createRoute({
  method: "get",
  path: "/v1/webapi/sites/{site}/events/types",
  request: { params: site },
  responses: answers(
    "every type of event, and whether it tells of a success or a failure",
    z.object({ items: z.array(z.object({ type: z.string(), code: z.string() })) }),
  ),
});

const take = createRoute({
  method: "get",
  path: "/v1/webapi/sites/{site}/events/export",
  request: { params: site, query: filter.extend({ format: z.enum(exportFormats) }) },
  responses: {
    ...answers("refused", z.object({})),
    200: {
      description: "a file of the events, newest first; its last line says when older are left out",
      content: {
        "application/x-ndjson": { schema: z.string() },
        "text/csv": { schema: z.string() },
      },
    },
  },
});

const show = createRoute({
  method: "get",
  path: "/v1/webapi/sites/{site}/events/{id}",
  request: { params: site.extend({ id: z.string() }) },
  responses: answers("one event, whole", event),
});

/** The audit log. */
export function eventRoutes(parts: WebParts): OpenAPIHono<WebEnv> {
  const { calls } = parts;
  return newApp()
    .openapi(search, async (context) => {
      const { order, limit, start_key, ...about } = context.req.valid("query");
      const reply = await calls.call(
        methods.searchEvents,
        {
          ...filterOf(about),
          ascending: order === "asc",
          pageSize: limit ?? 0,
          pageToken: start_key ?? "",
        },
        new PersonCalls(parts, context).origin,
      );
      return context.json(
        { items: reply.events.map(readEvent), next_key: reply.nextPageToken },
        200,
      );
    })
    .openapi(types, (context) => {
      const items = Object.entries(eventTypes).map(([type, { code }]) => ({ type, code }));
      return context.json({ items }, 200);
    })
    .openapi(take, async (context) => {
      const { format, ...about } = context.req.valid("query");
      const { origin } = new PersonCalls(parts, context);
      const pages = calls.stream(methods.exportEvents, filterOf(about), origin);
      return await exportOf(context, { format, pages, ...parts });
    })
    .openapi(show, async (context) => {
      const { id } = context.req.valid("param");
      const { origin } = new PersonCalls(parts, context);
      const { events } = await calls.call(methods.searchEvents, { id }, origin);
      const [found] = events;
      if (found === undefined)
        throw notFound(`there is no event "${id}"; it may be older than the log is kept`);
      return context.json(readEvent(found), 200);
    });
}

const filterOf = ({
  from = 0,
  to = 0,
  ...about
}: z.infer<typeof filter>): MessageInitShape<typeof SearchEventsRequestSchema> => {
  const { type = "", bot = "", user = "", session = "", code = "" } = about;
  return { from: BigInt(from), to: BigInt(to), type, bot, user, session, code };
};

const readEvent = (text: string) => JSON.parse(text) as Record<string, string>;
