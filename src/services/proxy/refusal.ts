import type { Clock, ErrorCode } from "#base/kernel";
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";

/** The client's request may still be on its way: closing at once could lose our answer to a reset. */
const LINGER_MS = 2_000;

interface Refusal {
  readonly status: number;
  readonly text: string;
}

/** One sentence for a stranger whatever the cause; those who hold a good certificate learn more. */
const forbidden: Refusal = {
  status: 403,
  text: "access to this application is denied: it takes a valid client certificate for it, and roles that allow it",
};

const refusals: Readonly<Partial<Record<ErrorCode, Refusal>>> = {
  access_denied: forbidden,
  unauthenticated: forbidden,
  not_found: { status: 404, text: "no agent serves this application" },
  limit_exceeded: { status: 503, text: "the application has too many connections; try again" },
  timed_out: { status: 504, text: "the agent of this application did not answer in time" },
};

const unavailableRefusal: Refusal = {
  status: 503,
  text: "no agent that serves this application is connected; try again",
};

/** Answers an HTTP client before its request is read, and closes. */
export function sayRefusal(socket: Duplex, code: ErrorCode, clock: Clock): void {
  const { status, text } = refusals[code] ?? unavailableRefusal;
  const body = `${text}\n`;
  const timer = clock.timer(LINGER_MS, () => socket.destroy());
  socket.once("close", () => timer[Symbol.dispose]());
  socket.on("error", () => socket.destroy());
  socket.resume();
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      "Content-Type: text/plain; charset=utf-8",
      `Content-Length: ${Buffer.byteLength(body)}`,
      "Connection: close",
      "",
      body,
    ].join("\r\n"),
  );
}
