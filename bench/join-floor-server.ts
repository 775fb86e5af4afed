// The floor under bench/join.ts: a bare TLS server with the settings of the cluster's own. It gets
// certificate and key in its first message and answers with its port.
import type { AddressInfo } from "node:net";
import { createServer } from "node:tls";

process.once("message", (message) => start(message as { cert: string; key: string }));
process.once("disconnect", () => process.exit());

function start(pair: { readonly cert: string; readonly key: string }): void {
  const server = createServer(
    {
      ...pair,
      minVersion: "TLSv1.3",
      ca: [],
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: ["h2"],
    },
    (socket) => {
      socket.on("error", () => socket.destroy());
      socket.resume();
    },
  );
  server.listen(0, "127.0.0.1", () => {
    process.send!({ port: (server.address() as AddressInfo).port });
  });
}
