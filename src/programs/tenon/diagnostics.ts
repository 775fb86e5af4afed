import { messageOf, unavailable } from "#base/kernel";
import type { Metrics } from "#base/observe";
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What `/readyz` reports of one part of the process. */
export interface PartStatus {
  readonly status: "initializing" | "healthy" | "unhealthy";
  readonly reason?: string;
}

export interface DiagnosticsOptions {
  readonly address: { readonly host: string; readonly port: number };
  readonly metrics: Metrics;
  readonly parts: () => Readonly<Record<string, PartStatus>>;
}

/** Plain HTTP for the machine's own supervisor: `/livez`, `/readyz` and `/metrics`. */
export class Diagnostics implements AsyncDisposable {
  readonly #server: Server;

  static async listen(options: DiagnosticsOptions): Promise<Diagnostics> {
    const diagnostics = new Diagnostics(options);
    try {
      diagnostics.#server.listen(options.address);
      await once(diagnostics.#server, "listening");
    } catch (error) {
      const { host, port } = options.address;
      throw unavailable(
        `cannot serve diagnostics at "${host}:${port}" (${messageOf(error)}); choose another diag_addr`,
        { cause: error },
      );
    }
    return diagnostics;
  }

  private constructor({ metrics, parts }: DiagnosticsOptions) {
    this.#server = createServer((request, response) => {
      const path = (request.url ?? "/").split("?", 1)[0];
      if (path === "/livez") return reply(response, 200, { status: "alive" });
      if (path === "/readyz") return ready(response, parts());
      if (path === "/metrics") return void exposition(response, metrics);
      return reply(response, 404, { error: "there are /livez, /readyz and /metrics" });
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

function ready(response: ServerResponse, parts: Readonly<Record<string, PartStatus>>): void {
  const healthy = Object.values(parts).every(({ status }) => status === "healthy");
  const status = healthy ? "healthy" : "unhealthy";
  reply(response, healthy ? 200 : 503, { status, pid: process.pid, services: parts });
}

async function exposition(response: ServerResponse, metrics: Metrics): Promise<void> {
  const text = await metrics.text();
  response.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
  response.end(text);
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(`${JSON.stringify(body)}\n`);
}
