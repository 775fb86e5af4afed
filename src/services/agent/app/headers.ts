/** Header lines as Node's `rawHeaders` has them: name, value, name, value, in order and in their spelling. */
export type RawHeaders = readonly string[];

/** RFC 9110 section 7.6.1 and RFC 9112: for one connection only, and made anew for the next. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/** Where a request came from: a client's own word on it is not passed on. */
const FORWARDED = /^(x-forwarded-|x-real-ip$|forwarded$|tenon-)/;

export function* pairs(raw: RawHeaders): Generator<[name: string, value: string]> {
  for (let at = 0; at + 1 < raw.length; at += 2) yield [raw[at]!, raw[at + 1]!];
}

/** End-to-end lines only: without hop-by-hop fields and those that `Connection` names. */
export function endToEnd(raw: RawHeaders): string[] {
  const dropped = new Set(HOP_BY_HOP);
  for (const [name, value] of pairs(raw)) {
    if (name.toLowerCase() !== "connection") continue;
    for (const token of value.split(",")) dropped.add(token.trim().toLowerCase());
  }
  return [...pairs(raw)].filter(([name]) => !dropped.has(name.toLowerCase())).flat();
}

export interface Forwarding {
  /** What `Host` says upstream. */
  readonly host: string;
  readonly clientHost: string;
  readonly clientAddr: string;
  /** `Upgrade` of a request that asks for another protocol. */
  readonly upgrade?: string;
  readonly chunked: boolean;
}

/** The header lines of the request as the application gets it. */
export function requestHeaders(raw: RawHeaders, to: Forwarding): string[] {
  const kept = [...pairs(endToEnd(raw))].filter(
    ([name]) => !FORWARDED.test(name.toLowerCase()) && name.toLowerCase() !== "host",
  );
  const lines: [string, string][] = [
    ["Host", to.host],
    ...kept,
    ["X-Forwarded-For", to.clientAddr],
    ["X-Forwarded-Host", to.clientHost],
    ["X-Forwarded-Proto", "https"],
  ];
  if (to.chunked) lines.push(["Transfer-Encoding", "chunked"]);
  if (to.upgrade !== undefined) lines.push(["Connection", "Upgrade"], ["Upgrade", to.upgrade]);
  return lines.flat();
}

/** Trailer lines as `addTrailers` takes them. */
export const trailers = (raw: RawHeaders): [string, string][] => [...pairs(endToEnd(raw))];
