export { tlsCredentials, type TlsCredentials } from "./dial-tls.ts";
export { REVERSE_ALPN, ROUTE_ALPN, type TunnelTarget } from "./headers.ts";
export {
  LiveConnections,
  type ConnectionIdentity,
  type LiveConnectionsOptions,
} from "./live-connections.ts";
export {
  ReverseTunnelAgent,
  type ReverseAgentOptions,
  type ReverseAgentStatus,
  type TunnelConnection,
} from "./reverse-agent.ts";
export {
  ReverseTunnelPool,
  type AgentSession,
  type ReversePoolOptions,
  type TunnelDial,
} from "./reverse-pool.ts";
export { RouteClient, type ConnectOptions, type RouteClientOptions } from "./route-client.ts";
export { RouteServer, type RouteServerOptions, type RouteSession } from "./route-server.ts";
