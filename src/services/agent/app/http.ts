import type { Clock, Logger } from "#base/kernel";
import {
  Agent as HttpAgent,
  request as httpRequest,
  Server as HttpServer,
  ServerResponse,
  type ClientRequest,
  type IncomingMessage,
  type RequestOptions,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { finished, pipeline, type Duplex } from "node:stream";
import { answerFailure, answerMalformed } from "./failures.ts";
import { endToEnd, requestHeaders, trailers } from "./headers.ts";
import { HTTP_HEADER_BYTES, HTTP_HEADERS_MS, HTTP_KEEP_ALIVE_MS } from "./limits.ts";
import { hasBody, isRepeatable, watchUpstream, type UpstreamWatch } from "./upstream-request.ts";
import { switchProtocols } from "./upgrade.ts";
import type { Upstream } from "./upstream.ts";

/** What the agent knows of the client behind a tunnelled connection. */
export interface Origin {
  readonly remoteAddr: string;
}

export interface HttpUpstreamOptions {
  readonly upstream: Upstream;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Leg {
  readonly origin: Origin;
  /** This client's own connections to the application: sharing them would let a request that two parsers read differently reach into another client's. */
  readonly agent: HttpAgent;
}

/** A reverse proxy for one HTTP application, over connections that a tunnel brings. */
export class HttpUpstream implements Disposable {
  readonly #upstream: Upstream;
  readonly #clock: Clock;
  readonly #server: HttpServer;
  readonly #legs = new WeakMap<object, Leg>();
  #draining = false;

  constructor({ upstream, clock, logger }: HttpUpstreamOptions) {
    this.#upstream = upstream;
    this.#clock = clock;
    this.#server = new HttpServer({
      maxHeaderSize: HTTP_HEADER_BYTES,
      headersTimeout: HTTP_HEADERS_MS,
      requestTimeout: 0,
      keepAliveTimeout: HTTP_KEEP_ALIVE_MS,
    });
    this.#server.on("request", (request, response) => this.#forward(request, response));
    this.#server.on("checkContinue", (request, response) => this.#forward(request, response));
    this.#server.on("upgrade", (request: IncomingMessage, stream: Duplex, head: Buffer) =>
      this.#upgrade(request, stream, head),
    );
    this.#server.on("clientError", (error, stream) => {
      logger.debug("a client's request was malformed", { app: upstream.name, error });
      answerMalformed(stream, error);
    });
    // Node starts to enforce its header deadline at this event; nothing listens here.
    this.#server.emit("listening");
  }

  /** Serves HTTP on one tunnelled connection until either end closes it. */
  accept(stream: Duplex, origin: Origin): void {
    const agent = this.#agent();
    this.#legs.set(stream, { origin, agent });
    finished(stream, () => agent.destroy());
    this.#server.emit("connection", stream);
  }

  /** Answers what is under way, then closes; idle connections close now. */
  drain(): void {
    this.#draining = true;
    this.#server.close();
  }

  [Symbol.dispose](): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #agent(): HttpAgent {
    const { target, ca, insecureSkipVerify } = this.#upstream;
    if (target.scheme !== "https") return new HttpAgent({ keepAlive: true });
    return new HttpsAgent({
      keepAlive: true,
      rejectUnauthorized: !insecureSkipVerify,
      ...(ca === undefined ? {} : { ca }),
    });
  }

  #forward(request: IncomingMessage, response: ServerResponse): void {
    const upstream = this.#request(request);
    response.once("close", () => {
      upstream.destroy();
      // Node marks the connection idle only after this event.
      if (this.#draining) setImmediate(() => this.#server.closeIdleConnections());
    });
    upstream.once("continue", () => response.writeContinue());
    upstream.once("response", (answer) => relay(answer, response));
    upstream.once("upgrade", (_answer, socket: Duplex) => {
      // Nobody asked for it, so what follows is not HTTP.
      socket.destroy();
      answerFailure(response, this.#upstream.name, "EPROTO");
    });
    this.#watch(upstream, (error) => {
      if (isRepeatable(request, upstream, error)) return this.#forward(request, response);
      answerFailure(response, this.#upstream.name, error.code);
    });
    sendBody(request, upstream);
  }

  #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const upstream = this.#request(request);
    const refuse = (act: (response: ServerResponse) => void): void =>
      act(lastResponse(request, stream));
    stream.on("error", () => stream.destroy());
    stream.once("close", () => upstream.destroy());
    upstream.once("upgrade", (answer, socket: Duplex, rest: Buffer) =>
      switchProtocols({ answer, stream, head, socket, rest }),
    );
    upstream.once("response", (answer) => refuse((response) => relay(answer, response)));
    this.#watch(upstream, (error) =>
      refuse((response) => answerFailure(response, this.#upstream.name, error.code)),
    );
    upstream.end();
  }

  #watch(upstream: ClientRequest, failed: UpstreamWatch["failed"]): void {
    const responseMs = this.#upstream.responseTimeoutMs;
    watchUpstream(upstream, { clock: this.#clock, responseMs, failed });
  }

  #request(request: IncomingMessage): ClientRequest {
    const { target } = this.#upstream;
    const leg = this.#legs.get(request.socket)!;
    const options: RequestOptions = {
      agent: leg.agent,
      host: target.host,
      port: target.port,
      method: request.method ?? "GET",
      path: originForm(request.url ?? "/"),
      headers: this.#headers(request, leg.origin),
      maxHeaderSize: HTTP_HEADER_BYTES,
    };
    return target.scheme === "https" ? httpsRequest(options) : httpRequest(options);
  }

  #headers(request: IncomingMessage, origin: Origin): string[] {
    const clientHost = request.headers.host ?? "";
    const { upgrade } = request.headers;
    const switching = upgrade !== undefined && request.headers.connection !== undefined;
    return requestHeaders(request.rawHeaders, {
      host: this.#upstream.preserveHost ? clientHost : this.#upstream.target.authority,
      clientHost,
      clientAddr: origin.remoteAddr,
      chunked: request.headers["transfer-encoding"] !== undefined,
      ...(switching ? { upgrade } : {}),
    });
  }
}

/** The answer to a request whose connection was to switch protocols, and now ends instead. */
function lastResponse(request: IncomingMessage, stream: Duplex): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(request.socket);
  response.once("finish", () => stream.end());
  return response;
}

/** A client that takes us for a forward proxy sends a whole URL (RFC 9112 section 3.2.2). */
function originForm(target: string): string {
  if (target.startsWith("/") || target === "*") return target;
  const { pathname, search } = new URL(target, "http://origin.invalid");
  return pathname + search;
}

/** Streams the body up as it comes; the application's pace is the client's. */
function sendBody(request: IncomingMessage, upstream: ClientRequest): void {
  if (!hasBody(request)) return void upstream.end();
  upstream.flushHeaders();
  // An answer may come before the body is read: the rest of it must not block the next request.
  upstream.once("close", () => request.unpipe(upstream).resume());
  request.once("end", () => upstream.addTrailers(trailers(request.rawTrailers)));
  request.pipe(upstream);
}

/** Streams the answer down: status, headers, body and trailers as the application sent them. */
function relay(answer: IncomingMessage, response: ServerResponse): void {
  response.sendDate = false;
  response.writeHead(
    answer.statusCode ?? 502,
    answer.statusMessage ?? "",
    endToEnd(answer.rawHeaders),
  );
  response.flushHeaders();
  answer.once("end", () => response.addTrailers(trailers(answer.rawTrailers)));
  // A body that breaks off must break off for the client too, and never look complete.
  pipeline(answer, response, (error) => error && response.destroy());
}
