import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import { AuthService } from "@tenon/api/tenon/auth/v1/auth";
import { PersonCalls } from "../caller.ts";
import { answers, newApp } from "../openapi.ts";
import type { WebEnv, WebParts } from "../parts.ts";

const site = z.object({ site: z.string() });
const methods = AuthService.method;

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

/** The cluster as a whole. */
export function clusterRoutes(parts: WebParts): OpenAPIHono<WebEnv> {
  const { calls } = parts;
  return newApp()
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
