import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import { randomUUID } from "node:crypto";
import { badParameter, limitExceeded, type Clock } from "#base/kernel";
import { durationMs } from "#base/config";
import { lockTargetKey, lockTargets, type Lock, type LockTarget } from "#domain/resources";
import { PersonCalls } from "../caller.ts";
import { answers, newApp, takes } from "../openapi.ts";
import type { WebEnv, WebParts } from "../parts.ts";
import { requireFactor } from "../session.ts";

/** What a caller gets that asks for no page; `next_key` tells of more. Of one target there are a few. */
const MAX_LOCKS = 1_000;
/** A bot has two: its user and its role. */
const MAX_TARGETS = 20;

const site = z.object({ site: z.string() });
const target = z.record(z.string(), z.string());
const lock = z.object({
  name: z.string(),
  targets: target,
  /** `kind:name`, as it is found by: a public key by its fingerprint. */
  key: z.string(),
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
      /** Makes no difference: a lock that ends is gone with that moment. Older versions had others too. */
      in_force_only: z.enum(["true", "false"]).optional(),
      /** `kind:name`, such as `user:bot-robot`; several, separated by commas. */
      target: z.string().optional(),
      /** Contained in a name, a label or a field; not beside several targets. */
      search: z.string().optional(),
      /** With several targets everything comes at once. */
      limit: z.coerce.number().int().min(1).max(500).optional(),
      start_key: z.string().optional(),
    }),
  },
  responses: answers("locks", z.object({ items: z.array(lock), next_key: z.string() })),
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
      const { target: wanted, limit, start_key = "", search = "" } = context.req.valid("query");
      const calls = new PersonCalls(parts, context);
      const targets = wanted === undefined ? [] : wanted.split(",");
      const about = { most: limit ?? MAX_LOCKS, pageToken: start_key, search };
      const { items, next } = await locksOf(calls, targets, about);
      return context.json({ items: items.map(described), next_key: next }, 200);
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
  targets: readonly string[],
  about: { readonly most: number; readonly pageToken: string; readonly search: string },
): Promise<{ items: Lock[]; next: string }> {
  for (const target of targets) checkTarget(target);
  const [only, ...others] = targets;
  if (only === undefined) return await calls.all("lock", about);
  if (others.length === 0) return await calls.all("lock", { ...about, fields: { target: only } });
  if (targets.length > MAX_TARGETS)
    throw limitExceeded(`at most ${MAX_TARGETS} targets can be asked for at once`);
  const lists = await Promise.all(targets.map((target) => everyLockOf(calls, target)));
  return { items: lists.flat(), next: "" };
}

async function everyLockOf(calls: PersonCalls, target: string): Promise<Lock[]> {
  const { items, next } = await calls.all("lock", { most: MAX_LOCKS, fields: { target } });
  if (next === "") return items;
  throw limitExceeded(
    `target "${target}" has more than ${MAX_LOCKS} locks; ask for this target alone, with limit and start_key`,
  );
}

function checkTarget(text: string): void {
  const [kind] = text.split(":", 1);
  if (lockTargets.includes(kind as LockTarget)) return;
  throw badParameter(`target "${text}" is not KIND:NAME with one of ${lockTargets.join(", ")}`);
}

const endOf = (ttl: string, clock: Clock): string => {
  const ms = durationMs(ttl);
  if (Number.isFinite(ms) && ms > 0) return new Date(clock.now() + ms).toISOString();
  throw badParameter(`ttl "${ttl}" is not a duration; write 30m, 12h or 3d`);
};

const described = (found: Lock): z.infer<typeof lock> => {
  const { metadata, spec } = found;
  return {
    name: metadata.name,
    key: lockTargetKey(found),
    targets: Object.fromEntries(
      Object.entries(spec.target).filter((entry): entry is [string, string] => !!entry[1]),
    ),
    message: spec.message,
    expires: spec.expires ?? "",
    created_at: spec.created_at ?? "",
    created_by: spec.created_by ?? "",
  };
};
