import type { Clock } from "#base/kernel";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { CallState } from "./call.ts";
import type { RpcContext } from "./service.ts";

/** What is known of the other end before it says anything. */
export type PeerInfo = Omit<RpcContext, "method" | "signal" | "end">;

interface ConnectionOptions {
  readonly clock: Clock;
  readonly firstCallMs: number;
  readonly idleMs: number;
  readonly strangerIdleMs: number;
}

/** Calls that a client starts while it hears that the connection ends have this long to finish. */
const GOODBYE_MS = 5_000;

/**
 * One client's connection and the calls on it. A call counts until it is answered: a client that
 * never finishes its own side of it cannot hold the connection open by that.
 */
export class Connection {
  readonly caller: PeerInfo;
  /** Resolves when the socket is gone. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #calls = new Set<CallState>();
  #timer: Disposable | undefined;
  #sayGoodbye: () => void = () => {};

  constructor(socket: Socket, caller: PeerInfo, options: ConnectionOptions) {
    this.#socket = socket;
    this.caller = caller;
    this.#options = options;
    this.#closeAfter(options.firstCallMs);
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        this.#timer?.[Symbol.dispose]();
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

  /** How to tell the client that the connection ends. */
  onGoodbye(sayGoodbye: () => void): void {
    this.#sayGoodbye = sayGoodbye;
  }

  enter(call: CallState): void {
    this.#timer?.[Symbol.dispose]();
    this.#calls.add(call);
  }

  leave(call: CallState): void {
    this.#calls.delete(call);
    if (this.#calls.size === 0 && !this.#socket.destroyed) {
      const { idleMs, strangerIdleMs } = this.#options;
      this.#closeAfter(this.stranger ? strangerIdleMs : idleMs);
    }
  }

  /** Takes no more calls, and closes when those under way are done. */
  goodbye(): void {
    this.#sayGoodbye();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #closeAfter(ms: number): void {
    const { clock } = this.#options;
    this.#timer?.[Symbol.dispose]();
    this.#timer = clock.timer(ms, () => {
      this.#timer = clock.timer(GOODBYE_MS, () => this.destroy());
      this.goodbye();
    });
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
  const certificate = info.peerCertificate ? undefined : socket.getPeerX509Certificate();
  const accepted = info.peerCertificate ?? (socket.authorized ? certificate?.raw : undefined);
  return {
    remoteAddr: plainAddress(info.remoteAddr ?? socket.remoteAddress ?? "unknown"),
    local: false,
    ...(accepted ? { peerCertificate: accepted } : {}),
    ...(certificate && !accepted ? { unverifiedCertificate: certificate.raw } : {}),
  };
}

export const localPeer: PeerInfo = { remoteAddr: "local", local: true };

/** An IPv4 address as such, also where a dual-stack socket reports it inside IPv6. */
const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/, "");
