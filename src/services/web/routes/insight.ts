import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import { AuthService, type BotSession } from "@tenon/api/tenon/auth/v1/auth";
import { PersonCalls } from "../caller.ts";
import { answers, newApp } from "../openapi.ts";
import type { WebEnv, WebParts } from "../parts.ts";

const one = z.object({ site: z.string(), name: z.string() });
const methods = AuthService.method;

/** Equal steps, each a round span of time: an hour by minutes, a day by half hours, a week by three hours. */
const ranges = {
  hour: { stepSeconds: 60, steps: 60 },
  day: { stepSeconds: 1_800, steps: 48 },
  week: { stepSeconds: 10_800, steps: 56 },
} as const;

const activity = createRoute({
  method: "get",
  path: "/v1/webapi/sites/{site}/machine-id/bot/{name}/activity",
  request: { params: one, query: z.object({ range: z.enum(["hour", "day", "week"]).optional() }) },
  responses: answers(
    "how often the bot did what, step by step; the last step is the one that goes on",
    z.object({
      range: z.string(),
      from: z.string(),
      step_seconds: z.number(),
      lines: z.array(z.object({ activity: z.string(), counts: z.array(z.number()) })),
    }),
  ),
});

const session = z.object({
  id: z.string(),
  app: z.string(),
  instance_id: z.string(),
  remote_addr: z.string(),
  started_at: z.string(),
  /** open, ended, or lost: the cluster stopped before it could record the end. */
  state: z.string(),
  /** Empty unless it ended. */
  ended_at: z.string(),
  bytes_up: z.number(),
  bytes_down: z.number(),
  reason: z.string(),
});

const sessions = createRoute({
  method: "get",
  path: "/v1/webapi/sites/{site}/machine-id/bot/{name}/sessions",
  request: {
    params: one,
    query: z.object({
      limit: z.coerce.number().int().min(1).max(500).optional(),
      start_key: z.string().optional(),
    }),
  },
  responses: answers(
    "the bot's connections to applications: those that are open first, then the newest",
    z.object({ items: z.array(session), next_key: z.string(), open: z.number() }),
  ),
});

const graph = createRoute({
  method: "get",
  path: "/v1/webapi/sites/{site}/machine-id/bot/{name}/access-graph",
  request: { params: one },
  responses: answers(
    "what the bot reaches, by which of its roles, and what it has open now",
    z.object({
      roles: z.array(z.object({ name: z.string(), missing: z.boolean(), locked: z.boolean() })),
      resources: z.array(
        z.object({
          kind: z.string(),
          name: z.string(),
          roles: z.array(z.string()),
          /** No role opens it alone: these do together. */
          together: z.boolean(),
          /** Whatever is asked for with one of these roles does not reach it. */
          denied_by: z.array(z.string()),
        }),
      ),
      sessions: z.array(session),
      /** How many there are, shown or not; `partial`: at least so many. */
      totals: z.record(z.string(), z.object({ count: z.number(), partial: z.boolean() })),
      /** What the viewer's roles do not show. */
      hidden: z.array(z.string()),
      /** A lock is on the bot itself: nothing of this works now. */
      locked: z.boolean(),
    }),
  ),
});

/** What a bot may do and what it does. */
export function insightRoutes(parts: WebParts): OpenAPIHono<WebEnv> {
  const { calls, clock } = parts;
  return newApp()
    .openapi(activity, async (context) => {
      const { name: bot } = context.req.valid("param");
      const { range = "day" } = context.req.valid("query");
      const { stepSeconds, steps } = ranges[range];
      const from = startOf(clock.now(), ranges[range]);
      const { lines } = await calls.call(
        methods.getBotActivity,
        { bot, from: BigInt(from), stepSeconds, steps },
        new PersonCalls(parts, context).origin,
      );
      const counted = lines.map(({ activity, counts }) => ({
        activity,
        counts: counts.map(Number),
      }));
      const at = new Date(from).toISOString();
      return context.json({ range, from: at, step_seconds: stepSeconds, lines: counted }, 200);
    })
    .openapi(sessions, async (context) => {
      const { name: bot } = context.req.valid("param");
      const { limit = 0, start_key = "" } = context.req.valid("query");
      const reply = await calls.call(
        methods.listBotSessions,
        { bot, pageSize: limit, pageToken: start_key },
        new PersonCalls(parts, context).origin,
      );
      const items = reply.sessions.map(described);
      return context.json({ items, next_key: reply.nextPageToken, open: reply.open }, 200);
    })
    .openapi(graph, async (context) => {
      const { name: bot } = context.req.valid("param");
      const { origin } = new PersonCalls(parts, context);
      const reply = await calls.call(methods.getBotAccess, { bot }, origin);
      return context.json(
        {
          roles: reply.roles.map(({ name, missing, locked }) => ({ name, missing, locked })),
          resources: reply.resources.map(({ kind, name, roles, together, deniedBy }) => ({
            kind,
            name,
            roles,
            together,
            denied_by: deniedBy,
          })),
          sessions: reply.sessions.map(described),
          totals: Object.fromEntries(
            reply.totals.map(({ kind, count, partial }) => [kind, { count, partial }]),
          ),
          hidden: reply.hidden,
          locked: reply.locked,
        },
        200,
      );
    });
}

/** Steps begin at round times, so that they stay where they are while time goes on. */
function startOf(
  now: number,
  { stepSeconds, steps }: (typeof ranges)[keyof typeof ranges],
): number {
  const stepMs = stepSeconds * 1_000;
  const end = (Math.floor(now / stepMs) + 1) * stepMs;
  return end - steps * stepMs;
}

const timeOf = (ms: bigint): string => (ms === 0n ? "" : new Date(Number(ms)).toISOString());

const described = (found: BotSession): z.infer<typeof session> => ({
  id: found.id,
  app: found.app,
  instance_id: found.instanceId,
  remote_addr: found.remoteAddr,
  started_at: timeOf(found.startedAt),
  state: found.state,
  ended_at: timeOf(found.endedAt),
  bytes_up: Number(found.bytesUp),
  bytes_down: Number(found.bytesDown),
  reason: found.reason,
});
