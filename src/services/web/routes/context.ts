import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import { mayVerb } from "#domain/access";
import { ruleResources, verbs, type Role } from "#domain/resources";
import { answers, newApp } from "../openapi.ts";
import type { WebEnv, WebParts } from "../parts.ts";

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
    const user = await parts.resources.get("user", session.user);
    const names = user?.spec.roles ?? [];
    const read = await Promise.all(
      names.map(async (name) => await parts.resources.get("role", name)),
    );
    const roles = read.filter((role): role is Role => role !== undefined);
    return context.json(
      {
        user: session.user,
        cluster: parts.authorities.clusterName,
        version: parts.version,
        roles: [...names],
        access: accessOf(session.user, roles),
        second_factor: { fresh: parts.signIn.sessions.hasFreshFactor(session) },
      },
      200,
    );
  });
}

function accessOf(user: string, roles: readonly Role[]): Record<string, string[]> {
  const names = roles.map(({ metadata }) => metadata.name);
  const identity = { user, roles: names, traits: {}, logins: [], allowReissue: false, expires: 0 };
  const caller = { kind: "user", identity, roles } as const;
  return Object.fromEntries(
    ruleResources.map((resource) => [
      resource,
      verbs.filter((verb) => mayVerb(caller, resource, verb)),
    ]),
  );
}
