import type { Metrics } from "#base/observe";
import type { Refusal } from "./port.ts";

/** Where the numbers come from that are read when somebody asks. */
export interface Measured {
  readonly port: () => { connections: number; handshakes: number; strangers: number };
  readonly agents: () => number;
  readonly tunnelled: () => number;
}

/** The proxy's own metrics; gives what counts refusals. */
export function measure(metrics: Metrics, measured: Measured): (refusal: Refusal) => void {
  const watched = metrics.watched.bind(metrics);
  const { port, agents, tunnelled } = measured;
  watched("tenon_proxy_connections", "Open connections on the port", () => port().connections);
  watched("tenon_proxy_handshakes", "TLS handshakes under way", () => port().handshakes);
  watched(
    "tenon_proxy_strangers",
    "Connections without a verified client certificate",
    () => port().strangers,
  );
  watched("tenon_proxy_agents", "Agents with a reverse tunnel", agents);
  watched("tenon_proxy_tunnelled_connections", "Connections to applications", tunnelled);
  const refused = metrics.counter("tenon_proxy_refused_total", "Connections refused", [
    "route",
    "reason",
  ]);
  return ({ route, reason }) => refused.inc({ route, reason });
}
