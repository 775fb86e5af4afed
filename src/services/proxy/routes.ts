import type { RpcServer } from "#base/rpc";
import { lockTargetsOf } from "#domain/access";
import { HOST_SERVER_NAME, type VerifiedCertificate } from "#domain/authority";
import { messageOf, unauthenticated } from "#base/kernel";
import {
  REVERSE_ALPN,
  ROUTE_ALPN,
  type ConnectionIdentity,
  type ReverseTunnelPool,
} from "#services/tunnel";
import type { AppAccess } from "./app-access.ts";
import type { Names } from "./names.ts";
import type { Refusal } from "./port.ts";
import type { Connection, Route } from "./route.ts";
import type { WebServer } from "./web.ts";

export interface RouteTargets {
  readonly names: Names;
  readonly rpc: RpcServer;
  readonly pool: ReverseTunnelPool;
  readonly apps: AppAccess;
  readonly web: WebServer;
  /** Hears of who is turned away after the handshake. */
  readonly refused: (refusal: Refusal) => void;
}

/** Everything that the one port serves, in the order in which a ClientHello is tried. */
export function routes(targets: RouteTargets): readonly Route[] {
  return [
    rpcRoute(targets),
    reverseRoute(targets),
    routedRoute(targets),
    appRoute(targets),
    webRoute(targets),
  ];
}

/**
 * gRPC. The calls themselves decide what a caller with or without a certificate may do, and end when
 * a lock or the certificate's end says so; a locked bot must still reach the join call to be told.
 */
function rpcRoute({ names, rpc }: RouteTargets): Route {
  const serverName = HOST_SERVER_NAME(names.clusterName);
  return {
    name: "rpc",
    claims: (hello) => hello.serverName === serverName && hello.alpn.includes("h2"),
    alpn: { protocols: ["h2"] },
    certificate: "host",
    peer: "optional",
    accept: ({ socket, remoteAddr, peer }) => {
      rpc.injectTls(socket, { remoteAddr, ...(peer ? { peerCertificate: peer.der } : {}) });
    },
  };
}

/** Agents, which open applications from wherever they are. */
function reverseRoute({ pool, refused }: RouteTargets): Route {
  return {
    name: "reverse",
    claims: (hello) => hello.alpn.includes(REVERSE_ALPN),
    alpn: { protocols: [REVERSE_ALPN] },
    certificate: "host",
    peer: "host",
    accept: ({ socket, peer, remoteAddr }) => {
      if (peer?.kind !== "host") return;
      const { hostId } = peer.identity;
      try {
        pool.register({ socket, hostId, identity: identityOf(peer) });
      } catch (error) {
        // The agent has been told, by the end of its session.
        refused({ route: "reverse", remoteAddr, reason: "locked", detail: messageOf(error) });
      }
    },
  };
}

/** Bots, one session for each application. */
function routedRoute({ apps }: RouteTargets): Route {
  return {
    name: "routed",
    claims: (hello) => hello.alpn.includes(ROUTE_ALPN),
    alpn: { protocols: [ROUTE_ALPN] },
    certificate: "host",
    peer: "user",
    accept: (connection) => {
      const { peer } = connection;
      if (peer?.kind === "user") apps.acceptRouted(connection, peer.identity);
    },
  };
}

/** Any TLS client with a certificate for the application that its server name says. */
function appRoute({ names, apps }: RouteTargets): Route {
  const refuse = (connection: Connection): void =>
    apps.refuseDirect(connection, names.appOf(connection.serverName) ?? "", stranger());
  return {
    name: "app",
    claims: ({ serverName }) => serverName !== undefined && names.appOf(serverName) !== undefined,
    // What goes through is HTTP/1.1 or no protocol of ours: others are the application's own affair.
    alpn: {
      choose: ({ protocols }) =>
        protocols.includes("http/1.1") ? "http/1.1" : protocols.find((name) => name !== "h2"),
    },
    certificate: "web",
    peer: "user",
    halfOpen: true,
    accept: (connection) => {
      const { serverName, peer } = connection;
      const app = names.appOf(serverName);
      if (peer?.kind === "user" && app !== undefined)
        apps.acceptDirect(connection, peer.identity, app);
      else refuse(connection);
    },
    refuse,
  };
}

function webRoute({ web }: RouteTargets): Route {
  return {
    name: "web",
    claims: () => true,
    alpn: { protocols: ["http/1.1"] },
    certificate: "web",
    peer: "none",
    accept: ({ socket }) => web.accept(socket),
  };
}

const identityOf = ({ identity }: VerifiedCertificate): ConnectionIdentity => ({
  targets: lockTargetsOf(identity),
  expires: identity.expires,
});

const stranger = (): Error => unauthenticated("the client showed no certificate that is accepted");
