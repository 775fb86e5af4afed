import type { Clock } from "#base/kernel";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { CallState } from "./call.ts";
import type { RpcContext } from "./service.ts";

/** What is known of the other end before it says anything. */
export type PeerInfo = Omit<RpcContext, "method" | "signal">;

/** One client's connection and the calls on it. */
export class Connection {
  readonly caller: PeerInfo;
  readonly #socket: Socket;
  readonly #calls = new Set<CallState>();
  readonly #firstCall: Disposable;
  /** Resolves when the socket is gone. */
  readonly closed: Promise<void>;

  constructor(socket: Socket, caller: PeerInfo, options: { clock: Clock; firstCallMs: number }) {
    this.#socket = socket;
    this.caller = caller;
    this.#firstCall = options.clock.timer(options.firstCallMs, () => socket.destroy());
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        this.#firstCall[Symbol.dispose]();
        resolve();
      });
    });
  }

  /** Neither local nor verified by TLS. */
  get stranger(): boolean {
    return !this.caller.local && !this.caller.peerCertificate;
  }

  get calls(): ReadonlySet<CallState> {
    return this.#calls;
  }

  enter(call: CallState): void {
    this.#firstCall[Symbol.dispose]();
    this.#calls.add(call);
  }

  leave(call: CallState): void {
    this.#calls.delete(call);
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

/** The end of a TLS connection, after its handshake. */
export function tlsPeer(socket: TLSSocket, remoteAddr = socket.remoteAddress): PeerInfo {
  const certificate = socket.getPeerX509Certificate();
  const problem = certificate && !socket.authorized ? String(socket.authorizationError) : undefined;
  return {
    remoteAddr: plainAddress(remoteAddr ?? "unknown"),
    local: false,
    ...(certificate && socket.authorized ? { peerCertificate: certificate.raw } : {}),
    ...(problem ? { certificateProblem: problem } : {}),
  };
}

export const localPeer: PeerInfo = { remoteAddr: "local", local: true };

/** An IPv4 address as such, also where a dual-stack socket reports it inside IPv6. */
const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/, "");
