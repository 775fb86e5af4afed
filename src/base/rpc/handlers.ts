import { internal, type Logger } from "#base/kernel";
import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import type {
  handleBidiStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  sendUnaryData,
  ServerDuplexStream,
  ServerWritableStream,
} from "@grpc/grpc-js";
import { CallState } from "./call.ts";
import { decodeRequest, encode } from "./codec.ts";
import type { Grpc } from "./grpc.ts";
import type { BoundMethod, RpcContext } from "./service.ts";
import { statusOf, type RpcStatus } from "./status.ts";

type Fields = MessageInitShape<DescMessage>;
type Kit = { readonly grpc: Grpc; readonly logger: Logger };
type Writable = ServerWritableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>;

/** The library's handler for each kind of method; messages are bytes to the library. */
export const adapters = { unary, server_streaming: serverStreaming, bidi_streaming: bidiStreaming };

function unary(method: BoundMethod, kit: Kit): handleUnaryCall<Buffer, Buffer> {
  return (call, callback) => {
    const { context } = stateOf(call);
    const answer = around(method, context, async (entered) => {
      const request = decodeRequest(method.descriptor.input, call.request);
      const response = await method.run(request, entered);
      return encode(method.descriptor.output, response as Fields);
    });
    void reply(answer, callback, (error) => statusFor(kit, method, error));
  };
}

async function reply(
  answer: Promise<Buffer>,
  callback: sendUnaryData<Buffer>,
  status: (error: unknown) => RpcStatus & Error,
): Promise<void> {
  try {
    callback(null, await answer);
  } catch (error) {
    callback(status(error));
  }
}

function serverStreaming(method: BoundMethod, kit: Kit): handleServerStreamingCall<Buffer, Buffer> {
  return (call) => {
    const { context } = stateOf(call);
    stream(method, kit, call, async (entered) => {
      const request = decodeRequest(method.descriptor.input, call.request);
      await sendAll(method, call, context.signal, method.run(request, entered));
    });
  };
}

function bidiStreaming(method: BoundMethod, kit: Kit): handleBidiStreamingCall<Buffer, Buffer> {
  return (call) => {
    const { context } = stateOf(call);
    stream(method, kit, call, async (entered) => {
      const requests = receiveAll(method, call, context.signal);
      await sendAll(method, call, context.signal, method.run(requests, entered));
    });
  };
}

/** Runs a streaming handler; headers go out as soon as the call is let in, so that the client knows. */
function stream(
  method: BoundMethod,
  kit: Kit,
  call: Writable,
  run: (entered: unknown) => Promise<void>,
): void {
  const { context } = stateOf(call);
  const done = around(method, context, async (entered) => {
    call.sendMetadata(new kit.grpc.Metadata());
    await run(entered);
  });
  done.then(
    () => call.end(),
    (error: unknown) => {
      if (context.signal.aborted) call.destroy();
      else call.emit("error", statusFor(kit, method, error));
    },
  );
}

async function around<T>(
  { around }: BoundMethod,
  context: RpcContext,
  run: (entered: unknown) => Promise<T>,
): Promise<T> {
  let entered: unknown;
  try {
    entered = await around.enter(context);
    const result = await run(entered);
    around.left?.(context, entered, undefined);
    return result;
  } catch (error) {
    around.left?.(context, entered, error);
    throw error;
  }
}

/** Stops asking the handler as soon as the call is over, also when the handler does not notice. */
async function sendAll(
  method: BoundMethod,
  call: Writable,
  signal: AbortSignal,
  responses: unknown,
): Promise<void> {
  const iterator = (responses as AsyncIterable<Fields>)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await orAbort(signal, iterator.next());
      if (next.done) return;
      await orAbort(signal, send(call, encode(method.descriptor.output, next.value)));
    }
  } catch (error) {
    iterator.return?.().catch(() => {});
    throw error;
  }
}

/** Resolves when the message has left for the network: a slow client slows its handler. */
const send = (call: Writable, bytes: Buffer): Promise<void> =>
  new Promise((resolve, reject) => {
    call.write(bytes, (error: Error | null | undefined) => (error ? reject(error) : resolve()));
  });

function orAbort<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** A client that cancels may first seem to end in good order: Node sends both, one after the other. */
async function* receiveAll(
  method: BoundMethod,
  call: ServerDuplexStream<Buffer, Buffer>,
  signal: AbortSignal,
): AsyncGenerator<unknown, void, undefined> {
  try {
    // The stream stays usable after the last read: the answer goes out on it.
    for await (const bytes of call.iterator({ destroyOnReturn: false })) {
      yield decodeRequest(method.descriptor.input, bytes as Buffer);
    }
    signal.throwIfAborted();
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

function statusFor({ grpc, logger }: Kit, method: BoundMethod, error: unknown): RpcStatus & Error {
  const status = statusOf(grpc, error, logger.child({ method: method.path }));
  return Object.assign(new Error(status.details), status);
}

function stateOf(call: { getAuthContext(): unknown }): CallState {
  const state = call.getAuthContext();
  if (state instanceof CallState) return state;
  throw internal("a call arrived outside its connection's guard");
}
