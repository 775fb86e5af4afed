import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import { AuthService } from "@tenon/api/tenon/auth/v1/auth";
import { PersonCalls } from "../caller.ts";
import { answers, newApp } from "../openapi.ts";
import type { WebEnv, WebParts } from "../parts.ts";

const site = z.object({ site: z.string() });
const methods = AuthService.method;

const events = createRoute({
  method: "get",
  path: "/v1/webapi/sites/{site}/events/search",
  request: {
    params: site,
    query: z.object({
      /** Milliseconds since the epoch. */
      from: z.coerce.number().int().min(0).optional(),
      to: z.coerce.number().int().min(0).optional(),
      type: z.string().optional(),
      bot: z.string().optional(),
      user: z.string().optional(),
      order: z.enum(["asc", "desc"]).optional(),
      limit: z.coerce.number().int().min(1).max(1_000).optional(),
      start_key: z.string().optional(),
    }),
  },
  responses: answers(
    "events of the audit log, the newest first unless asked otherwise",
    z.object({ items: z.array(z.record(z.string(), z.any())), next_key: z.string() }),
  ),
});

const status = createRoute({
  method: "get",
  path: "/v1/webapi/sites/{site}/status",
  request: { params: site },
  responses: answers(
    "the cluster: authorities, and how many resources of each kind",
    z.object({
      cluster: z.string(),
      version: z.string(),
      proxy_public_addr: z.string(),
      ca_pins: z.array(z.string()),
      started_at: z.string(),
      counts: z.record(z.string(), z.number()),
      authorities: z.array(
        z.object({ type: z.string(), phase: z.string(), fingerprint: z.string() }),
      ),
    }),
  ),
});

const alerts = createRoute({
  method: "get",
  path: "/v1/webapi/sites/{site}/alerts",
  request: { params: site },
  responses: answers(
    "what an administrator should look at now",
    z.object({
      items: z.array(
        z.object({
          type: z.string(),
          severity: z.string(),
          subject: z.string(),
          message: z.string(),
        }),
      ),
    }),
  ),
});

/** The audit log, and the cluster as a whole. */
export function clusterRoutes(parts: WebParts): OpenAPIHono<WebEnv> {
  const { calls } = parts;
  return newApp()
    .openapi(events, async (context) => {
      const { from = 0, to = 0, order, limit, start_key, ...about } = context.req.valid("query");
      const { type = "", bot = "", user = "" } = about;
      const reply = await calls.call(
        methods.searchEvents,
        {
          type,
          bot,
          user,
          from: BigInt(from),
          to: BigInt(to),
          ascending: order === "asc",
          pageSize: limit ?? 0,
          pageToken: start_key ?? "",
        },
        new PersonCalls(parts, context).origin,
      );
      const items = reply.events.map((text) => JSON.parse(text) as Record<string, string>);
      return context.json({ items, next_key: reply.nextPageToken }, 200);
    })
    .openapi(status, async (context) => {
      const { origin } = new PersonCalls(parts, context);
      const reply = await calls.call(methods.getStatus, {}, origin);
      return context.json(
        {
          cluster: reply.clusterName,
          version: reply.version,
          proxy_public_addr: reply.proxyPublicAddr,
          ca_pins: reply.caPins,
          started_at: new Date(Number(reply.startedAt)).toISOString(),
          counts: Object.fromEntries(
            Object.entries(reply.counts).map(([kind, count]) => [kind, Number(count)]),
          ),
          authorities: reply.authorities.map(({ type, phase, fingerprint }) => ({
            type,
            phase,
            fingerprint,
          })),
        },
        200,
      );
    })
    .openapi(alerts, async (context) => {
      const { origin } = new PersonCalls(parts, context);
      const reply = await calls.call(methods.listAlerts, {}, origin);
      const items = reply.alerts.map(({ type, severity, subject, message }) => ({
        type,
        severity,
        subject,
        message,
      }));
      return context.json({ items }, 200);
    });
}
