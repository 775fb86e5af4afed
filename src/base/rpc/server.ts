import { type Clock, type CodedError, type Logger, unavailable } from "#base/kernel";
import type { Server as Listener, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Server, ServerInterceptingCall } from "@grpc/grpc-js";
import { guard, guardedCall } from "./call.ts";
import { asBytes } from "./codec.ts";
import { Connection, localPeer, tlsPeer, type PeerInfo, type TlsInfo } from "./connection.ts";
import { loadGrpc, type Grpc } from "./grpc.ts";
import { adapters } from "./handlers.ts";
import { defaultRpcLimits, type RpcLimits } from "./limits.ts";
import type { BoundMethod, BoundService } from "./service.ts";
import { statusOf } from "./status.ts";
import { listenUnix } from "./unix.ts";

export interface RpcServerOptions {
  readonly services: readonly BoundService[];
  readonly limits?: Partial<RpcLimits>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Loads the gRPC library and prepares the services; nothing listens yet. */
export async function createRpcServer(options: RpcServerOptions): Promise<RpcServer> {
  return new RpcServer(await loadGrpc(), options);
}

/** Serves protobuf services on connections that others accepted, and on Unix sockets. */
export class RpcServer implements AsyncDisposable {
  readonly #grpc: Grpc;
  readonly #options: RpcServerOptions;
  readonly #limits: RpcLimits;
  readonly #GuardedCall: ReturnType<typeof guardedCall>;
  /** The library sets its limits per server: strangers get tighter ones. */
  readonly #known: Server;
  readonly #strangers: Server;
  readonly #connections = new Set<Connection>();
  readonly #listeners = new Set<Listener>();
  #closing = false;

  constructor(grpc: Grpc, options: RpcServerOptions) {
    this.#grpc = grpc;
    this.#options = options;
    const limits = { ...defaultRpcLimits, ...options.limits };
    this.#limits = limits;
    this.#GuardedCall = guardedCall(grpc);
    this.#known = this.#server(limits.maxMessageBytes, limits.maxStreams);
    this.#strangers = this.#server(limits.maxStrangerMessageBytes, limits.maxStrangerStreams);
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#connections.size;
  }

  /** How many calls are under way. */
  get calls(): number {
    let calls = 0;
    for (const connection of this.#connections) calls += connection.calls.size;
    return calls;
  }

  /** Takes over a connection after its TLS handshake. */
  injectTls(socket: TLSSocket, info: TlsInfo = {}): void {
    this.#inject(socket, tlsPeer(socket, info));
  }

  /** Serves local callers on a socket file (0600, in a directory of ours alone); see `unix.ts`. */
  async listenUnix(path: string): Promise<void> {
    this.#listeners.add(await listenUnix(path, (socket) => this.#inject(socket, localPeer)));
  }

  /**
   * Accepts nothing new, ends server streams with `unavailable`, lets other calls finish for
   * `graceMs`, then closes what is left.
   */
  async shutdown(graceMs: number): Promise<void> {
    this.#closing = true;
    for (const listener of this.#listeners) listener.close();
    const left = [...this.#connections].map((connection) => {
      for (const call of connection.calls) {
        if (call.endless) call.close(unavailable("the server is shutting down; connect again"));
      }
      connection.goodbye();
      return connection.closed;
    });
    if (graceMs > 0) await this.#within(graceMs, Promise.all(left));
    for (const connection of this.#connections) connection.destroy();
    await Promise.all(left);
    this.#known.forceShutdown();
    this.#strangers.forceShutdown();
  }

  /** Waits for the work, but not longer. */
  async #within(ms: number, work: Promise<unknown>): Promise<void> {
    const late = Promise.withResolvers<void>();
    using _timer = this.#options.clock.timer(ms, late.resolve);
    await Promise.race([work, late.promise]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown(0);
  }

  #inject(socket: Socket, caller: PeerInfo): void {
    const { clock } = this.#options;
    const connection = new Connection(socket, caller, { clock, ...this.#limits });
    if (this.#closing || this.#full(connection) || socket.destroyed) return connection.destroy();
    const server = connection.stranger ? this.#strangers : this.#known;
    const injector = server.createConnectionInjector(this.#credentials(connection));
    connection.onGoodbye(() => injector.destroy());
    this.#connections.add(connection);
    socket.once("close", () => {
      this.#connections.delete(connection);
      injector.destroy();
    });
    injector.injectConnection(socket);
  }

  #full(connection: Connection): boolean {
    const { maxConnections, maxStrangerConnections } = this.#limits;
    if (this.#connections.size >= maxConnections) return true;
    if (!connection.stranger || this.#connections.size < maxStrangerConnections) return false;
    let strangers = 0;
    for (const other of this.#connections) if (other.stranger) strangers += 1;
    return strangers >= maxStrangerConnections;
  }

  /** The only credentials that carry interceptors of one connection; TLS is done already. */
  #credentials(
    connection: Connection,
  ): ReturnType<Grpc["experimental"]["createServerCredentialsWithInterceptors"]> {
    const refuse = (call: ServerInterceptingCall, error: CodedError): void =>
      call.sendStatus(statusOf(this.#grpc, error, this.#options.logger));
    return this.#grpc.experimental.createServerCredentialsWithInterceptors(
      this.#grpc.ServerCredentials.createInsecure(),
      [
        guard({
          GuardedCall: this.#GuardedCall,
          connection,
          clock: this.#options.clock,
          deadlineMs: this.#limits.unaryDeadlineMs,
          refuse,
        }),
      ],
    );
  }

  #server(maxMessageBytes: number, maxStreams: number): Server {
    const server = new this.#grpc.Server({
      "grpc.max_receive_message_length": maxMessageBytes,
      "grpc.max_send_message_length": this.#limits.maxMessageBytes,
      "grpc.max_concurrent_streams": maxStreams,
      "grpc.keepalive_time_ms": this.#limits.keepaliveMs,
      "grpc.keepalive_timeout_ms": this.#limits.keepaliveTimeoutMs,
      "grpc.enable_channelz": 0,
    });
    for (const service of this.#options.services) {
      for (const method of service.methods) this.#register(server, method);
    }
    return server;
  }

  #register(server: Server, method: BoundMethod): void {
    const kit = { grpc: this.#grpc, logger: this.#options.logger };
    const kind = method.descriptor.methodKind;
    if (kind === "client_streaming")
      throw new TypeError(`${method.path}: client streaming is not served`);
    const type = libraryTypes[kind];
    server.register(method.path, adapters[kind](method, kit), asBytes, asBytes, type);
  }
}

const libraryTypes = {
  unary: "unary",
  server_streaming: "serverStream",
  bidi_streaming: "bidi",
} as const;
