import { pipeDuplex } from "#base/wire";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { endToEnd, pairs } from "./headers.ts";

export interface Switch {
  /** The application's 101. */
  readonly answer: IncomingMessage;
  /** The client's end, and what it sent after its request. */
  readonly stream: Duplex;
  readonly head: Buffer;
  /** The application's end, and what it sent after its answer. */
  readonly socket: Duplex;
  readonly rest: Buffer;
}

/** Passes on a 101 and joins both ends; from here on the bytes are not HTTP (RFC 9110 section 7.8). */
export function switchProtocols({ answer, stream, head, socket, rest }: Switch): void {
  const lines = [
    `HTTP/1.1 101 ${answer.statusMessage ?? ""}`,
    ...[...pairs(endToEnd(answer.rawHeaders))].map(([name, value]) => `${name}: ${value}`),
    "Connection: Upgrade",
    `Upgrade: ${answer.headers.upgrade ?? ""}`,
  ];
  stream.write(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  if (rest.length > 0) socket.unshift(rest);
  if (head.length > 0) stream.unshift(head);
  // Whichever side broke it off, the other sees the same.
  pipeDuplex(stream, socket).catch(() => {});
}
