import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import { badParameter } from "#base/kernel";
import { kindNamed } from "#domain/resources";
import { PersonCalls, plain } from "../caller.ts";
import { answers, newApp, takes } from "../openapi.ts";
import type { WebEnv, WebParts } from "../parts.ts";
import { requireFactor } from "../session.ts";
import { nameOf } from "../token-id.ts";
import { page, pageOptions } from "./bots.ts";

const kind = z.object({ site: z.string(), kind: z.string() });
const one = kind.extend({ name: z.string() });
const document = z.record(z.string(), z.any());

const list = createRoute({
  method: "get",
  path: "/v1/webapi/sites/{site}/resources/{kind}",
  request: {
    params: kind,
    query: page.extend({
      /** `name:value` of a field that the kind can be filtered by, such as `role:access`. */
      field: z.string().optional(),
    }),
  },
  responses: answers(
    "documents of one kind",
    z.object({ items: z.array(document), next_key: z.string() }),
  ),
});

const show = createRoute({
  method: "get",
  path: "/v1/webapi/sites/{site}/resources/{kind}/{name}",
  request: { params: one },
  responses: answers("one document", document),
});

const write = (method: "post" | "put") =>
  createRoute({
    method,
    path: "/v1/webapi/sites/{site}/resources/{kind}",
    request: { params: kind, ...takes(document) },
    responses: answers(
      "the document as it is stored",
      z.object({ document, notices: z.array(z.string()) }),
    ),
  });

const remove = createRoute({
  method: "delete",
  path: "/v1/webapi/sites/{site}/resources/{kind}/{name}",
  request: {
    params: one,
    /** As it was read: the deletion is refused when it was changed since. */
    query: z.object({ revision: z.string().optional() }),
  },
  responses: answers("everything that went", z.object({ deleted: z.array(z.string()) })),
});

/** Kinds whose very reading is an action of an administrator. */
export const guarded = (name: string): boolean => kindNamed(name) === "token";

/** Every kind of resource as its document: what `tctl get`, `create`, `edit` and `rm` do. */
export function resourceRoutes(parts: WebParts): OpenAPIHono<WebEnv> {
  return newApp()
    .openapi(list, async (context) => {
      const { kind: name } = context.req.valid("param");
      if (guarded(name)) requireFactor(parts, context);
      const { field, ...query } = context.req.valid("query");
      const options = { ...pageOptions(query), ...fieldsOf(field) };
      const { items, next } = await new PersonCalls(parts, context).list(kindNamed(name), options);
      return context.json({ items: items.map(plain), next_key: next }, 200);
    })
    .openapi(show, async (context) => {
      const { kind: of, name } = context.req.valid("param");
      if (guarded(of)) requireFactor(parts, context);
      const calls = new PersonCalls(parts, context);
      const wanted = kindNamed(of);
      const found = await calls.get(wanted, await nameOf(calls, wanted, name));
      return context.json(plain(found), 200);
    })
    .openapi(write("post"), async (context) => {
      requireFactor(parts, context);
      const calls = new PersonCalls(parts, context);
      const written = await calls.write("create", context.req.valid("json"));
      return context.json(
        { document: plain(written.document), notices: [...written.notices] },
        200,
      );
    })
    .openapi(write("put"), async (context) => {
      requireFactor(parts, context);
      const calls = new PersonCalls(parts, context);
      const written = await calls.write("update", context.req.valid("json"));
      return context.json(
        { document: plain(written.document), notices: [...written.notices] },
        200,
      );
    })
    .openapi(remove, async (context) => {
      requireFactor(parts, context);
      const { kind: of, name } = context.req.valid("param");
      const calls = new PersonCalls(parts, context);
      const wanted = kindNamed(of);
      const { revision } = context.req.valid("query");
      const deleted = await calls.remove(wanted, await nameOf(calls, wanted, name), revision);
      return context.json({ deleted: [...deleted] }, 200);
    });
}

function fieldsOf(text: string | undefined): { fields?: Record<string, string> } {
  if (text === undefined) return {};
  const at = text.indexOf(":");
  if (at < 1) throw badParameter(`field "${text}" is not NAME:VALUE, such as role:access`);
  return { fields: { [text.slice(0, at)]: text.slice(at + 1) } };
}
