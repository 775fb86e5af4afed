import { checkLength } from "#base/rpc";
import type { Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { Agent } from "node:http";
import { codedErrorOf } from "./errors.ts";
import { CLIENT_IDLE_MS, defaultLocalLimits } from "./limits.ts";

/** Makes calls on a socket; failures are CodedErrors that name it. Disposing closes connections. */
export interface LocalTransport extends Transport, Disposable {
  readonly path: string;
}

/**
 * Over HTTP/1.1: the library's client loses calls over HTTP/2 where Node breaks async iteration
 * (nodejs/node#65677).
 */
export function openTransport(path: string): LocalTransport {
  checkLength(path);
  const agent = new Agent({ keepAlive: true, timeout: CLIENT_IDLE_MS });
  const inner = createConnectTransport({
    httpVersion: "1.1",
    baseUrl: "http://local",
    nodeOptions: { socketPath: path, agent },
    acceptCompression: [],
    compressMinBytes: 1 << 30,
    readMaxBytes: defaultLocalLimits.maxMessageBytes,
  });
  const coded = (error: unknown): never => {
    throw codedErrorOf(error, path);
  };
  return {
    path,
    unary: (...call) => inner.unary(...call).catch(coded),
    stream: async (...call) => {
      const response = await inner.stream(...call).catch(coded);
      return { ...response, message: translated(response.message, coded) };
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
}

async function* translated<T>(
  messages: AsyncIterable<T>,
  coded: (error: unknown) => never,
): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (error) {
    coded(error);
  }
}
