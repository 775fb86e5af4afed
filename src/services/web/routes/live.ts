import { createRoute, z, type OpenAPIHono } from "@hono/zod-openapi";
import { deadline } from "#base/kernel";
import { streamSSE } from "hono/streaming";
import { PersonCalls } from "../caller.ts";
import { Follower, type Say } from "../follower.ts";
import { answers, newApp } from "../openapi.ts";
import type { WebEnv, WebParts } from "../parts.ts";

/** A stream ends after this time and the page opens another, with what it may see then. */
const LONGEST_MS = 15 * 60_000;
/** How soon a browser opens the next one. */
const RETRY_MS = 500;

const live = createRoute({
  method: "get",
  path: "/v1/webapi/sites/{site}/live",
  request: { params: z.object({ site: z.string() }) },
  responses: {
    ...answers("refused", z.object({})),
    200: {
      description: "server-sent events, until the browser asks again: of what there is news",
      content: { "text/event-stream": { schema: z.string() } },
    },
  },
});

/**
 * One stream of server-sent events for a page: of which kind and name what changed is, and of which types,
 * bots and users there are new events in the audit log, and never what any of it holds; the page then
 * asks for what it shows, and sees what its viewer may see. It says when the session is over, and why.
 */
export function liveRoutes(parts: WebParts): OpenAPIHono<WebEnv> {
  return newApp().openapi(live, (context) => {
    const { origin } = new PersonCalls(parts, context);
    const session = context.get("session");
    return streamSSE(context, async (stream) => {
      const gone = new AbortController();
      stream.onAbort(() => gone.abort());
      const either = AbortSignal.any([origin.signal, gone.signal]);
      using limit = deadline(parts.clock, LONGEST_MS, either);
      const say: Say = async (event, data) =>
        await stream.writeSSE({ event, data: JSON.stringify(data), retry: RETRY_MS });
      const follower = new Follower(parts, { ...origin, signal: limit.signal }, say);
      await follower.run(session, () => gone.abort());
    });
  });
}
