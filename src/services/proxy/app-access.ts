import { codeOf, type Clock, type CodedError, type Logger } from "#base/kernel";
import { pipeDuplex, type PipeCounts } from "#base/wire";
import { lockTargetsOf, type UserIdentity } from "#domain/access";
import type { AuditLog } from "#domain/audit";
import type { LiveConnections, ReverseTunnelPool, RouteServer } from "#services/tunnel";
import type { Duplex } from "node:stream";
import type { AppGate } from "./app-gate.ts";
import type { ClusterView } from "./cluster-view.ts";
import { sayRefusal } from "./refusal.ts";
import type { Connection } from "./route.ts";
import { OpenSessions } from "./open-sessions.ts";
import { AppSession } from "./session.ts";

export interface AppAccessOptions {
  readonly gate: AppGate;
  readonly view: ClusterView;
  readonly pool: ReverseTunnelPool;
  readonly routed: RouteServer;
  readonly live: LiveConnections;
  readonly audit: Pick<AuditLog, "emit">;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Clients of applications: over a routed session, or over a TLS connection of their own. */
export class AppAccess {
  readonly #options: AppAccessOptions;
  readonly #direct = new Set<Promise<void>>();
  readonly sessions = new OpenSessions();

  constructor(options: AppAccessOptions) {
    this.#options = options;
  }

  /** A session of ALPN `tenon-route`: each stream is one connection to the certificate's application. */
  acceptRouted(connection: Connection, identity: UserIdentity): void {
    const { socket } = connection;
    const app = identity.appName ?? "";
    const session = this.#session(connection, identity, app);
    socket.once("close", () => session.closed());
    try {
      this.#options.routed.accept({
        socket,
        identity: { targets: lockTargetsOf(identity), expires: identity.expires },
        dial: (signal) => this.#dial({ connection, identity, app, session }, signal),
        onBegin: (counts) => session.carries(counts),
        onEnd: ({ counts }) => session.ended(counts),
      });
    } catch (error) {
      // The client has been told, by the end of its session.
      session.denied(error);
    }
  }

  /** Any TLS client of `https://<app>.<domain>`: its bytes are one connection to the application. */
  acceptDirect(connection: Connection, identity: UserIdentity, app: string): void {
    const serving = this.#serveDirect(connection, identity, app).finally(() =>
      this.#direct.delete(serving),
    );
    this.#direct.add(serving);
  }

  /** Says no to a client of an application, as far as its protocol allows. */
  refuseDirect({ socket }: Connection, app: string, error: unknown): void {
    const speaksHttp = this.#options.view
      .appsNamed(app)
      .every(({ spec }) => !spec.uri.startsWith("tcp:"));
    if (speaksHttp) sayRefusal(socket, codeOf(error), this.#options.clock);
    else socket.destroy();
  }

  /** Resolves when no direct connection is left. */
  async idle(): Promise<void> {
    await Promise.all(this.#direct);
  }

  async #serveDirect(connection: Connection, identity: UserIdentity, app: string): Promise<void> {
    const { socket } = connection;
    const session = this.#session(connection, identity, app);
    const gone = new AbortController();
    socket.once("close", () => gone.abort());
    let far: Duplex;
    try {
      far = await this.#dial({ connection, identity, app, session }, gone.signal);
    } catch (error) {
      return this.refuseDirect(connection, app, error);
    }
    const counts: PipeCounts = { aToB: 0, bToA: 0 };
    session.carries(counts);
    const reason = await this.#pipe({ connection, far, identity, counts });
    session.ended(counts);
    session.closed(reason?.code);
  }

  /** Joins both ends until they end, or a lock or the certificate's end cuts them. */
  async #pipe({ connection, far, identity, counts }: Joined): Promise<CodedError | undefined> {
    let reason: CodedError | undefined;
    const limits = { targets: lockTargetsOf(identity), expires: identity.expires };
    // Before the pipe hears of it and closes the client's end as if all were well.
    far.on("error", connection.reset);
    try {
      using _tracked = this.#options.live.track(limits, (why) => {
        reason = why;
        connection.reset();
      });
      await pipeDuplex(connection.socket, far, counts);
    } catch (error) {
      far.destroy();
      connection.reset();
      this.#options.logger.debug("a connection to an application broke off", { error });
    }
    return reason;
  }

  /** Asked for every connection: what was allowed a minute ago may not be now. */
  async #dial(request: Dial, signal: AbortSignal): Promise<Duplex> {
    const { gate, view, pool } = this.#options;
    const { connection, identity, app, session } = request;
    try {
      gate.check(identity, app);
      const far = await pool.dial({
        appName: app,
        hostIds: view.appsNamed(app).map(({ spec }) => spec.host_id),
        certificate: connection.peerDer!,
        remoteAddr: connection.remoteAddr,
        signal,
      });
      session.began();
      return far;
    } catch (error) {
      if (["access_denied", "unauthenticated"].includes(codeOf(error))) session.denied(error);
      throw error;
    }
  }

  #session({ remoteAddr }: Connection, identity: UserIdentity, app: string): AppSession {
    const { audit, clock } = this.#options;
    return new AppSession({ app, identity, remoteAddr, audit, clock, open: this.sessions });
  }
}

interface Joined {
  readonly connection: Connection;
  readonly far: Duplex;
  readonly identity: UserIdentity;
  readonly counts: PipeCounts;
}

interface Dial {
  readonly connection: Connection;
  readonly identity: UserIdentity;
  readonly app: string;
  readonly session: AppSession;
}
