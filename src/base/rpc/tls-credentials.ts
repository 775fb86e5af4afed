import type { Clock } from "#base/kernel";
import type { ChannelCredentials } from "@grpc/grpc-js";
import { isIP, type Socket } from "node:net";
import { connect, type SecureContext, type TLSSocket } from "node:tls";
import type { Grpc } from "./grpc.ts";

/** From the connected socket to the verified peer; two round trips and some signatures. */
export const HANDSHAKE_MS = 10_000;

export interface HandshakeOptions {
  readonly context: SecureContext;
  /** Sent as SNI, unless it is an address (RFC 6066), and looked for in the certificate. */
  readonly serverName: string;
  readonly clock: Clock;
}

/**
 * Credentials that make the TLS handshake themselves. The library's own waits for ever for a peer
 * that accepts a connection and then says nothing, and keeps the process alive for it.
 */
export function tlsCredentials(grpc: Grpc, options: HandshakeOptions): ChannelCredentials {
  return new (class extends grpc.ChannelCredentials {
    override _isSecure(): boolean {
      return true;
    }

    override _equals(other: ChannelCredentials): boolean {
      return other === this;
    }

    override _createSecureConnector() {
      const underWay = new Set<TLSSocket>();
      return {
        connect: async (socket: Socket) => ({
          socket: await handshake(socket, underWay, options),
          secure: true,
        }),
        waitForReady: () => Promise.resolve(),
        getCallCredentials: () => grpc.credentials.createEmpty(),
        destroy: () => {
          for (const socket of underWay) socket.destroy();
        },
      };
    }
  })();
}

async function handshake(
  socket: Socket,
  underWay: Set<TLSSocket>,
  { context, serverName, clock }: HandshakeOptions,
): Promise<TLSSocket> {
  const tls = connect({
    socket,
    host: serverName,
    secureContext: context,
    ALPNProtocols: ["h2"],
    ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
  });
  underWay.add(tls);
  using _late = clock.timer(HANDSHAKE_MS, () => tls.destroy(new Error("TLS handshake timed out")));
  try {
    await new Promise<void>((resolve, reject) => {
      tls.once("secureConnect", resolve).once("error", reject);
      tls.once("close", () => reject(new Error("connection closed during the TLS handshake")));
    });
  } finally {
    underWay.delete(tls);
  }
  if (tls.alpnProtocol === "h2") return tls;
  tls.destroy();
  throw new Error("ALPN: the peer does not speak HTTP/2");
}
