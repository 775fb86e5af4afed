import { CodedError, codeOf, type Logger } from "#base/kernel";
import { CODE_TRAILER, codeOfStatus, errorForCaller, statusNumbers } from "#base/rpc";
import { ConnectError } from "@connectrpc/connect";
import { Details, detailsOf } from "./detail.ts";

/** What a caller hears of `error`; what is not ours becomes `internal`, and the log has the rest. */
export function connectErrorOf(error: unknown, log: Logger): ConnectError {
  if (error instanceof ConnectError) return error;
  const coded = codeOf(error) === "canceled" ? new CodedError("canceled", "canceled") : error;
  const { code, message } = errorForCaller(coded, log);
  const answer = new ConnectError(message, statusNumbers[code], { [CODE_TRAILER]: code });
  answer.details = [...detailsOf(error)];
  return answer;
}

/** The error behind a failed call, `path` being the socket that it was made on. */
export function codedErrorOf(error: unknown, path: string): CodedError {
  if (error instanceof CodedError) return error;
  const connect = ConnectError.from(error);
  const sent = connect.metadata.get(CODE_TRAILER);
  if (sent === null) {
    const lost = unreachable(connect, path);
    if (lost) return lost;
  }
  const details = connect.details.flatMap((detail) => ("type" in detail ? [detail] : []));
  return new CodedError(codeOfStatus(connect.code, sent), connect.rawMessage, {
    cause: details.length > 0 ? new Details(details) : error,
  });
}

/** What the system says of a socket, and what to do. */
const reasons: Readonly<Record<string, readonly ["unavailable" | "access_denied", string]>> = {
  ENOENT: [
    "unavailable",
    "there is no such socket; check the path, and that the program that serves it runs",
  ],
  ENOTDIR: ["unavailable", "a part of its path is not a directory; check the path"],
  ECONNREFUSED: [
    "unavailable",
    "nobody answers on it, since the program that served it has ended; start it again",
  ],
  EACCES: [
    "access_denied",
    "it is not yours to use; run as its owner, or have yourself named among its readers",
  ],
  EPERM: ["access_denied", "it is not yours to use; run as its owner"],
  EAGAIN: ["unavailable", "too many others are waiting to be let in; try again"],
  ECONNRESET: ["unavailable", "the connection was closed by the program that serves it; try again"],
  EPIPE: ["unavailable", "the connection was closed by the program that serves it; try again"],
  HPE_INVALID_CONSTANT: ["unavailable", "what answers there does not speak HTTP; check the path"],
};

function unreachable(error: Error, path: string): CodedError | undefined {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const [code, words] = reasons["code" in cause ? String(cause.code) : ""] ?? [];
    if (code) return new CodedError(code, `cannot use the socket "${path}": ${words}`, { cause });
  }
  return undefined;
}
