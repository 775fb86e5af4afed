import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import { jsonSchemaOf, withoutSecrets, yamlOf } from "#base/config";
import { kindNamed, kinds, tokenDisplayName, type AnyResource } from "#domain/resources";
import { PersonCalls, plain } from "../caller.ts";
import { checkDraft } from "../check.ts";
import { answers, newApp, takes } from "../openapi.ts";
import type { WebEnv, WebParts } from "../parts.ts";
import { requireFactor } from "../session.ts";
import { nameOf } from "../token-id.ts";
import { guarded } from "./resources.ts";

const kind = z.object({ site: z.string(), kind: z.string() });
const one = kind.extend({ name: z.string() });

const show = createRoute({
  method: "get",
  path: "/v1/webapi/sites/{site}/resources/{kind}/{name}/yaml",
  request: {
    params: one,
    /** `shown`: with what the schema calls secret, as `tctl get` prints it. */
    query: z.object({ secrets: z.enum(["hidden", "shown"]).optional() }),
  },
  responses: answers(
    "one document as YAML: what a person may change, and apart from it what the server owns",
    z.object({
      name: z.string(),
      yaml: z.string(),
      status: z.string(),
      revision: z.string(),
      /** Something in it is a secret, shown or not. */
      has_secrets: z.boolean(),
    }),
  ),
});

const validate = createRoute({
  method: "post",
  path: "/v1/webapi/sites/{site}/resources/{kind}/validate",
  request: {
    params: kind,
    ...takes(
      z.strictObject({
        yaml: z.string(),
        /** Of the document that it is to replace; without them it is a new one. */
        name: z.string().optional(),
        revision: z.string().optional(),
      }),
    ),
  },
  responses: answers(
    "every fault at once, each with its place; or the document as it may be written",
    z.object({
      faults: z.array(
        z.object({
          line: z.number().int(),
          column: z.number().int(),
          path: z.string(),
          message: z.string(),
        }),
      ),
      document: z.record(z.string(), z.any()).optional(),
      notices: z.array(z.string()),
      refused: z.object({ code: z.string(), message: z.string() }).optional(),
    }),
  ),
});

const schema = createRoute({
  method: "get",
  path: "/v1/webapi/sites/{site}/schemas/{kind}",
  request: { params: kind },
  responses: answers("JSON Schema of a kind, as `tctl schema` prints it", z.looseObject({})),
});

/** Documents as people read and write them. */
export function documentRoutes(parts: WebParts): OpenAPIHono<WebEnv> {
  return newApp()
    .openapi(show, async (context) => {
      const { kind: of, name } = context.req.valid("param");
      if (guarded(of)) requireFactor(parts, context);
      const calls = new PersonCalls(parts, context);
      const wanted = kindNamed(of);
      const found = await calls.get(wanted, await nameOf(calls, wanted, name));
      const secrets = context.req.valid("query").secrets === "shown";
      return context.json(written(found, secrets), 200);
    })
    .openapi(validate, async (context) => {
      const draft = {
        ...context.req.valid("json"),
        kind: kindNamed(context.req.valid("param").kind),
      };
      const checked = await checkDraft(new PersonCalls(parts, context), draft);
      const { document, faults, notices, ...rest } = checked;
      const shown = document === undefined ? {} : { document: plain(document) };
      return context.json({ ...rest, faults: [...faults], notices: [...notices], ...shown }, 200);
    })
    .openapi(schema, (context) => {
      const of = kindNamed(context.req.valid("param").kind);
      const made = jsonSchemaOf(kinds[of].schema, { title: `Tenon ${of}` });
      return context.json({ ...made }, 200);
    });
}

function written(found: AnyResource, secrets: boolean) {
  const { schema } = kinds[found.kind];
  const hidden = hide(found);
  const { kind, version, metadata, spec, status } = secrets ? found : hidden;
  const { revision, ...rest } = metadata;
  return {
    name: metadata.name,
    yaml: yamlOf({ kind, version, metadata: rest, spec }, schema),
    status: status && Object.keys(status).length > 0 ? yamlOf(status) : "",
    revision: revision ?? "",
    has_secrets: JSON.stringify(hidden) !== JSON.stringify(found),
  };
}

function hide(found: AnyResource): AnyResource {
  const hidden = withoutSecrets(found, kinds[found.kind].schema) as AnyResource;
  if (hidden.kind !== "token") return hidden;
  return { ...hidden, metadata: { ...hidden.metadata, name: tokenDisplayName(hidden) } };
}
