import type { Logger } from "#base/kernel";
import { ConnectError, type Interceptor } from "@connectrpc/connect";
import { connectErrorOf } from "./errors.ts";
import { MAX_TRAILER_DETAIL_BYTES } from "./limits.ts";

/** Turns what handlers throw into what callers hear; the end of the call itself counts first. */
export const translated =
  (log: Logger): Interceptor =>
  (next) =>
  async (request) => {
    const translate = (error: unknown): ConnectError => {
      if (request.signal.aborted) return ConnectError.from(request.signal.reason);
      const answer = connectErrorOf(error, log);
      if (request.header.get("content-type")?.startsWith("application/grpc")) fit(answer);
      return answer;
    };
    try {
      const response = await next(request);
      if (!response.stream) return response;
      return { ...response, message: guarded(response.message, request.signal, translate) };
    } catch (error) {
      throw translate(error);
    }
  };

async function* guarded<T>(
  messages: AsyncIterable<T>,
  signal: AbortSignal,
  translate: (error: unknown) => ConnectError,
): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (error) {
    throw translate(error);
  }
  // A handler may simply stop when it is told to: its caller must not take that for the end.
  if (signal.aborted) throw translate(signal.reason);
}

/** Details that do not fit would take the sentence with them. */
function fit(error: ConnectError): void {
  let bytes = 0;
  error.details = error.details.filter((detail) => {
    bytes += "type" in detail ? detail.value.length : 0;
    return bytes <= MAX_TRAILER_DETAIL_BYTES;
  });
}
