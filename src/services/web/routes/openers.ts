import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import { badParameter } from "#base/kernel";
import { decideOpen, openableKinds, openerField, type OpenableKind } from "#domain/access";
import { kindNamed, type KindName, type Role } from "#domain/resources";
import { PersonCalls } from "../caller.ts";
import { answers, newApp } from "../openapi.ts";
import type { WebEnv, WebParts } from "../parts.ts";

/** A cluster with more roles than this is asked by `tctl`. */
const MAX_ROLES = 5_000;

const openers = createRoute({
  method: "get",
  path: "/v1/webapi/sites/{site}/resources/{kind}/{name}/openers",
  request: { params: z.object({ site: z.string(), kind: z.string(), name: z.string() }) },
  responses: answers(
    "roles that open a resource by its labels, and those that keep it shut",
    z.object({
      allow: z.array(z.string()),
      deny: z.array(z.string()),
      /** Whether these allow it hangs on the traits of whoever asks. */
      by_traits: z.array(z.string()),
    }),
  ),
});

/** Who may reach what: of roles, as the decisions of access are made. */
export function openerRoutes(parts: WebParts): OpenAPIHono<WebEnv> {
  return newApp().openapi(openers, async (context) => {
    const { kind: of, name } = context.req.valid("param");
    const kind = openable(kindNamed(of));
    const calls = new PersonCalls(parts, context);
    const { labels } = (await calls.get(kind, name)).metadata;
    const { items: roles } = await calls.all("role", { most: MAX_ROLES });
    const deciding = (wanted: (role: Role) => boolean): string[] =>
      roles.filter(wanted).map(({ metadata }) => metadata.name);
    const decided = (role: Role) => decideOpen(kind, { roles: [role], traits: {} }, labels);
    const denies = (role: Role): boolean => {
      const decision = decided(role);
      return !decision.allowed && decision.denied;
    };
    return context.json(
      {
        allow: deciding((role) => decided(role).allowed),
        deny: deciding(denies),
        by_traits: deciding(
          (role) => !decided(role).allowed && !denies(role) && asksForTraits(role, kind),
        ),
      },
      200,
    );
  });
}

function openable(kind: KindName): OpenableKind {
  const found = openableKinds.find((each) => each === kind);
  if (found) return found;
  throw badParameter(`roles open ${openableKinds.join(", ")} by labels; not ${kind}`);
}

const asksForTraits = (role: Role, kind: OpenableKind): boolean =>
  Object.values(role.spec.allow[openerField(kind)]).some((values) =>
    values.some((value) => value.includes("{{")),
  );
