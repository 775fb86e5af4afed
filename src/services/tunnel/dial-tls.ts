import { privateKeyPem, x509Pem } from "#base/crypto";
import { deadline, timedOut, unavailable, messageOf, type Clock } from "#base/kernel";
import { HOST_SERVER_NAME, type Trust } from "#domain/authority";
import type { KeyObject } from "node:crypto";
import { connect, type TLSSocket } from "node:tls";

/** How a client of the cluster proves itself, and knows the proxy. PEM texts. */
export interface TlsCredentials {
  readonly cert: string;
  readonly key: string;
  /** The cluster's host authorities. */
  readonly ca: readonly string[];
  /** The name in every proxy's host certificate. */
  readonly serverName: string;
  /** End of `cert`, milliseconds since the epoch. */
  readonly expires: number;
}

/** Of a certificate for a route: what is shown to the proxy, and knows it. */
export function tlsCredentials(certified: {
  readonly privateKey: KeyObject;
  /** DER. */
  readonly tlsCertificate: Buffer;
  readonly trust: Trust;
  readonly expires: number;
}): TlsCredentials {
  const { privateKey, tlsCertificate, trust, expires } = certified;
  return {
    cert: x509Pem(tlsCertificate),
    key: privateKeyPem(privateKey),
    ca: trust.hostX509.map((der) => x509Pem(der)),
    serverName: HOST_SERVER_NAME(trust.clusterName),
    expires,
  };
}

export interface DialTls {
  readonly address: { readonly host: string; readonly port: number };
  readonly credentials: TlsCredentials;
  readonly alpn: string;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

/** A TCP and a TLS handshake over a bad line. */
const DIAL_TIMEOUT_MS = 15_000;

/** A TLS 1.3 connection to the proxy, verified, with this ALPN; `unavailable` or `timed_out` else. */
export async function dialTls(options: DialTls): Promise<TLSSocket> {
  const { address, credentials, alpn, clock } = options;
  using limit = deadline(clock, DIAL_TIMEOUT_MS, options.signal);
  const where = `${address.host}:${address.port}`;
  const socket = connect({
    ...address,
    cert: credentials.cert,
    key: credentials.key,
    ca: [...credentials.ca],
    servername: credentials.serverName,
    ALPNProtocols: [alpn],
    minVersion: "TLSv1.3",
  });
  try {
    await secured(socket, limit.signal);
  } catch (error) {
    socket.destroy();
    if (limit.signal.aborted && !options.signal?.aborted)
      throw timedOut(`the proxy at ${where} did not answer within ${DIAL_TIMEOUT_MS} ms`);
    throw unavailable(`the proxy at ${where} cannot be reached: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (socket.alpnProtocol === alpn) return socket;
  socket.destroy();
  throw unavailable(`what answers at ${where} is no proxy of a cluster: it does not speak ${alpn}`);
}

function secured(socket: TLSSocket, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => void socket.destroy(new Error("the connecting was canceled"));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    socket.on("error", reject);
    socket.once("close", () => reject(new Error("the connection was closed")));
    socket.once("secureConnect", () => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    });
  });
}
