import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import { tokenDisplayName, type Token } from "#domain/resources";
import { PersonCalls } from "../caller.ts";
import { answers, newApp } from "../openapi.ts";
import type { WebEnv, WebParts } from "../parts.ts";
import { requireFactor } from "../session.ts";
import { tokenId } from "../token-id.ts";

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
});

const list = createRoute({
  method: "get",
  path: "/v1/webapi/tokens",
  request: {
    query: z.object({
      role: z.string().optional(),
      /** Counts only beside `role=Bot`. */
      bot: z.string().optional(),
      limit: z.coerce.number().int().min(1).max(500).optional(),
      start_key: z.string().optional(),
    }),
  },
  responses: answers("join tokens", z.object({ items: z.array(token), next_key: z.string() })),
});

/** Reading join tokens is an action of an administrator: their names may open something. */
export function tokenRoutes(parts: WebParts): OpenAPIHono<WebEnv> {
  return newApp().openapi(list, async (context) => {
    requireFactor(parts, context);
    const { role, bot, limit, start_key = "" } = context.req.valid("query");
    const fields = {
      ...(role ? { role } : {}),
      ...(bot && role === "Bot" ? { bot_name: bot } : {}),
    };
    const calls = new PersonCalls(parts, context);
    const about = { fields, pageToken: start_key };
    const { items, next } = await calls.all("token", { ...about, most: limit ?? MAX_TOKENS });
    return context.json({ items: items.map(described), next_key: next }, 200);
  });
}

const described = (found: Token): z.infer<typeof token> => ({
  id: tokenId(found),
  name: tokenDisplayName(found),
  join_method: found.spec.join_method,
  roles: [...found.spec.roles],
  bot_name: found.spec.bot_name ?? "",
  expires: found.metadata.expires ?? "",
});
