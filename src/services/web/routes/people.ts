import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import { AuthService } from "@tenon/api/tenon/auth/v1/auth";
import { PersonCalls } from "../caller.ts";
import { answers, newApp, takes } from "../openapi.ts";
import type { WebEnv, WebParts } from "../parts.ts";
import { requireFactor } from "../session.ts";

const one = z.object({ site: z.string(), name: z.string() });

const invite = createRoute({
  method: "post",
  path: "/v1/webapi/sites/{site}/users/{name}/invitation",
  request: {
    params: one,
    ...takes(
      z.strictObject({
        /** Replaces all that the person signed in with before, and ends their sessions. */
        recovery: z.boolean().default(false),
      }),
    ),
  },
  responses: answers(
    "a link with which the person chooses how to sign in, once: a secret",
    z.object({ url: z.string(), expires: z.string() }),
  ),
});

const ways = createRoute({
  method: "get",
  path: "/v1/webapi/sites/{site}/users/{name}/sign-in",
  request: { params: one },
  responses: answers(
    "how somebody signs in, without any secret",
    z.object({ password: z.boolean(), passkeys: z.number().int() }),
  ),
});

/** People: their invitations, and how they sign in. */
export function peopleRoutes(parts: WebParts): OpenAPIHono<WebEnv> {
  return newApp()
    .openapi(invite, async (context) => {
      requireFactor(parts, context);
      const { name: user } = context.req.valid("param");
      const { recovery } = context.req.valid("json");
      const { origin } = new PersonCalls(parts, context);
      const method = AuthService.method.inviteUser;
      const { url, expires } = await parts.calls.call(method, { user, recovery }, origin);
      return context.json({ url, expires: new Date(Number(expires)).toISOString() }, 200);
    })
    .openapi(ways, async (context) => {
      const { name } = context.req.valid("param");
      // Whoever may read the user may know how it signs in.
      await new PersonCalls(parts, context).get("user", name);
      return context.json({ ...(await parts.signIn.waysOf(name)) }, 200);
    });
}
