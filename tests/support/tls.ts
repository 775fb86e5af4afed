import {
  basicConstraints,
  extendedKeyUsage,
  type ExtendedKeyUsage,
  generateKeyPair,
  issueX509,
  keyUsage,
  privateKeyPem,
  selfSignX509,
  spkiDer,
  subjectAltName,
  x509Issuer,
  x509Pem,
} from "#base/crypto";
import { createServer, type Server, type TLSSocket, type TlsOptions } from "node:tls";
import type { AddressInfo } from "node:net";

const HOUR_MS = 3_600_000;
const name = (commonName: string) => ({ commonName });

/** Certificate and key in PEM. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority for tests that need TLS, but not the house's own authorities. */
export class TestAuthority {
  readonly #keys = generateKeyPair("ecdsa-p256");
  readonly #der = selfSignX509({
    subject: name("test authority"),
    privateKey: this.#keys.privateKey,
    notBefore: Date.now() - HOUR_MS,
    notAfter: Date.now() + HOUR_MS,
    extensions: [basicConstraints({ pathLength: 0 }), keyUsage("keyCertSign")],
  });

  /** PEM. */
  readonly ca = x509Pem(this.#der);

  /** Valid from an hour ago for two hours, unless `from` and `to` (milliseconds from now) say otherwise. */
  issue(
    purpose: ExtendedKeyUsage,
    options: { readonly name?: string; readonly from?: number; readonly to?: number } = {},
  ): TestCertificate {
    const keys = generateKeyPair("ecdsa-p256");
    const der = issueX509({
      subject: name("test"),
      issuer: x509Issuer(this.#der, this.#keys.privateKey),
      publicKeySpki: spkiDer(keys.publicKey),
      notBefore: Date.now() + (options.from ?? -HOUR_MS),
      notAfter: Date.now() + (options.to ?? HOUR_MS),
      extensions: [
        extendedKeyUsage(purpose),
        subjectAltName({ dnsNames: [options.name ?? "server.test"] }),
      ],
    });
    return { cert: x509Pem(der), key: privateKeyPem(keys.privateKey) };
  }
}

/** A TLS 1.3 listener on a port of 127.0.0.1, a free one by default, that hands over what it accepts. */
export class TlsListener implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<TLSSocket>();

  constructor(server: Server, accept: (socket: TLSSocket) => void) {
    this.#server = server;
    server.on("tlsClientError", () => {});
    server.on("secureConnection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      accept(socket);
    });
  }

  static async open(
    options: TlsOptions,
    accept: (socket: TLSSocket) => void,
    port = 0,
  ): Promise<TlsListener> {
    const server = createServer({
      minVersion: "TLSv1.3",
      ALPNProtocols: ["h2"],
      requestCert: true,
      rejectUnauthorized: false,
      ...options,
    });
    const listener = new TlsListener(server, accept);
    await new Promise<void>((resolve) => void server.listen(port, "127.0.0.1", resolve));
    return listener;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many connections are open. */
  get sockets(): number {
    return this.#sockets.size;
  }

  /** Breaks every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => void this.#server.close(resolve));
  }
}
