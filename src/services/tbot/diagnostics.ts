import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { CodedError, codeOf, messageOf, notFound, unavailable, type Logger } from "#base/kernel";
import type { Metrics } from "#base/observe";
import { isReady, type Readiness, type ServiceStatus } from "./readiness.ts";

/** A question is one short line; a peer that takes longer is not asking one. */
const HEADERS_DEADLINE_MS = 5_000;

export interface DiagnosticsOptions {
  readonly host: string;
  readonly port: number;
  readonly readiness: Readiness;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly pid: number;
}

/**
 * The endpoints of spec section 5: `/livez`, `/readyz[/service]`, `/wait[/service]`, `/metrics`.
 * They say nothing secret, and are off unless an address is configured.
 */
export class Diagnostics implements AsyncDisposable {
  readonly #options: DiagnosticsOptions;
  readonly #server: Server;

  private constructor(options: DiagnosticsOptions) {
    this.#options = options;
    this.#server = createServer(
      { headersTimeout: HEADERS_DEADLINE_MS },
      (request, response) => void this.#answer(request, response),
    );
  }

  static async start(options: DiagnosticsOptions): Promise<Diagnostics> {
    const diagnostics = new Diagnostics(options);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // Later ones are of single connections (no descriptor left for one): the listener goes on.
    diagnostics.#server.on("error", reject).listen(options.port, options.host, resolve);
    await promise.catch((error: unknown) => {
      throw unavailable(
        `cannot listen on "${options.host}:${options.port}" for diagnostics (${messageOf(error)}); choose another --diag-addr`,
      );
    });
    return diagnostics;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address ? address.port : 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    try {
      const { verb, service } = parsePath(request.url ?? "/");
      const handler = Object.hasOwn(this.#handlers, verb) ? this.#handlers[verb] : undefined;
      if (!handler || request.method !== "GET")
        throw notFound(`no such endpoint; there are ${endpoints}`);
      await handler(response, service, gone.signal);
    } catch (error) {
      const status = codeOf(error) === "not_found" ? 404 : 500;
      if (!(error instanceof CodedError)) this.#options.log.error("diagnostics failed", { error });
      send(response, status, { error: messageOf(error) });
    }
  }

  readonly #handlers: Record<string, Handler> = {
    livez: async (response) => send(response, 200, { status: "ok" }),
    readyz: async (response, service) => {
      const { readiness } = this.#options;
      this.#sendStatus(
        response,
        service === undefined ? readiness.all() : [readiness.get(service)],
      );
    },
    wait: async (response, service, signal) => {
      const settled = await this.#options.readiness.settled({
        ...(service === undefined ? {} : { name: service }),
        signal,
      });
      this.#sendStatus(response, settled);
    },
    metrics: async (response) => {
      const text = await this.#options.metrics.text();
      response.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
      response.end(text);
    },
  };

  #sendStatus(response: ServerResponse, services: readonly ServiceStatus[]): void {
    const ready = isReady(services);
    send(response, ready ? 200 : 503, {
      status: ready
        ? "healthy"
        : services.some(({ state }) => state === "initializing")
          ? "initializing"
          : "unhealthy",
      pid: this.#options.pid,
      services: Object.fromEntries(services.map(asJson)),
    });
  }
}

function parsePath(url: string): { verb: string; service: string | undefined } {
  const [, verb = "", service] = /^\/([a-z]+)(?:\/([^/?]+))?(?:\?.*)?$/.exec(url) ?? [];
  return { verb, service: service === undefined ? undefined : decoded(service) };
}

/** What is badly encoded is taken as it is, and is then no service's name. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

type Handler = (
  response: ServerResponse,
  service: string | undefined,
  signal: AbortSignal,
) => Promise<void>;

const endpoints = "/livez, /readyz, /readyz/{service}, /wait, /wait/{service} and /metrics";

function asJson({ name, state, reason, updatedAt }: ServiceStatus): [string, object] {
  return [
    name,
    {
      status: state,
      ...(reason === undefined ? {} : { reason }),
      updated_at: new Date(updatedAt).toISOString(),
    },
  ];
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(`${JSON.stringify(body)}\n`);
}
