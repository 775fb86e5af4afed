import { upstreamTarget, type Upstream } from "./upstream.ts";

/** One application as its agent is told to serve it. */
export interface AgentApp {
  readonly name: string;
  /** `http://`, `https://` or `tcp://`, as this agent reaches it. */
  readonly uri: string;
  readonly description: string;
  /** What roles match. */
  readonly labels: Readonly<Record<string, string>>;
  /** Another host name under which the proxy serves it. */
  readonly publicAddr: string | undefined;
  /** Trust for an `https` target beyond the machine's own authorities, PEM. */
  readonly ca: string | undefined;
  /** Accepts any certificate of an `https` target. */
  readonly insecureSkipVerify: boolean;
  /** Sends the client's own Host header on instead of the target's. */
  readonly preserveHost: boolean;
  /** From a complete request to the first byte of its answer. */
  readonly responseTimeoutMs: number;
}

export const upstreamOf = (app: AgentApp): Upstream => ({
  name: app.name,
  target: upstreamTarget(app.uri),
  ...(app.ca === undefined ? {} : { ca: app.ca }),
  insecureSkipVerify: app.insecureSkipVerify,
  preserveHost: app.preserveHost,
  responseTimeoutMs: app.responseTimeoutMs,
});
