import type { VerifiedCertificate } from "#domain/authority";
import type { ClientHello } from "#base/wire";
import type { TLSSocket, TlsOptions } from "node:tls";

/** One TLS connection that passed its route's checks of the handshake. */
export interface Connection {
  readonly socket: TLSSocket;
  /** Address of the peer without its port; an IPv4 address is never in its IPv6 form. */
  readonly remoteAddr: string;
  /** SNI in lower case; empty when the client sent none. */
  readonly serverName: string;
  /** What the client's certificate says; absent when it showed none or one that does not verify. */
  readonly peer: VerifiedCertificate | undefined;
  /** DER of whatever certificate the client showed. */
  readonly peerDer: Buffer | undefined;
  /**
   * Closes with a TCP reset: few clients look whether TLS was ended in good order, and would take a
   * part for the whole.
   */
  readonly reset: () => void;
}

/** One kind of traffic on the port. The first route of the table that claims a ClientHello gets it. */
export interface Route {
  readonly name: string;
  readonly claims: (hello: ClientHello) => boolean;
  /** ALPN names to offer, or the choice among those that the client named. */
  readonly alpn:
    | { readonly protocols: string[] }
    | { readonly choose: NonNullable<TlsOptions["ALPNCallback"]> };
  /** Which of the proxy's certificates it shows. */
  readonly certificate: "host" | "web";
  /**
   * Whether it asks for a client certificate, and of which kind. `user` and `host` give the
   * connection to `refuse` when the certificate is missing, of the other kind, or does not verify.
   */
  readonly peer: "none" | "optional" | "user" | "host";
  /**
   * Whether a client may finish sending and still read. Elsewhere its end is the connection's: HTTP/2
   * would not notice it by itself.
   */
  readonly halfOpen?: boolean;
  readonly accept: (connection: Connection) => void;
  /** Says goodbye in the protocol of the route; without it the connection is just closed. */
  readonly refuse?: (connection: Connection) => void;
}
