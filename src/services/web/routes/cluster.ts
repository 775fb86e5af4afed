import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import { AuthService, type GetStatusResponse_Authority } from "@tenon/api/tenon/auth/v1/auth";
import { PersonCalls } from "../caller.ts";
import { answers, newApp } from "../openapi.ts";
import type { WebEnv, WebParts } from "../parts.ts";

const site = z.object({ site: z.string() });
const methods = AuthService.method;

const authority = z.object({
  type: z.string(),
  phase: z.string(),
  fingerprint: z.string(),
  not_after: z.string(),
  trusted_fingerprints: z.array(z.string()),
  /** Absent in standby. */
  rotation: z
    .object({
      mode: z.string(),
      started_at: z.string(),
      phase_since: z.string(),
      /** When the next phase begins by itself; empty: never. */
      next_phase_at: z.string(),
      /** How many that are connected still show what the old keys signed. */
      behind: z.number().int(),
    })
    .optional(),
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
      authorities: z.array(authority),
      /** Until when tokens may be moved forward after a restore; empty: no such window is open. */
      resync_until: z.string(),
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
          authorities: reply.authorities.map(described),
          resync_until: timeOf(reply.resyncUntil),
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

const described = (found: GetStatusResponse_Authority): z.infer<typeof authority> => ({
  type: found.type,
  phase: found.phase,
  fingerprint: found.fingerprint,
  not_after: timeOf(found.notAfter),
  trusted_fingerprints: found.trustedFingerprints,
  ...(found.rotation
    ? {
        rotation: {
          mode: found.rotation.mode,
          started_at: timeOf(found.rotation.startedAt),
          phase_since: timeOf(found.rotation.phaseSince),
          next_phase_at: timeOf(found.rotation.nextPhaseAt),
          behind: found.rotation.behind,
        },
      }
    : {}),
});

/** Milliseconds since the epoch, where 0 stands for no time. */
const timeOf = (ms: bigint): string => (ms === 0n ? "" : new Date(Number(ms)).toISOString());
