/** Every failure that crosses a room carries one of these codes; no other exist. */
export const errorCodes = [
  "not_found",
  "already_exists",
  "bad_parameter",
  "access_denied",
  "unauthenticated",
  "compare_failed",
  "limit_exceeded",
  "unavailable",
  "timed_out",
  "canceled",
  "internal",
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/**
 * The one error class. `message` is a lower-case sentence without a full stop: what was wrong, the
 * value quoted, what to do. It never holds a secret. `detail` is for the audit log and the server's
 * own log only, never for the caller.
 */
export class CodedError extends Error {
  override readonly name = "CodedError";
  readonly code: ErrorCode;
  readonly detail: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; detail?: string } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.detail = options.detail;
  }
}

type ErrorOptions = { cause?: unknown; detail?: string };

const maker =
  (code: ErrorCode) =>
  (message: string, options?: ErrorOptions): CodedError =>
    new CodedError(code, message, options);

export const notFound = maker("not_found");
export const alreadyExists = maker("already_exists");
export const badParameter = maker("bad_parameter");
export const accessDenied = maker("access_denied");
export const unauthenticated = maker("unauthenticated");
export const compareFailed = maker("compare_failed");
export const limitExceeded = maker("limit_exceeded");
export const unavailable = maker("unavailable");
export const timedOut = maker("timed_out");
export const canceled = maker("canceled");
export const internal = maker("internal");

/** The code of any thrown value; what is not ours is `internal`. */
export function codeOf(error: unknown): ErrorCode {
  if (error instanceof CodedError) return error.code;
  if (error instanceof Error && error.name === "AbortError") return "canceled";
  return "internal";
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
