import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import {
  boundKeyLockTargets,
  boundKeyState,
  recoveriesLeft,
  tokenDisplayName,
  type Token,
} from "#domain/resources";
import { AuthService } from "@tenon/api/tenon/auth/v1/auth";
import { PersonCalls } from "../caller.ts";
import { answers, newApp } from "../openapi.ts";
import type { WebEnv, WebParts } from "../parts.ts";
import { requireFactor } from "../session.ts";
import { nameOf, tokenId } from "../token-id.ts";

/** What a caller gets that asks for no page, as those of older versions do; `next_key` tells of more. */
const MAX_TOKENS = 1_000;

const token = z.object({
  /** What the page calls it in an address: where the name is the secret, not the name. */
  id: z.string(),
  name: z.string(),
  join_method: z.string(),
  roles: z.array(z.string()),
  bot_name: z.string(),
  expires: z.string(),
  /** Of bound_keypair: unused, bound, reset or rotation due; locks are not looked at. */
  state: z.string(),
  /** How often its machine may still come back; nothing where nobody counts. */
  recoveries_left: z.number().optional(),
  recovery_limit: z.number().optional(),
  /** `user:bot-robot`: what a lock would have to name to keep its machine out. */
  lock_targets: z.array(z.string()),
});

const list = createRoute({
  method: "get",
  path: "/v1/webapi/tokens",
  request: {
    query: z.object({
      role: z.string().optional(),
      /** Counts only beside `role=Bot`. */
      bot: z.string().optional(),
      /** Contained in a name, a label or a field. */
      search: z.string().optional(),
      limit: z.coerce.number().int().min(1).max(500).optional(),
      start_key: z.string().optional(),
    }),
  },
  responses: answers("join tokens", z.object({ items: z.array(token), next_key: z.string() })),
});

const one = z.object({ site: z.string(), id: z.string() });

const show = createRoute({
  method: "get",
  path: "/v1/webapi/sites/{site}/tokens/{id}",
  request: { params: one },
  responses: answers("one join token, by its id", token),
});

const reset = createRoute({
  method: "post",
  path: "/v1/webapi/sites/{site}/tokens/{id}/reset",
  request: { params: one },
  responses: answers(
    "the machine of a bound key is let back in: its next attempt is taken until then, once",
    z.object({
      /** The locks that joining had made, which are gone. */
      locks: z.array(z.string()),
      /** Empty where no key is bound yet. */
      until: z.string(),
    }),
  ),
});

/** Reading join tokens is an action of an administrator: their names may open something. */
export function tokenRoutes(parts: WebParts): OpenAPIHono<WebEnv> {
  return newApp()
    .openapi(list, async (context) => {
      requireFactor(parts, context);
      const { role, bot, limit, search = "", start_key = "" } = context.req.valid("query");
      const fields = {
        ...(role ? { role } : {}),
        ...(bot && role === "Bot" ? { bot_name: bot } : {}),
      };
      const calls = new PersonCalls(parts, context);
      const about = { fields, search, pageToken: start_key };
      const { items, next } = await calls.all("token", { ...about, most: limit ?? MAX_TOKENS });
      const now = parts.clock.now();
      return context.json(
        { items: items.map((each) => described(each, now)), next_key: next },
        200,
      );
    })
    .openapi(show, async (context) => {
      requireFactor(parts, context);
      const calls = new PersonCalls(parts, context);
      const name = await nameOf(calls, "token", context.req.valid("param").id);
      const found = await calls.get("token", name);
      return context.json(described(found, parts.clock.now()), 200);
    })
    .openapi(reset, async (context) => {
      requireFactor(parts, context);
      const calls = new PersonCalls(parts, context);
      const name = await nameOf(calls, "token", context.req.valid("param").id);
      const method = AuthService.method.resetBoundKeypair;
      const { locks, until } = await parts.calls.call(method, { token: name }, calls.origin);
      const at = until === 0n ? "" : new Date(Number(until)).toISOString();
      return context.json({ locks, until: at }, 200);
    });
}

const described = (found: Token, now: number): z.infer<typeof token> => ({
  id: tokenId(found),
  name: tokenDisplayName(found),
  join_method: found.spec.join_method,
  roles: [...found.spec.roles],
  bot_name: found.spec.bot_name ?? "",
  expires: found.metadata.expires ?? "",
  state: found.spec.bound_keypair ? boundKeyState(found, now) : "",
  ...countsOf(found),
  lock_targets: [...boundKeyLockTargets(found)],
});

function countsOf(found: Token): { recoveries_left?: number; recovery_limit?: number } {
  const left = recoveriesLeft(found);
  const limit = found.spec.bound_keypair?.recovery.limit;
  return left === undefined || limit === undefined
    ? {}
    : { recoveries_left: left, recovery_limit: limit };
}
