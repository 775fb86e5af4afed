import type { IncomingMessage, ServerResponse } from "node:http";
import type { WebParts } from "./parts.ts";

/** Answers a request of a page or a program; never rejects. */
export type WebHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/**
 * The web page and its endpoints. They load when the first request comes: a cluster of machines
 * never pays. `root` is the folder of the built page.
 */
export function webHandler(parts: WebParts, root: string): WebHandler {
  let loaded: Promise<WebHandler> | undefined;
  return async (request, response) => {
    loaded ??= load(parts, root);
    await (
      await loaded
    )(request, response);
  };
}

async function load(parts: WebParts, root: string): Promise<WebHandler> {
  const [{ createWebApp }, { WebPage }, { getRequestListener }] = await Promise.all([
    import("./app.ts"),
    import("./page.ts"),
    import("@hono/node-server"),
  ]);
  const app = createWebApp(parts);
  const page = await WebPage.open(root);
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  return async (request, response) => {
    const read = request.method === "GET" || request.method === "HEAD";
    if (page && read && request.url?.startsWith("/web")) page.answer(request, response);
    else await listener(request, response);
  };
}
