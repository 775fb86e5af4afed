import { badParameter } from "#base/kernel";
import type { MuxRequest } from "#base/wire";

/** ALPN of an agent's reverse tunnel to the proxy. */
export const REVERSE_ALPN = "tenon-reverse";
/** ALPN of a bot's connection for one route. */
export const ROUTE_ALPN = "tenon-route";

const APP = "tenon-app";
/** Base64 of the DER: the agent verifies it again, with its own eyes. */
const CERTIFICATE = "tenon-certificate";
const REMOTE_ADDR = "tenon-remote-addr";

/** A client certificate with many roles takes 2 KiB. */
const MAX_CERTIFICATE_BYTES = 16 * 1024;
/** One DNS label, as application names are. */
const MAX_APP_NAME = 63;
/** An IPv6 address with its zone and port. */
const MAX_REMOTE_ADDR = 128;

/** What the proxy tells the agent of each connection. */
export interface TunnelTarget {
  readonly appName: string;
  /** DER of the certificate that the client showed to the proxy. */
  readonly certificate: Uint8Array;
  /** The client's address as the proxy saw it. */
  readonly remoteAddr: string;
}

/** Writes the headers; encodes each client's certificate only once, as long as it lives. */
export class TargetHeaders {
  readonly #encoded = new WeakMap<Uint8Array, string>();

  of(target: TunnelTarget): Record<string, string> {
    return {
      [APP]: target.appName,
      [CERTIFICATE]: this.#encode(target.certificate),
      [REMOTE_ADDR]: target.remoteAddr,
    };
  }

  #encode(certificate: Uint8Array): string {
    const known = this.#encoded.get(certificate);
    if (known !== undefined) return known;
    const { buffer, byteOffset, byteLength } = certificate;
    const encoded = Buffer.from(buffer, byteOffset, byteLength).toString("base64");
    this.#encoded.set(certificate, encoded);
    return encoded;
  }
}

/** Throws `bad_parameter` when a header is missing or malformed. */
export function readTarget(request: MuxRequest): TunnelTarget {
  return {
    appName: bounded(request, APP, MAX_APP_NAME),
    certificate: decoded(bounded(request, CERTIFICATE, (MAX_CERTIFICATE_BYTES / 3) * 4)),
    remoteAddr: bounded(request, REMOTE_ADDR, MAX_REMOTE_ADDR),
  };
}

function bounded(request: MuxRequest, name: string, limit: number): string {
  const value = request.header(name);
  if (!value) throw badParameter(`the header "${name}" is missing`);
  if (value.length > limit)
    throw badParameter(`the header "${name}" is longer than ${limit} characters`);
  return value;
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function decoded(value: string): Buffer {
  if (!BASE64.test(value)) throw badParameter(`the header "${CERTIFICATE}" is not base64`);
  return Buffer.from(value, "base64");
}
