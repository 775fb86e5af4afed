import type { Metrics } from "#base/observe";
import type { Refusal } from "./port.ts";

/** What is open on the port and behind it. */
export interface Open {
  readonly connections: number;
  readonly handshakes: number;
  readonly strangers: number;
  readonly agents: number;
  readonly tunnelled: number;
}

const gauges: Readonly<Record<keyof Open, string>> = {
  connections: "Open connections on the port",
  handshakes: "TLS handshakes under way",
  strangers: "Connections without a verified client certificate",
  agents: "Agents with a reverse tunnel",
  tunnelled: "Connections to applications",
};

/** The proxy's own metrics; gives what counts refusals. */
export function measure(metrics: Metrics, open: () => Open): (refusal: Refusal) => void {
  for (const [name, help] of Object.entries(gauges))
    metrics.watched(`tenon_proxy_${name}`, help, () => open()[name as keyof Open]);
  const refused = metrics.counter("tenon_proxy_refused_total", "Connections refused", [
    "route",
    "reason",
  ]);
  return ({ route, reason }) => refused.inc({ route, reason });
}
