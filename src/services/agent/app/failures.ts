import { STATUS_CODES, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

interface Failure {
  readonly status: number;
  readonly text: string;
}

/** What an application did wrong, by the code of Node's error or of our own deadlines. */
const failures: Readonly<Record<string, Failure>> = {
  ECONNREFUSED: { status: 502, text: "refused the connection" },
  EHOSTUNREACH: { status: 502, text: "cannot be reached" },
  ENETUNREACH: { status: 502, text: "cannot be reached" },
  ENOTFOUND: { status: 502, text: "has a host name that does not resolve" },
  EAI_AGAIN: { status: 502, text: "has a host name that does not resolve" },
  ECONNRESET: { status: 502, text: "closed the connection before it answered" },
  EPIPE: { status: 502, text: "closed the connection before it answered" },
  HPE_HEADER_OVERFLOW: { status: 502, text: "answered with headers that are too large" },
  CONNECT_TIMEOUT: { status: 504, text: "did not take the connection in time" },
  RESPONSE_TIMEOUT: { status: 504, text: "did not answer in time" },
};

/** Whatever else Node's parser or TLS found wrong with what the application sent. */
const OTHER: Failure = { status: 502, text: "did not answer as HTTP" };

/** A sentence for the client: what the application did, without where it is. */
export function failureOf(code: string | undefined): Failure {
  return (code === undefined ? undefined : failures[code]) ?? OTHER;
}

/** Tells the client that its request failed upstream; an answer that has begun breaks off instead. */
export function answerFailure(
  response: ServerResponse,
  app: string,
  code: string | undefined,
): void {
  if (response.headersSent) return void response.destroy();
  const { status, text } = failureOf(code);
  const body = `the application "${app}" ${text}\n`;
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "content-length": Buffer.byteLength(body),
  });
  response.end(body);
}

const malformed: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** Answers what the HTTP parser refused, as Node does by itself when nobody listens. */
export function answerMalformed(stream: Duplex, error: Error): void {
  const code = "code" in error ? String(error.code) : "";
  if (!stream.writable || code === "ECONNRESET") return void stream.destroy();
  const status = malformed[code] ?? 400;
  stream.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n\r\n`);
}
