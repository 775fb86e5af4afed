import { CodedError, errorCodes, type ErrorCode, type Logger, messageOf } from "#base/kernel";
import { randomUUID } from "node:crypto";
import type { Metadata } from "@grpc/grpc-js";
import type { Grpc } from "./grpc.ts";
import { MAX_ERROR_MESSAGE_CHARS } from "./limits.ts";

/** The trailer that carries our code exactly; the gRPC status is only its nearest relative. */
export const CODE_TRAILER = "tenon-code";

/** Numbers of https://grpc.io/docs/guides/status-codes. */
export const statusNumbers: Readonly<Record<ErrorCode, number>> = {
  canceled: 1,
  bad_parameter: 3,
  timed_out: 4,
  not_found: 5,
  already_exists: 6,
  access_denied: 7,
  limit_exceeded: 8,
  compare_failed: 10,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
};

/** For answers that carry no code of ours: made by the library, or by something that is not Tenon. */
const foreignCodes: Readonly<Record<number, ErrorCode>> = {
  ...Object.fromEntries(Object.entries(statusNumbers).map(([code, number]) => [number, code])),
  9: "compare_failed",
  11: "bad_parameter",
  12: "bad_parameter",
};

export interface RpcStatus {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
}

/**
 * What the caller hears of `error`. An error that is not ours becomes `internal` with an id that
 * leads to the log, where the rest is: its message may hold anything.
 */
export function statusOf(grpc: Grpc, error: unknown, logger: Logger): RpcStatus {
  const { code, message } = errorForCaller(error, logger);
  const metadata = new grpc.Metadata();
  metadata.set(CODE_TRAILER, code);
  return { code: statusNumbers[code], details: message, metadata };
}

/** The code and the sentence that leave this process. */
export function errorForCaller(
  error: unknown,
  logger: Logger,
): { readonly code: ErrorCode; readonly message: string } {
  const { code, message } = error instanceof CodedError ? error : concealed(error, logger);
  return { code, message: sentence(message) };
}

function concealed(error: unknown, logger: Logger): CodedError {
  const id = randomUUID();
  const stack = error instanceof Error ? error.stack : undefined;
  logger.error("a call failed unexpectedly", { id, error: messageOf(error), stack });
  return new CodedError("internal", `the server failed; its log has the reason under the id ${id}`);
}

/** Only well-formed text survives the percent-encoding of the `grpc-message` header. */
function sentence(message: string): string {
  const text = message.toWellFormed();
  if (text.length <= MAX_ERROR_MESSAGE_CHARS) return text;
  return `${text.slice(0, MAX_ERROR_MESSAGE_CHARS).toWellFormed()}…`;
}

/** The error behind a status that a call of ours ended with. */
export function errorOf(status: {
  code: number;
  details: string;
  metadata?: Metadata;
}): CodedError {
  const [sent] = status.metadata?.get(CODE_TRAILER) ?? [];
  return new CodedError(codeOfStatus(status.code, sent), status.details);
}

/** `sent` is what came under CODE_TRAILER; without it the number has to do. */
export function codeOfStatus(number: number, sent: unknown): ErrorCode {
  return errorCodes.find((known) => known === sent) ?? foreignCodes[number] ?? "internal";
}

/** Whether the status was made by a Tenon server, not by the library or the network. */
export function isOurs(status: { metadata?: Metadata }): boolean {
  return (status.metadata?.get(CODE_TRAILER).length ?? 0) > 0;
}
