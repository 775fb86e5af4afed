import type { Clock, Logger } from "#base/kernel";
import type { TunnelConnection } from "#services/tunnel";
import type { Duplex } from "node:stream";
import { upstreamOf, type AgentApp } from "./agent-app.ts";
import { HttpUpstream } from "./http.ts";
import { dialTcp, joinTcp } from "./tcp.ts";

/** One application, as connections from the tunnel reach it. */
export interface AppServer extends Disposable {
  /** Accepts a connection that was checked; what it throws before is the client's refusal. */
  serve(connection: TunnelConnection): Promise<Duplex>;
  /** Ends what is idle, and the rest when it is done. */
  drain(): void;
}

export function appServer(app: AgentApp, about: { clock: Clock; logger: Logger }): AppServer {
  return app.uri.startsWith("tcp:") ? tcpServer(app, about.clock) : httpServer(app, about);
}

function httpServer(app: AgentApp, about: { clock: Clock; logger: Logger }): AppServer {
  const upstream = new HttpUpstream({ upstream: upstreamOf(app), ...about });
  return {
    serve: async (connection) => {
      const stream = connection.accept();
      upstream.accept(stream, { remoteAddr: connection.remoteAddr });
      return stream;
    },
    drain: () => upstream.drain(),
    [Symbol.dispose]: () => upstream[Symbol.dispose](),
  };
}

/** Dials first, so that the client of an application that is down gets a refusal, not a reset. */
function tcpServer(app: AgentApp, clock: Clock): AppServer {
  const { target } = upstreamOf(app);
  return {
    serve: async (connection) => {
      const socket = await dialTcp({ target, clock, signal: connection.signal });
      const stream = connection.accept();
      joinTcp(stream, socket);
      return stream;
    },
    drain: () => {},
    [Symbol.dispose]: () => {},
  };
}
