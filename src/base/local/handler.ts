import { badParameter, CodedError, type Logger, messageOf, notFound } from "#base/kernel";
import {
  createConnectRouter,
  createContextValues,
  type ConnectError,
  type ConnectRouter,
  type ContextKey,
} from "@connectrpc/connect";
import {
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import { codeToHttpStatus, errorToJsonBytes } from "@connectrpc/connect/protocol-connect";
import type { Writable } from "node:stream";
import type { AnyRequest, AnyResponse, LocalConnection } from "./connection.ts";
import { connectErrorOf } from "./errors.ts";
import type { LocalLimits } from "./limits.ts";
import { answerWithLines } from "./lines.ts";
import { peerKey } from "./peer.ts";
import { translated } from "./translate.ts";

export type Handle = (
  connection: LocalConnection,
  request: AnyRequest,
  response: AnyResponse,
) => void;

const refusalKey: ContextKey<CodedError | undefined> = {
  id: Symbol("refusal"),
  defaultValue: undefined,
};

/** Answers gRPC, Connect and plain JSON calls of the routes. */
export function createHandler(options: {
  readonly routes: (router: ConnectRouter) => void;
  readonly limits: LocalLimits;
  readonly log: Logger;
  readonly stopping: AbortSignal;
}): Handle {
  const { log, limits } = options;
  const router = createConnectRouter({
    grpcWeb: false,
    acceptCompression: [],
    compressMinBytes: 1 << 30,
    readMaxBytes: limits.maxMessageBytes,
    writeMaxBytes: limits.maxMessageBytes,
    jsonOptions: { ignoreUnknownFields: false },
    shutdownSignal: options.stopping,
    interceptors: [translated(log)],
    requestGate: ({ values }) => {
      const refusal = values.get(refusalKey);
      if (refusal) throw connectErrorOf(refusal, log);
    },
  });
  options.routes(router);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));

  const answer: Handle = (connection, request, response) => {
    const path = request.url?.split("?", 1)[0] ?? "";
    const handler = handlers.get(path);
    if (!handler) throw unknownCall(path, [...handlers.keys()]);
    if (request.method !== "POST") throw badMethod(request.method);
    const type = contentType(request);
    const asLines =
      type.startsWith("application/json") && handler.method.methodKind === "server_streaming";
    if (!asLines && !handler.supportedContentType(type)) throw badType(type);
    const values = createContextValues()
      .set(peerKey, connection.peer)
      .set(refusalKey, connection.refusal);
    const call = universalRequestFromNodeRequest(request, response, undefined, values);
    const answering = asLines
      ? answerWithLines(handler, call, limits.maxMessageBytes)
      : handler(call);
    void answering
      .then((answered) => universalResponseToNodeResponse(answered, response))
      .catch((error: unknown) => {
        log.debug("a call ended before its answer", { path, error: messageOf(error) });
        response.destroy();
      });
  };

  return (connection, request, response) => {
    try {
      answer(connection, request, response);
    } catch (error) {
      // The library makes a URL of what the peer wrote, and throws what it likes where that is none.
      const coded =
        error instanceof CodedError ? error : badParameter(`the request has no valid path or host`);
      refuse(response, connectErrorOf(coded, log));
    }
  };
}

/** `curl -d` says that it sends a form; nothing else than JSON can be meant. */
function contentType(request: AnyRequest): string {
  const type = request.headers["content-type"] ?? "";
  if (type !== "" && !type.startsWith("application/x-www-form-urlencoded")) return type;
  return (request.headers["content-type"] = "application/json");
}

const badMethod = (method: string | undefined): CodedError =>
  badParameter(`the method ${method} is not for calls; use POST with a JSON document`);

const badType = (type: string): CodedError =>
  badParameter(
    `the content type "${type}" does not fit this call; send application/json, application/proto or application/grpc`,
  );

const unknownCall = (path: string, known: readonly string[]): CodedError =>
  notFound(`there is no call "${path}"; there are ${known.join(", ")}`);

/** As the Connect protocol writes an error, which a person can read. */
function refuse(response: AnyResponse, error: ConnectError): void {
  response.statusCode = codeToHttpStatus(error.code);
  response.setHeader("content-type", "application/json");
  (response as Writable).end(errorToJsonBytes(error, undefined));
}
