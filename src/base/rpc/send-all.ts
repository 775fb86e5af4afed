import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import type { ServerDuplexStream, ServerWritableStream } from "@grpc/grpc-js";
import { encode } from "./codec.ts";
import type { BoundMethod } from "./service.ts";

type Fields = MessageInitShape<DescMessage>;
export type Writable = ServerWritableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>;

/**
 * Sends what the handler answers, and stops asking it as soon as the call is over, also when it does
 * not notice. A slow client slows the handler: a message is sent when the one before has left for the
 * network. In a conversation the handler goes on meanwhile (`ahead`), so that the end of the call can
 * leave together with its last message.
 */
export async function sendAll(
  method: BoundMethod,
  responses: unknown,
  options: { readonly call: Writable; readonly signal: AbortSignal; readonly ahead: boolean },
): Promise<void> {
  const { call, signal, ahead } = options;
  const iterator = (responses as AsyncIterable<Fields>)[Symbol.asyncIterator]();
  const untilAbort = new UntilAbort(signal);
  let left: Promise<void> = Promise.resolve();
  try {
    for (;;) {
      const next = await untilAbort.wait(iterator.next());
      if (next.done) return;
      await untilAbort.wait(left);
      left = send(call, encode(method.descriptor.output, next.value));
      // Waited for before the next message; a failure after the last one is the end of the call itself.
      left.catch(() => {});
      if (!ahead) await untilAbort.wait(left);
    }
  } catch (error) {
    iterator.return?.().catch(() => {});
    throw error;
  }
}

/** Resolves when the message has left for the network. */
const send = (call: Writable, bytes: Buffer): Promise<void> =>
  new Promise((resolve, reject) => {
    call.write(bytes, (error: Error | null | undefined) => (error ? reject(error) : resolve()));
  });

/** Waits for one piece of work after the other, none longer than the call; one listener for all. */
class UntilAbort {
  readonly #signal: AbortSignal;
  #reject: (reason: Error) => void = () => {};

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#reject(signal.reason as Error), { once: true });
  }

  wait<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      if (this.#signal.aborted) reject(this.#signal.reason as Error);
      work.then(resolve, reject);
    });
  }
}
