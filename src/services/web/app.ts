import type { OpenAPIHono } from "@hono/zod-openapi";
import { badParameter, limitExceeded } from "#base/kernel";
import type { MiddlewareHandler } from "hono";
import { answerError, bodyOf } from "./errors.ts";
import { WebIdentities } from "./identities.ts";
import { newApp } from "./openapi.ts";
import type { WebEnv, WebParts } from "./parts.ts";
import { accountRoutes } from "./routes/account.ts";
import { botRoutes } from "./routes/bots.ts";
import { clusterRoutes } from "./routes/cluster.ts";
import { contextRoutes } from "./routes/context.ts";
import { documentRoutes } from "./routes/documents.ts";
import { eventRoutes } from "./routes/events.ts";
import { insightRoutes } from "./routes/insight.ts";
import { instanceRoutes } from "./routes/instances.ts";
import { liveRoutes } from "./routes/live.ts";
import { lockRoutes } from "./routes/locks.ts";
import { openerRoutes } from "./routes/openers.ts";
import { peopleRoutes } from "./routes/people.ts";
import { resourceRoutes } from "./routes/resources.ts";
import { signInRoutes } from "./routes/sign-in.ts";
import { tokenRoutes } from "./routes/tokens.ts";
import { checkOrigin, signedIn } from "./session.ts";

/** The largest document that a page sends is a resource; the store takes no more. */
const MAX_BODY_BYTES = 1024 * 1024;

/** The endpoints of the page and of programs (RFD 0217, "Web APIs"), with their description. */
export function createWebApp(parts: WebParts): OpenAPIHono<WebEnv> {
  const app = newApp();
  const identities = new WebIdentities(parts);
  app.onError((error, context) => answerError(context, error, parts.logger));
  app.notFound((context) =>
    context.json(
      {
        ...bodyOf("not_found", "this version has no such endpoint"),
        proxyVersion: parts.version,
      },
      404,
    ),
  );
  app.use(async (context, next) => {
    await next();
    context.header("cache-control", "no-store");
    context.header("x-content-type-options", "nosniff");
  });
  app.use(checkOrigin);
  app.use(limitBody);
  app.route("/", signInRoutes(parts, identities));
  const session = signedIn(parts, identities);
  for (const path of SIGNED_IN) app.use(path, session);
  const routes = [
    contextRoutes,
    accountRoutes,
    botRoutes,
    instanceRoutes,
    tokenRoutes,
    lockRoutes,
    resourceRoutes,
    documentRoutes,
    openerRoutes,
    peopleRoutes,
    clusterRoutes,
    eventRoutes,
    insightRoutes,
    liveRoutes,
  ];
  for (const each of routes) app.route("/", each(parts));
  let description: object | undefined;
  app.get("/v1/webapi/openapi.json", (context) => {
    const info = { title: "Tenon web API", version: parts.version };
    description ??= app.getOpenAPI31Document({ openapi: "3.1.0", info });
    return context.json(description);
  });
  return app;
}

/** Only for who is signed in. */
const SIGNED_IN = [
  "/v1/webapi/account",
  "/v1/webapi/account/*",
  "/v1/webapi/sites/*",
  "/v2/webapi/sites/*",
  "/v1/webapi/tokens",
] as const;

/** Node holds a client to the length that it announces. */
const limitBody: MiddlewareHandler<WebEnv> = async (context, next) => {
  if (context.req.header("transfer-encoding") !== undefined)
    throw badParameter("send the body with a Content-Length, not in chunks");
  if (Number(context.req.header("content-length") ?? 0) > MAX_BODY_BYTES)
    throw limitExceeded(`the body is larger than the ${MAX_BODY_BYTES} bytes that are allowed`);
  await next();
};
