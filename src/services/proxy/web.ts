import type { Logger } from "#base/kernel";
import type { WebHandler } from "#services/web";
import { Server as HttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import {
  MAX_HEADER_BYTES,
  MAX_HEADER_COUNT,
  WEB_HEADERS_MS,
  WEB_KEEP_ALIVE_MS,
  WEB_REQUEST_MS,
} from "./limits.ts";

/** What one page or endpoint answers. */
export interface WebAnswer {
  readonly type: string;
  readonly body: string;
}

/** Path to what a GET of it answers. */
export type WebPages = Readonly<Record<string, () => WebAnswer>>;

/** HTTPS for browsers and for a client's first contact. */
export class WebServer {
  readonly #server: HttpServer;

  constructor(options: {
    readonly pages: WebPages;
    /** Takes every request of the web application. */
    readonly endpoints?: WebHandler | undefined;
    readonly logger: Logger;
  }) {
    const { pages, endpoints, logger } = options;
    this.#server = new HttpServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        headersTimeout: WEB_HEADERS_MS,
        requestTimeout: WEB_REQUEST_MS,
        keepAliveTimeout: WEB_KEEP_ALIVE_MS,
      },
      (request, response) =>
        endpoints && ENDPOINTS.test(request.url ?? "")
          ? void endpoints(request, response)
          : answer(pages, request, response, logger),
    );
    this.#server.maxHeadersCount = MAX_HEADER_COUNT;
    // Node starts to enforce its header and request deadlines at this event; nothing listens here.
    this.#server.emit("listening");
  }

  accept(socket: Socket): void {
    this.#server.emit("connection", socket);
  }

  /** Closes idle connections, and the others after their answer. */
  drain(): void {
    this.#server.close();
  }

  [Symbol.dispose](): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** The page, `/web/…`, and what it asks (RFD 0217, "Web APIs"): `/v1/webapi/…`, `/v2/webapi/…`. */
const ENDPOINTS = /^\/(?:v\d+\/webapi|web)(?:\/|$)/;

function answer(
  pages: WebPages,
  request: IncomingMessage,
  response: ServerResponse,
  logger: Logger,
): void {
  const path = (request.url ?? "/").split("?", 1)[0]!;
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
  request.resume();
  if (!page) return send(response, 404, errorAnswer("not_found", "there is nothing at this path"));
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD");
    return send(response, 405, errorAnswer("bad_parameter", "this path takes only GET and HEAD"));
  }
  try {
    send(response, 200, page());
  } catch (error) {
    logger.error("a web page failed", { path, error });
    send(response, 500, errorAnswer("internal", "the proxy could not answer; see its log"));
  }
}

const errorAnswer = (code: string, message: string): WebAnswer => ({
  type: "application/json",
  body: JSON.stringify({ error: { code, message } }),
});

function send(response: ServerResponse, status: number, { type, body }: WebAnswer): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, {
    ...SECURITY_HEADERS,
    "content-type": `${type}; charset=utf-8`,
    "content-length": bytes.length,
  });
  response.end(bytes);
}

const SECURITY_HEADERS = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
} as const;
