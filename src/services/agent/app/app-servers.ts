import { codeOf, notFound, type Clock, type Logger } from "#base/kernel";
import { cut } from "#base/wire";
import { lockTargetsOf, type UserIdentity } from "#domain/access";
import type { LiveConnections, TunnelConnection } from "#services/tunnel";
import { finished, type Duplex } from "node:stream";
import type { AgentRules } from "../rules.ts";
import type { AgentApp } from "./agent-app.ts";
import { appServer, type AppServer } from "./app-server.ts";

export interface AppServersOptions {
  readonly apps: readonly AgentApp[];
  readonly rules: AgentRules;
  readonly live: LiveConnections;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Every application of one agent: checks each connection from the tunnel, then hands it on. */
export class AppServers implements Disposable {
  readonly #options: AppServersOptions;
  readonly #servers: ReadonlyMap<string, { readonly app: AgentApp; readonly server: AppServer }>;

  constructor(options: AppServersOptions) {
    this.#options = options;
    this.#servers = new Map(
      options.apps.map((app) => [app.name, { app, server: appServer(app, options) }]),
    );
  }

  /** What it throws is the client's refusal. */
  async serve(connection: TunnelConnection): Promise<void> {
    const { rules, logger } = this.#options;
    const { appName, remoteAddr, certificate } = connection;
    try {
      const found = this.#servers.get(appName);
      if (!found) throw notFound(`this agent does not serve application "${appName}"`);
      const identity = rules.check(certificate, found.app);
      this.#watch(identity, await found.server.serve(connection));
    } catch (error) {
      logger.warn("refused a connection", { app: appName, remoteAddr, error, code: codeOf(error) });
      throw error;
    }
  }

  drain(): void {
    for (const { server } of this.#servers.values()) server.drain();
  }

  [Symbol.dispose](): void {
    for (const { server } of this.#servers.values()) server[Symbol.dispose]();
  }

  /** From here on a lock or the certificate's end cuts the connection, whatever the proxy does. */
  #watch(identity: UserIdentity, stream: Duplex): void {
    const connection = { targets: lockTargetsOf(identity), expires: identity.expires };
    const tracked = this.#options.live.track(connection, (reason) => cut(stream, reason));
    finished(stream, () => tracked[Symbol.dispose]());
  }
}
