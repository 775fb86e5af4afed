import { request } from "node:https";
import type { IncomingMessage } from "node:http";
import { getCACertificates } from "node:tls";
import { CodedError, deadline, messageOf, timedOut, unavailable, type Clock } from "#base/kernel";

export interface GetJsonOptions {
  readonly clock: Clock;
  /** For everything, from the name's lookup to the last byte. */
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Authorities in PEM that are trusted beside the system's. */
  readonly ca?: readonly string[];
  readonly signal?: AbortSignal;
}

/**
 * GET of a small JSON document over HTTPS, on a connection of its own. Follows no redirect: the
 * address is the one that was trusted. Rejects with `timed_out`, or `unavailable` with what the
 * server did wrong; messages leave out the query, which may hold what is not theirs.
 */
export async function getJson(address: string, options: GetJsonOptions): Promise<unknown> {
  const url = readUrl(address);
  const { clock, timeoutMs, signal = new AbortController().signal } = options;
  using time = deadline(clock, timeoutMs, signal);
  try {
    const response = await answerTo(url, { ...options, signal: time.signal });
    return parse(url, await textOf(response, url, options.maxBytes));
  } catch (error) {
    if (error instanceof CodedError) throw error;
    if (time.signal.aborted && !signal.aborted)
      throw timedOut(`"${shown(url)}" did not answer within ${timeoutMs / 1000} s`);
    throw unavailable(`"${shown(url)}" cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

function readUrl(address: string): URL {
  const url = URL.parse(address);
  if (url?.protocol === "https:") return url;
  throw unavailable(`"${url ? shown(url) : address}" is not an https:// address`);
}

const shown = ({ origin, pathname }: URL): string => `${origin}${pathname}`;

function answerTo(
  url: URL,
  { headers = {}, ca = [], signal }: GetJsonOptions,
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const sent = request(url, {
    agent: false,
    headers: { accept: "application/json", "accept-encoding": "identity", ...headers },
    ...(ca.length > 0 ? { ca: [...getCACertificates("default"), ...ca] } : {}),
    ...(signal ? { signal } : {}),
  });
  sent.once("response", resolve);
  sent.on("error", reject);
  sent.end();
  return promise;
}

async function textOf(response: IncomingMessage, url: URL, maxBytes: number): Promise<string> {
  try {
    checkHead(response, url);
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) throw unavailable(`"${shown(url)}" answered over ${maxBytes} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString("utf8");
  } finally {
    response.destroy();
  }
}

function checkHead({ statusCode = 0, headers }: IncomingMessage, url: URL): void {
  if (statusCode >= 300 && statusCode < 400)
    throw unavailable(`"${shown(url)}" answered with a redirect, which is not followed`);
  if (statusCode !== 200) throw unavailable(`"${shown(url)}" answered with status ${statusCode}`);
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding !== "identity")
    throw unavailable(
      `"${shown(url)}" answered in encoding "${encoding}", which was not asked for`,
    );
}

function parse(url: URL, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unavailable(`"${shown(url)}" answered with something that is not JSON`);
  }
}
