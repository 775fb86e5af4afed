import { type Clock, systemClock } from "#base/kernel";
import { createLogger } from "#base/observe";
import {
  bindService,
  createRpcServer,
  RpcChannel,
  type Handlers,
  type RpcLimits,
  type RpcServer,
  type RpcTls,
} from "#base/rpc";
import { AuthService } from "@tenon/api/tenon/auth/v1/auth";
import { JoinService } from "@tenon/api/tenon/join/v1/join";
import { TestAuthority, TlsListener } from "#testing/tls";

const authority = new TestAuthority();
const serverCertificate = authority.issue("serverAuth");

export const SERVER_NAME = "server.test";
export { authority };

type Auth = Handlers<typeof AuthService>;
type Join = Handlers<typeof JoinService>;

const absent = (): never => {
  throw new Error("this call has no part in the test");
};
const idleAuth: Auth = {
  ping: absent,
  getTrust: absent,
  issueCertificates: absent,
  listOpen: absent,
  submitHeartbeat: absent,
  announceApps: absent,
  watchLocks: absent,
  exportAuthority: absent,
  searchEvents: absent,
  watchEvents: absent,
  exportEvents: absent,
  listBotInstances: absent,
  getBotActivity: absent,
  listBotSessions: absent,
  getBotAccess: absent,
  getStatus: absent,
  watchTrust: absent,
  rotateAuthority: absent,
  resetBoundKeypair: absent,
  inviteUser: absent,
  listAlerts: absent,
  setResyncWindow: absent,
  backup: absent,
};

/** A real server behind real TLS whose handlers the test gives; the services are only vehicles. */
export class RpcBench implements AsyncDisposable {
  readonly server: RpcServer;
  readonly listener: TlsListener;
  readonly log: readonly string[];
  readonly #channels: RpcChannel[] = [];

  constructor(server: RpcServer, listener: TlsListener, log: readonly string[]) {
    this.server = server;
    this.listener = listener;
    this.log = log;
  }

  static async open(options: {
    readonly auth?: Partial<Auth>;
    readonly join?: Join["join"];
    readonly limits?: Partial<RpcLimits>;
    readonly clock?: Clock;
  }): Promise<RpcBench> {
    const log: string[] = [];
    const server = await createRpcServer({
      services: [
        bindService(AuthService, { ...idleAuth, ...options.auth }),
        bindService(JoinService, { join: options.join ?? absent }),
      ],
      clock: options.clock ?? systemClock,
      logger: createLogger({
        level: "debug",
        format: "text",
        sink: { write: (line) => log.push(line) },
      }),
      ...(options.limits ? { limits: options.limits } : {}),
    });
    const tls = { ...serverCertificate, ca: authority.ca };
    const listener = await TlsListener.open(tls, (socket) => server.injectTls(socket));
    return new RpcBench(server, listener, log);
  }

  /** A channel to the server; by default without a client certificate. */
  channel(options: { tls?: RpcTls; deadlineMs?: number; clock?: Clock } = {}): RpcChannel {
    const channel = new RpcChannel({
      target: { host: "127.0.0.1", port: this.listener.port },
      tls: { ca: [authority.ca], serverName: SERVER_NAME, ...options.tls },
      clock: options.clock ?? systemClock,
      ...(options.deadlineMs === undefined ? {} : { defaultDeadlineMs: options.deadlineMs }),
    });
    this.#channels.push(channel);
    return channel;
  }

  auth(options: Parameters<RpcBench["channel"]>[0] = {}) {
    return this.channel(options).client(AuthService);
  }

  join(options: Parameters<RpcBench["channel"]>[0] = {}) {
    return this.channel(options).client(JoinService);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const channel of this.#channels) channel.close();
    await this.server.shutdown(0);
    await this.listener[Symbol.asyncDispose]();
  }
}
