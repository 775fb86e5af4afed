import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import { answers, newApp } from "../openapi.ts";
import type { WebEnv, WebParts } from "../parts.ts";
import { Viewer } from "../viewer.ts";

const show = createRoute({
  method: "get",
  path: "/v1/webapi/sites/{site}/context",
  request: { params: z.object({ site: z.string() }) },
  responses: answers(
    "who is signed in, and what the roles allow: a page hides or disables the rest",
    z.object({
      user: z.string(),
      cluster: z.string(),
      version: z.string(),
      roles: z.array(z.string()),
      /** Resource to the verbs that the roles allow. */
      access: z.record(z.string(), z.array(z.string())),
      second_factor: z.object({ fresh: z.boolean() }),
    }),
  ),
});

export function contextRoutes(parts: WebParts): OpenAPIHono<WebEnv> {
  return newApp().openapi(show, async (context) => {
    const session = context.get("session");
    const viewer = await Viewer.read(parts, session.user);
    return context.json(
      {
        user: viewer.user,
        cluster: parts.authorities.clusterName,
        version: parts.version,
        roles: [...viewer.roles],
        access: viewer.access,
        second_factor: { fresh: parts.signIn.sessions.hasFreshFactor(session) },
      },
      200,
    );
  });
}
