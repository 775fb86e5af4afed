import {
  accessDenied,
  type AclPolicy,
  type Clock,
  type CodedError,
  grantByAcl,
  type Logger,
} from "#base/kernel";
import { listenUnix } from "#base/rpc";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { lstat } from "node:fs/promises";
import { createServer as createHttp1, type Server as Http1 } from "node:http";
import { createServer as createHttp2, type Http2Server, type ServerHttp2Session } from "node:http2";
import type { Server, Socket } from "node:net";
import { dirname, resolve } from "node:path";
import { LocalConnection, type AnyRequest, type AnyResponse } from "./connection.ts";
import { createHandler, type Handle } from "./handler.ts";
import { defaultLocalLimits, type LocalLimits } from "./limits.ts";
import {
  admitted,
  describePeer,
  isAdmitted,
  peerReader,
  type Admitted,
  type KernelWord,
  type Peer,
} from "./peer.ts";
import { sniff } from "./sniff.ts";

export interface LocalServerOptions extends AclPolicy {
  /** Of the socket file, in a directory that only its owner can enter, which is made when missing. */
  readonly path: string;
  readonly routes: (router: ConnectRouter) => void;
  /** A further condition for a peer that its user would admit. */
  readonly allow?: (peer: Peer) => boolean;
  readonly log: Logger;
  readonly clock: Clock;
  readonly limits?: Partial<LocalLimits>;
}

/** Serves an API on one socket file to the local processes that may have it. */
export class LocalServer implements AsyncDisposable {
  readonly path: string;
  readonly #options: LocalServerOptions;
  readonly #limits: LocalLimits;
  readonly #stopping = new AbortController();
  readonly #connections = new Set<LocalConnection>();
  readonly #bySocket = new WeakMap<object, LocalConnection>();
  readonly #handle: Handle;
  readonly #http1: Http1;
  readonly #http2: Http2Server;
  #accepted = 0;
  #listener: Server | undefined;

  private constructor(options: LocalServerOptions) {
    this.path = resolve(options.path);
    this.#options = options;
    this.#limits = { ...defaultLocalLimits, ...options.limits };
    this.#handle = createHandler({
      routes: options.routes,
      limits: this.#limits,
      log: options.log,
      stopping: this.#stopping.signal,
    });
    this.#http1 = this.#createHttp1();
    this.#http2 = this.#createHttp2();
  }

  static async open(options: LocalServerOptions): Promise<LocalServer> {
    const server = new LocalServer(options);
    const ask = await peerReader();
    const readers = await admitted(options.readers);
    const ready = Promise.withResolvers<Admitted>();
    const accept = (socket: Socket): void => {
      socket.on("error", () => {});
      void ready.promise.then((who) => server.#accept(socket, ask(socket), who));
    };
    server.#listener = await listenUnix(server.path, accept);
    try {
      const { uid } = await lstat(server.path);
      await grantByAcl(dirname(server.path), "x", options);
      await grantByAcl(server.path, "rw", options);
      ready.resolve({ ...readers, users: new Set([...readers.users, uid]) });
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      ready.resolve({ users: new Set(), groups: new Set() });
      throw error;
    }
  }

  get connections(): number {
    return this.#accepted;
  }

  get calls(): number {
    let calls = 0;
    for (const connection of this.#connections) calls += connection.calls;
    return calls;
  }

  /** Takes nothing new, tells the calls under way (`unavailable`), gives them a while, then closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener?.close();
    this.#stopping.abort(new ConnectError("the program is stopping", Code.Unavailable));
    for (const connection of this.#connections) connection.goodbye();
    const late = Promise.withResolvers<void>();
    using _timer = this.#options.clock.timer(this.#limits.graceMs, late.resolve);
    const gone = Promise.all([...this.#connections].map(({ closed }) => closed));
    await Promise.race([gone, late.promise]);
    for (const connection of this.#connections) connection.destroy();
    await gone;
  }

  #accept(socket: Socket, word: KernelWord | undefined, who: Admitted): void {
    const { maxConnections } = this.#limits;
    if (!word || this.#stopping.signal.aborted || this.#accepted >= maxConnections) {
      this.#options.log.debug("a connection was closed at once", { open: this.#accepted });
      socket.destroy();
      return;
    }
    this.#accepted += 1;
    socket.once("close", () => (this.#accepted -= 1));
    void this.#serve(socket, word, isAdmitted(word, who));
  }

  async #serve(socket: Socket, word: KernelWord, admits: boolean): Promise<void> {
    const { clock } = this.#options;
    const peer = await describePeer(word);
    const refusal = admits && (this.#options.allow?.(peer) ?? true) ? undefined : refused(peer);
    if (refusal) this.#options.log.warn("a local caller was refused", { ...peer });
    if (socket.destroyed) return;
    const connection = new LocalConnection({
      socket,
      peer,
      refusal,
      clock,
      limits: this.#limits,
    });
    this.#connections.add(connection);
    void connection.closed.then(() => this.#connections.delete(connection));
    if (this.#stopping.signal.aborted) return connection.destroy();
    const protocol = await sniff(socket);
    if (protocol === undefined) return connection.destroy();
    this.#bySocket.set(socket, connection);
    if (protocol === "http1") this.#takeHttp1(socket, connection);
    else this.#takeHttp2(socket, connection);
  }

  #takeHttp1(socket: Socket, connection: LocalConnection): void {
    connection.onEnd(() => socket.end(() => connection.destroy()));
    this.#http1.emit("connection", socket);
  }

  #takeHttp2(socket: Socket, connection: LocalConnection): void {
    const adopt = (session: ServerHttp2Session): void => {
      this.#bySocket.set(session, connection);
      connection.onEnd(() => session.close());
    };
    // The session begins, and says so, before `emit` returns.
    this.#http2.once("session", adopt);
    this.#http2.emit("connection", socket);
    this.#http2.off("session", adopt);
  }

  /** Node's own timers are off: the connection has its own, on a clock that tests can drive. */
  #createHttp1(): Http1 {
    const untimed = { headersTimeout: 0, requestTimeout: 0, keepAliveTimeout: 0 };
    return createHttp1(untimed, (request, response) =>
      this.#enter(this.#bySocket.get(request.socket), request, response),
    );
  }

  #createHttp2(): Http2Server {
    const settings = { maxConcurrentStreams: this.#limits.maxStreams };
    return createHttp2({ settings }, (request, response) =>
      this.#enter(this.#bySocket.get(request.stream.session ?? {}), request, response),
    );
  }

  #enter(
    connection: LocalConnection | undefined,
    request: AnyRequest,
    response: AnyResponse,
  ): void {
    if (!connection) return void response.destroy();
    connection.enter(request, response);
    this.#handle(connection, request, response);
  }
}

const refused = ({ uid, pid }: Peer): CodedError =>
  accessDenied(
    `the user with the number ${uid} (process ${pid}) may not use this socket; run as its owner, or have yourself named among its readers`,
  );
