import { internal, type Logger } from "#base/kernel";
import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import type {
  handleBidiStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  sendUnaryData,
  ServerDuplexStream,
} from "@grpc/grpc-js";
import { CallState } from "./call.ts";
import { decodeRequest, encode } from "./codec.ts";
import type { Grpc } from "./grpc.ts";
import type { BoundMethod, RpcContext } from "./service.ts";
import { sendAll, type Writable } from "./send-all.ts";
import { statusOf, type RpcStatus } from "./status.ts";

type Fields = MessageInitShape<DescMessage>;
type Kit = { readonly grpc: Grpc; readonly logger: Logger };

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
      const responses = method.run(request, entered);
      await sendAll(method, responses, { call, signal: context.signal, ahead: false });
    });
  };
}

function bidiStreaming(method: BoundMethod, kit: Kit): handleBidiStreamingCall<Buffer, Buffer> {
  return (call) => {
    const { context } = stateOf(call);
    stream(method, kit, call, async (entered) => {
      const requests = receiveAll(method, call, context.signal);
      const responses = method.run(requests, entered);
      await sendAll(method, responses, { call, signal: context.signal, ahead: true });
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
