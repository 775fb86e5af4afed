import {
  badParameter,
  canceled,
  CodedError,
  codeOf,
  errorCodes,
  internal,
  messageOf,
  unavailable,
  type ErrorCode,
} from "#base/kernel";
import {
  constants,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
  type OutgoingHttpHeaders,
} from "node:http2";

/** A refusal in the response's headers. */
const CODE_HEADER = "refusal-code";
const MESSAGE_HEADER = "refusal-message";
/** A sentence, not a dump. */
const MAX_MESSAGE = 1_000;

/** Our codes as RST_STREAM codes, outside the registered ones (RFC 9113 section 7). */
const FIRST_RESET_CODE = 0x7e00;

const statusOf: Readonly<Partial<Record<ErrorCode, number>>> = {
  not_found: 404,
  bad_parameter: 400,
  access_denied: 403,
  unauthenticated: 401,
  limit_exceeded: 429,
  timed_out: 504,
  internal: 500,
};

/** What a refusal says on the wire; the cause and the `detail` stay here. */
export function refusalHeaders(error: unknown): OutgoingHttpHeaders {
  const code = codeOf(error);
  const message = error instanceof CodedError ? error.message : "the far end failed";
  return {
    ":status": statusOf[code] ?? 503,
    [CODE_HEADER]: code,
    [MESSAGE_HEADER]: encodeURIComponent(message.slice(0, MAX_MESSAGE).toWellFormed()),
  };
}

/** The error that the peer's answer means; undefined when it accepted. */
export function refusalOf(
  headers: IncomingHttpHeaders & IncomingHttpStatusHeader,
): CodedError | undefined {
  if (headers[":status"] === 200) return undefined;
  const code = errorCodes.find((code) => code === headers[CODE_HEADER]);
  if (!code) return internal(`the far end answered with status ${headers[":status"]}`);
  return new CodedError(code, decodeMessage(headers[MESSAGE_HEADER]));
}

function decodeMessage(value: string | string[] | undefined): string {
  try {
    return decodeURIComponent(String(value ?? "")).slice(0, MAX_MESSAGE) || "the far end refused";
  } catch {
    return "the far end refused";
  }
}

/** The RST_STREAM code that tells the peer why; without an error we only lost interest. */
export function resetCodeOf(error: Error | null): number {
  if (!error) return constants.NGHTTP2_CANCEL;
  return error instanceof CodedError
    ? FIRST_RESET_CODE + errorCodes.indexOf(error.code)
    : constants.NGHTTP2_INTERNAL_ERROR;
}

/** Whether the code says which of our errors it was. */
export const isOwnReset = (code: number): boolean =>
  errorCodes[code - FIRST_RESET_CODE] !== undefined;

const standardResets: Readonly<Record<number, () => CodedError>> = {
  [constants.NGHTTP2_CANCEL]: () => canceled("the far end abandoned the connection"),
  [constants.NGHTTP2_REFUSED_STREAM]: () => unavailable("the far end takes no more connections"),
  [constants.NGHTTP2_FLOW_CONTROL_ERROR]: () => badParameter("the flow control was violated"),
};

/** What a peer's RST_STREAM means. */
export function errorOfReset(code: number): CodedError {
  const own = errorCodes[code - FIRST_RESET_CODE];
  if (own) return new CodedError(own, `the far end cut the connection: ${own.replace("_", " ")}`);
  return standardResets[code]?.() ?? unavailable(`the connection failed at the far end (${code})`);
}

/** The one translator of what the session or its socket threw. */
export function lostError(cause: unknown): CodedError {
  if (cause instanceof CodedError) return cause;
  return cause === undefined || cause === null
    ? unavailable("the tunnel was lost: the far end hung up")
    : unavailable(`the tunnel was lost: ${messageOf(cause)}`, { cause });
}
