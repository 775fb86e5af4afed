import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import { tokenDisplayName, type Token } from "#domain/resources";
import { PersonCalls } from "../caller.ts";
import { answers, newApp } from "../openapi.ts";
import type { WebEnv, WebParts } from "../parts.ts";
import { requireFactor } from "../session.ts";
import { tokenId } from "../token-id.ts";

/** Of one bot there are a few; a cluster has no more than this that a page could show. */
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
    }),
  },
  responses: answers("join tokens", z.object({ items: z.array(token) })),
});

/** Reading join tokens is an action of an administrator: their names may open something. */
export function tokenRoutes(parts: WebParts): OpenAPIHono<WebEnv> {
  return newApp().openapi(list, async (context) => {
    requireFactor(parts, context);
    const { role, bot } = context.req.valid("query");
    const calls = new PersonCalls(parts, context);
    const all = await calls.all("token", { most: MAX_TOKENS });
    const wanted = all.filter(
      ({ spec }) =>
        (role === undefined || spec.roles.some((each) => each === role)) &&
        (bot === undefined || role !== "Bot" || spec.bot_name === bot),
    );
    return context.json({ items: wanted.map(described) }, 200);
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
