import { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import {
  createSecureContext,
  Server as TlsServer,
  type SecureContext,
  type SecureContextOptions,
  type TLSSocket,
} from "node:tls";
import type { CertificateSource, ServerCertificate } from "./certificate.ts";
import type { Route } from "./route.ts";

export interface RouteTlsOptions {
  readonly route: Route;
  readonly source: CertificateSource;
  readonly handshakeMs: number;
  readonly secure: (socket: TLSSocket) => void;
  readonly failed: (socket: TLSSocket, error: Error) => void;
}

/** TLS as one route speaks it: its certificate, its ALPN, its wish for a client certificate. */
export class RouteTls implements Disposable {
  readonly #options: RouteTlsOptions;
  readonly #server: TlsServer;
  readonly #subscription: Disposable;
  #named: readonly NamedContext[] = [];
  #ticketKeys: Buffer | undefined;

  constructor(options: RouteTlsOptions) {
    this.#options = options;
    const { route } = options;
    this.#server = new TlsServer({
      ...this.#context(),
      handshakeTimeout: options.handshakeMs,
      requestCert: route.peer !== "none",
      // The port verifies certificates itself, against the authorities of the moment.
      rejectUnauthorized: false,
      ...("protocols" in route.alpn
        ? { ALPNProtocols: route.alpn.protocols }
        : { ALPNCallback: route.alpn.choose }),
      SNICallback: (name, done) => done(null, this.#contextFor(name)),
    });
    this.#server.on("secureConnection", options.secure);
    this.#server.on("tlsClientError", (error, socket) => options.failed(socket, error));
    this.#subscription = options.source.onChange(() => this.#renew());
    this.#renew();
  }

  /** Starts the handshake on an accepted TCP connection. */
  handshake(socket: Socket): void {
    this.#server.emit("connection", socket);
  }

  /** Tickets of other keys are answered with a full handshake. */
  useTicketKeys(keys: Buffer): void {
    this.#ticketKeys = keys;
    this.#server.setTicketKeys(keys);
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
  }

  #renew(): void {
    this.#server.setSecureContext(this.#context());
    if (this.#ticketKeys) this.#server.setTicketKeys(this.#ticketKeys);
    this.#named = this.#options.source.current().slice(1).map(namedContext);
  }

  #context(): SecureContextOptions {
    return { ...contextOptions(this.#options.source.current()[0]!), sessionIdContext: this.#id };
  }

  /** Keeps a session of one route from being resumed on another, which may ask for less. */
  get #id(): string {
    return `tenon/${this.#options.route.name}`;
  }

  #contextFor(name: string): SecureContext | undefined {
    return this.#named.find(({ certificate }) => certificate.checkHost(name))?.context;
  }
}

type NamedContext = { readonly certificate: X509Certificate; readonly context: SecureContext };

function namedContext(pair: ServerCertificate): NamedContext {
  return {
    certificate: new X509Certificate(pair.cert),
    context: createSecureContext(contextOptions(pair)),
  };
}

function contextOptions({ cert, key }: ServerCertificate): SecureContextOptions {
  // No `ca`: it would name our authorities to strangers, and OpenSSL would verify a second time.
  return { cert, key, minVersion: "TLSv1.3", ca: [] };
}
