import type { Clock } from "#base/kernel";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { CallState } from "./call.ts";
import type { RpcContext } from "./service.ts";

/** What is known of the other end before it says anything. */
export type PeerInfo = Omit<RpcContext, "method" | "signal" | "end">;

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

/** What the owner of the TLS listener knows of a connection better than its socket does. */
export interface TlsInfo {
  readonly remoteAddr?: string;
  /** DER of a certificate that the owner verified itself; otherwise the socket's verdict counts. */
  readonly peerCertificate?: Buffer;
}

/** The end of a TLS connection, after its handshake. */
export function tlsPeer(socket: TLSSocket, info: TlsInfo = {}): PeerInfo {
  const certificate = socket.getPeerX509Certificate();
  const accepted = info.peerCertificate ?? (socket.authorized ? certificate?.raw : undefined);
  const problem = certificate && !accepted ? String(socket.authorizationError) : undefined;
  return {
    remoteAddr: plainAddress(info.remoteAddr ?? socket.remoteAddress ?? "unknown"),
    local: false,
    ...(accepted ? { peerCertificate: accepted } : {}),
    ...(problem ? { certificateProblem: problem } : {}),
  };
}

export const localPeer: PeerInfo = { remoteAddr: "local", local: true };

/** An IPv4 address as such, also where a dual-stack socket reports it inside IPv6. */
const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/, "");
