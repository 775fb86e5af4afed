/** One application as its agent serves it. */
export interface Upstream {
  readonly name: string;
  readonly target: UpstreamTarget;
  /** Trust for an `https` target beyond the machine's own authorities, PEM. */
  readonly ca?: string;
  /** Accepts any certificate of an `https` target; for applications on the same machine. */
  readonly insecureSkipVerify: boolean;
  /** Sends the client's own Host header on instead of the target's. */
  readonly preserveHost: boolean;
  /** From a complete request to the first byte of its answer. */
  readonly responseTimeoutMs: number;
}

export interface UpstreamTarget {
  readonly scheme: "http" | "https" | "tcp";
  /** Host name or address, without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number;
  /** What goes into a Host header. */
  readonly authority: string;
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };

/** Reads a `uri` that the schema of applications accepted. */
export function upstreamTarget(uri: string): UpstreamTarget {
  const url = new URL(uri);
  const scheme = url.protocol.slice(0, -1) as UpstreamTarget["scheme"];
  return {
    scheme,
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(url.port) || (DEFAULT_PORTS[scheme] ?? 0),
    authority: url.host,
  };
}
