import { unavailable, type CodedError } from "#base/kernel";
import type { DescMethod, MessageInitShape, MessageShape, DescMessage } from "@bufbuild/protobuf";
import type { ClientDuplexStream, ClientReadableStream } from "@grpc/grpc-js";
import type { CallBounds } from "./client-call.ts";
import { decodeResponse, encode } from "./codec.ts";

type Source = ClientReadableStream<Buffer> | ClientDuplexStream<Buffer, Buffer>;

/** Both directions of one call. */
export interface BidiCall<I extends DescMessage, O extends DescMessage> extends AsyncDisposable {
  /** Resolves when the message has left; rejects with the call's end. */
  send(message: MessageInitShape<I>): Promise<void>;
  /** The next message; `undefined` when the server has ended the call well; rejects otherwise. */
  receive(): Promise<MessageShape<O> | undefined>;
  [Symbol.asyncIterator](): AsyncIterator<MessageShape<O>>;
  /** Says that nothing more will be sent. */
  close(): void;
  /** Ends the call at once. */
  cancel(): void;
}

/** Messages of the server, until it ends the call; leaving the loop early cancels the call. */
export async function* receiveAll(
  method: DescMethod,
  source: Source,
  bounds: CallBounds,
): AsyncGenerator<object, void, undefined> {
  try {
    for await (const bytes of source.iterator({ destroyOnReturn: false })) {
      yield decodeResponse(method.output, bytes as Buffer);
    }
    bounds.throwIfStopped();
  } catch (error) {
    throw bounds.errorFor(error);
  } finally {
    bounds.done();
    source.cancel();
  }
}

/** Headers come as soon as the server lets the call in; until then the usual deadline holds. */
export function boundOpening(
  source: Source,
  bounds: CallBounds,
  deadlines: {
    readonly openMs: number;
    readonly callMs: number | undefined;
    late: (reason: CodedError) => void;
  },
): void {
  bounds.expireAfter(deadlines.callMs ?? deadlines.openMs, deadlines.late);
  if (deadlines.callMs === undefined) source.once("metadata", () => bounds.expireAfter(undefined));
  source.on("error", (error) => void bounds.errorFor(error));
  source.on("status", () => bounds.done());
  bounds.attach(() => source.cancel());
}

export function bidiCall(
  method: DescMethod,
  duplex: ClientDuplexStream<Buffer, Buffer>,
  bounds: CallBounds,
): BidiCall<DescMessage, DescMessage> {
  const messages = receiveAll(method, duplex, bounds);
  return {
    send: (message) => write(duplex, encode(method.input, message), bounds),
    receive: async () => {
      const next = await messages.next();
      return next.done ? undefined : (next.value as MessageShape<DescMessage>);
    },
    [Symbol.asyncIterator]: () => messages as AsyncIterator<MessageShape<DescMessage>>,
    close: () => void duplex.end(),
    cancel: () => duplex.cancel(),
    async [Symbol.asyncDispose]() {
      duplex.cancel();
      await messages.return();
    },
  };
}

function write(
  duplex: ClientDuplexStream<Buffer, Buffer>,
  bytes: Buffer,
  bounds: CallBounds,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(bounds.errorFor(unavailable("the server has ended the call")));
    if (bounds.over) return ended();
    // The library drops the callback of a message that the end of the call overtook.
    duplex.once("status", ended);
    duplex.write(bytes, (error?: Error | null) => {
      duplex.off("status", ended);
      if (error) reject(bounds.errorFor(error));
      else resolve();
    });
  });
}
