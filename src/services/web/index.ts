import type { IncomingMessage, ServerResponse } from "node:http";
import type { WebParts } from "./parts.ts";

/** Answers a request of a page or a program; never rejects. */
export type WebHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** The endpoints of the web page. They load when the first request comes: a cluster of machines never pays. */
export function webHandler(parts: WebParts): WebHandler {
  let loaded: Promise<WebHandler> | undefined;
  return async (request, response) => {
    loaded ??= load(parts);
    await (
      await loaded
    )(request, response);
  };
}

async function load(parts: WebParts): Promise<WebHandler> {
  const [{ createWebApp }, { getRequestListener }] = await Promise.all([
    import("./app.ts"),
    import("@hono/node-server"),
  ]);
  const app = createWebApp(parts);
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  return async (request, response) => {
    await listener(request, response);
  };
}
