import type { ConnectError } from "@connectrpc/connect";
import {
  encodeEnvelope,
  readAllBytes,
  transformSplitEnvelope,
  type UniversalHandlerFn,
  type UniversalServerRequest,
  type UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import {
  codeToHttpStatus,
  endStreamFlag,
  endStreamFromJson,
  errorToJsonBytes,
} from "@connectrpc/connect/protocol-connect";

type Bytes = AsyncIterable<Uint8Array>;

/**
 * A stream for `curl`: a JSON document in, and a line of JSON for each message out. An error before
 * the first message is the answer itself, with its HTTP status; a later one is the last line.
 */
export async function answerWithLines(
  handle: UniversalHandlerFn,
  request: UniversalServerRequest,
  maxBytes: number,
): Promise<UniversalServerResponse> {
  const header = new Headers(request.header);
  header.set("content-type", "application/connect+json");
  header.delete("content-length");
  const body = enveloped(request.body as Bytes, maxBytes);
  const answered = await handle({ ...request, header, body });
  const messages = messagesOf(answered.body!, maxBytes);
  const first = await messages.next();
  const json = (type: string): Headers => new Headers({ "content-type": type });
  if (first.value && "error" in first.value) {
    const { error } = first.value;
    const status = codeToHttpStatus(error.code);
    return {
      status,
      header: json("application/json"),
      body: once(errorToJsonBytes(error, undefined)),
    };
  }
  return { status: 200, header: json("application/x-ndjson"), body: lines(first, messages) };
}

type Message = { readonly data: Uint8Array } | { readonly error: ConnectError };

async function* messagesOf(body: Bytes, maxBytes: number): AsyncGenerator<Message, undefined> {
  for await (const { flags, data } of transformSplitEnvelope(maxBytes)(body)) {
    if ((flags & endStreamFlag) === 0) yield { data };
    else {
      const { error } = endStreamFromJson(data);
      if (error) yield { error };
    }
  }
  return undefined;
}

async function* lines(
  first: IteratorResult<Message, undefined>,
  rest: AsyncGenerator<Message, undefined>,
): AsyncGenerator<Uint8Array> {
  for (let next = first; !next.done; next = await rest.next()) {
    const message = next.value;
    if ("data" in message) yield line(message.data);
    else {
      const error: unknown = JSON.parse(
        Buffer.from(errorToJsonBytes(message.error, undefined)).toString(),
      );
      yield line(Buffer.from(JSON.stringify({ error })));
    }
  }
}

const line = (json: Uint8Array): Uint8Array => Buffer.concat([json, Buffer.from("\n")]);

async function* enveloped(body: Bytes, maxBytes: number): AsyncGenerator<Uint8Array> {
  yield encodeEnvelope(0, await readAllBytes(body, maxBytes));
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
