import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import { randomUUID } from "node:crypto";
import { badParameter, type Clock } from "#base/kernel";
import { durationMs } from "#base/config";
import { lockTargets, type Lock, type LockTarget } from "#domain/resources";
import { PersonCalls } from "../caller.ts";
import { answers, newApp, takes } from "../openapi.ts";
import type { WebEnv, WebParts } from "../parts.ts";
import { requireFactor } from "../session.ts";

const MAX_LOCKS = 1_000;

const site = z.object({ site: z.string() });
const target = z.record(z.string(), z.string());
const lock = z.object({
  name: z.string(),
  targets: target,
  message: z.string(),
  expires: z.string(),
  created_at: z.string(),
  created_by: z.string(),
});

const list = createRoute({
  method: "get",
  path: "/v1/webapi/sites/{site}/locks",
  request: {
    params: site,
    query: z.object({
      /** `true`: only those that hold now. */
      in_force_only: z.enum(["true", "false"]).optional(),
      /** `kind:name`, such as `user:bot-robot`; several, separated by commas. */
      target: z.string().optional(),
    }),
  },
  responses: answers("locks", z.object({ items: z.array(lock) })),
});

const put = createRoute({
  method: "put",
  path: "/v1/webapi/sites/{site}/locks",
  request: {
    params: site,
    ...takes(
      z.strictObject({
        targets: target,
        message: z.string().default(""),
        /** A duration, such as `12h`; without one the lock holds until it is removed. */
        ttl: z.string().optional(),
      }),
    ),
  },
  responses: answers("the lock", lock),
});

const remove = createRoute({
  method: "delete",
  path: "/v1/webapi/sites/{site}/locks/{name}",
  request: { params: site.extend({ name: z.string() }) },
  responses: answers("removed", z.object({})),
});

export function lockRoutes(parts: WebParts): OpenAPIHono<WebEnv> {
  return newApp()
    .openapi(list, async (context) => {
      const { in_force_only, target: wanted } = context.req.valid("query");
      const calls = new PersonCalls(parts, context);
      const targets = wanted === undefined ? undefined : wanted.split(",");
      const found = await locksOf(calls, targets);
      const now = parts.clock.now();
      const shown = in_force_only === "true" ? found.filter((each) => inForce(each, now)) : found;
      return context.json({ items: shown.map(described) }, 200);
    })
    .openapi(put, async (context) => {
      requireFactor(parts, context);
      const { targets, message, ttl } = context.req.valid("json");
      const made = await new PersonCalls(parts, context).write("create", {
        kind: "lock",
        version: "v2",
        metadata: { name: randomUUID() },
        spec: { target: targets, message, ...(ttl ? { expires: endOf(ttl, parts.clock) } : {}) },
      });
      return context.json(described(made.document as Lock), 200);
    })
    .openapi(remove, async (context) => {
      requireFactor(parts, context);
      await new PersonCalls(parts, context).remove("lock", context.req.valid("param").name);
      return context.json({}, 200);
    });
}

async function locksOf(
  calls: PersonCalls,
  targets: readonly string[] | undefined,
): Promise<Lock[]> {
  if (!targets) return await calls.all("lock", { most: MAX_LOCKS });
  const lists = targets.map(async (text) => {
    const [kind] = text.split(":", 1);
    if (!lockTargets.includes(kind as LockTarget))
      throw badParameter(`target "${text}" is not KIND:NAME with one of ${lockTargets.join(", ")}`);
    return await calls.all("lock", { most: MAX_LOCKS, fields: { target: text } });
  });
  return (await Promise.all(lists)).flat();
}

const inForce = ({ spec }: Lock, now: number): boolean =>
  spec.expires === undefined || Date.parse(spec.expires) > now;

const endOf = (ttl: string, clock: Clock): string => {
  const ms = durationMs(ttl);
  if (Number.isFinite(ms) && ms > 0) return new Date(clock.now() + ms).toISOString();
  throw badParameter(`ttl "${ttl}" is not a duration; write 30m, 12h or 3d`);
};

const described = ({ metadata, spec }: Lock): z.infer<typeof lock> => ({
  name: metadata.name,
  targets: Object.fromEntries(
    Object.entries(spec.target).filter((entry): entry is [string, string] => !!entry[1]),
  ),
  message: spec.message,
  expires: spec.expires ?? "",
  created_at: spec.created_at ?? "",
  created_by: spec.created_by ?? "",
});
