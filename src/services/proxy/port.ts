import { CodedError, messageOf, type Clock, type Logger } from "#base/kernel";
import { peekClientHello } from "#base/wire";
import type { CurrentVerifier, VerifiedCertificate } from "#domain/authority";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { Admission, type Ticket } from "./admission.ts";
import type { CertificateSource } from "./certificate.ts";
import type { PortLimits } from "./limits.ts";
import type { Connection, Route } from "./route.ts";
import { RouteTls } from "./route-tls.ts";

/** Why a connection was refused: a word for metrics and the audit log, and the reason in full. */
export interface Refusal {
  readonly route: string;
  readonly remoteAddr: string;
  readonly reason: "hello" | "limit" | "handshake" | "certificate" | "locked";
  readonly detail: string;
}

export interface PortOptions {
  readonly routes: readonly Route[];
  readonly certificates: Readonly<Record<"host" | "web", CertificateSource>>;
  readonly verifier: Pick<CurrentVerifier, "verify">;
  readonly limits: PortLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly refused: (refusal: Refusal) => void;
}

/** The one TLS port: reads the ClientHello, finds the route, and gives it the finished connection. */
export class TlsPort implements AsyncDisposable {
  readonly #options: PortOptions;
  readonly #admission: Admission;
  readonly #server: Server;
  readonly #routes: readonly { readonly route: Route; readonly tls: RouteTls }[];
  readonly #held = new Map<string, Held>();
  #closed: Promise<unknown> | undefined;
  #rotation: Disposable | undefined;

  constructor(options: PortOptions) {
    this.#options = options;
    this.#admission = new Admission(options.limits);
    this.#routes = options.routes.map((route) => ({ route, tls: this.#routeTls(route) }));
    this.#server = createServer({ noDelay: true }, (socket) => {
      void this.#welcome(socket);
    });
  }

  async listen(address: { host: string; port: number }): Promise<AddressInfo> {
    this.#server.listen({ ...address, backlog: LISTEN_BACKLOG });
    await once(this.#server, "listening");
    this.#rotateTicketKeys();
    return this.#server.address() as AddressInfo;
  }

  /** What is open now: for metrics and for tests that look for leaks. */
  get open(): { connections: number; handshakes: number; strangers: number } {
    const { handshakes, strangers } = this.#admission;
    return { connections: this.#held.size, handshakes, strangers };
  }

  /** Takes no new connection; those that are open stay. */
  stopListening(): void {
    if (!this.#server.listening) return;
    this.#closed = once(this.#server, "close");
    this.#server.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stopListening();
    this.#rotation?.[Symbol.dispose]();
    for (const { socket } of this.#held.values()) socket.destroy();
    for (const { tls } of this.#routes) tls[Symbol.dispose]();
    await this.#closed;
  }

  /**
   * Every session from before takes a full handshake, in which each side verifies the other against
   * the authorities of now. Connections that are open stay.
   */
  forgetSessions(): void {
    this.#rotation?.[Symbol.dispose]();
    this.#rotateTicketKeys();
  }

  /**
   * Whoever steals these keys can resume the sessions of one day (RFC 9325 section 3.4 wants them rotated); the
   * routes share them, and they never leave this process.
   */
  #rotateTicketKeys(): void {
    const keys = randomBytes(TICKET_KEY_BYTES);
    for (const { tls } of this.#routes) tls.useTicketKeys(keys);
    this.#rotation = this.#options.clock.timer(TICKET_KEY_LIFE_MS, () => this.#rotateTicketKeys());
  }

  #routeTls(route: Route): RouteTls {
    return new RouteTls({
      route,
      source: this.#options.certificates[route.certificate],
      handshakeMs: this.#options.limits.handshakeMs,
      secure: (socket) => this.#secure(route, socket),
      failed: (socket, error) => {
        socket.destroy();
        this.#refuse(route.name, addressOf(socket), "handshake", messageOf(error));
      },
    });
  }

  async #welcome(socket: Socket): Promise<void> {
    const address = addressOf(socket);
    const ticket = this.#admission.enter(address);
    socket.on("error", () => socket.destroy());
    if (typeof ticket === "string") {
      socket.destroy();
      return this.#refuse("none", address, "limit", ticket);
    }
    this.#hold(socket, ticket);
    try {
      const { helloMs, helloBytes } = this.#options.limits;
      const hello = await peekClientHello(socket, {
        clock: this.#options.clock,
        timeoutMs: helloMs,
        maxBytes: helloBytes,
      });
      const found = this.#routes.find(({ route }) => route.claims(hello));
      if (found && !socket.destroyed) found.tls.handshake(socket);
      else socket.destroy();
    } catch (error) {
      socket.destroy();
      this.#refuse("none", address, "hello", messageOf(error));
    }
  }

  #hold(socket: Socket, ticket: Ticket): void {
    const key = peerKey(socket);
    this.#held.set(key, { socket, ticket });
    socket.once("close", () => {
      this.#held.delete(key);
      ticket.leave();
    });
  }

  #secure(route: Route, socket: TLSSocket): void {
    const held = this.#held.get(peerKey(socket));
    if (!held) return void socket.destroy();
    held.ticket.handshakeDone();
    socket.on("error", () => socket.destroy());
    socket.allowHalfOpen = route.halfOpen === true;
    const peerDer = route.peer === "none" ? undefined : socket.getPeerX509Certificate()?.raw;
    const { peer, fault } = this.#verify(route, peerDer);
    const remoteAddr = addressOf(socket);
    const connection: Connection = {
      socket,
      remoteAddr,
      serverName: nameOf(socket),
      peer,
      peerDer,
      reset: () => void held.socket.resetAndDestroy(),
    };
    if (peer) held.ticket.known();
    if (!fault) return route.accept(connection);
    this.#refuse(route.name, remoteAddr, "certificate", fault);
    if (route.refuse) route.refuse(connection);
    else socket.destroy();
  }

  /** Checked for resumed sessions too: a ticket outlives neither the certificate nor its authority. */
  #verify(
    route: Route,
    der: Buffer | undefined,
  ): { peer: VerifiedCertificate | undefined; fault: string | undefined } {
    const wanted = route.peer === "user" || route.peer === "host" ? route.peer : undefined;
    if (!der) return { peer: undefined, fault: wanted && "no client certificate" };
    try {
      const peer = this.#options.verifier.verify(der, this.#options.clock.now());
      if (!wanted || peer.kind === wanted) return { peer, fault: undefined };
      return { peer: undefined, fault: `a ${peer.kind} certificate where a ${wanted}'s is needed` };
    } catch (error) {
      return { peer: undefined, fault: wanted && reasonOf(error) };
    }
  }

  #refuse(route: string, remoteAddr: string, reason: Refusal["reason"], detail: string): void {
    this.#options.logger.debug("refused a connection", { route, remoteAddr, reason, detail });
    this.#options.refused({ route, remoteAddr, reason, detail });
  }
}

/** A TCP connection that is open, from its first byte on. */
interface Held {
  readonly socket: Socket;
  readonly ticket: Ticket;
}

/** What Node's TLS takes: a name, a key for AES and one for HMAC, 16 bytes each. */
const TICKET_KEY_BYTES = 48;
const TICKET_KEY_LIFE_MS = 86_400_000;

/** A fleet that lost its proxy comes back at once; the kernel caps it at net.core.somaxconn. */
const LISTEN_BACKLOG = 4_096;

/** `::ffff:192.0.2.1` is how a dual-stack socket writes an IPv4 peer. */
function addressOf(socket: Socket): string {
  return (socket.remoteAddress ?? "").replace(/^::ffff:(?=\d+\.)/, "");
}

/** For the log: with what a stranger is not told. */
const reasonOf = (error: unknown): string =>
  (error instanceof CodedError && error.detail) || messageOf(error);

/** A TLS socket does not name the TCP socket beneath it; the peer's end is the same for both. */
const peerKey = (socket: Socket): string => `${socket.remoteAddress}|${socket.remotePort}`;

function nameOf(socket: TLSSocket): string {
  return typeof socket.servername === "string" ? socket.servername.toLowerCase() : "";
}
