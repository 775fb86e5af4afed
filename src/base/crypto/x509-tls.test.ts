import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { connect, createServer, type SecureVersion, type TLSSocket } from "node:tls";
import { generateKeyPair, privateKeyPem, spkiDer } from "./keys.ts";
import { x509Pem } from "./pem.ts";
import { keySuites, type KeySuite } from "./public-key.ts";
import {
  basicConstraints,
  extendedKeyUsage,
  keyUsage,
  subjectAltName,
  type ExtendedKeyUsage,
} from "./x509-extensions.ts";
import { issueX509, selfSignX509, x509Issuer } from "./x509-issue.ts";

const hour = 3_600_000;
const validity = { notBefore: Date.now() - hour, notAfter: Date.now() + hour };
const ca = generateKeyPair("ecdsa-p256");
const caDer = selfSignX509({
  ...validity,
  privateKey: ca.privateKey,
  subject: { commonName: "test authority" },
  extensions: [basicConstraints({ pathLength: 0 }), keyUsage("keyCertSign")],
});

function certificate(suite: KeySuite, purpose: ExtendedKeyUsage): { cert: string; key: string } {
  const { privateKey } = generateKeyPair(suite);
  const der = issueX509({
    ...validity,
    issuer: x509Issuer(caDer, ca.privateKey),
    subject: { commonName: purpose },
    publicKeySpki: spkiDer(privateKey),
    extensions: [
      basicConstraints("end-entity"),
      keyUsage("digitalSignature"),
      extendedKeyUsage(purpose),
      subjectAltName({ dnsNames: ["server.test"] }),
    ],
  });
  return { cert: x509Pem(der), key: privateKeyPem(privateKey) };
}

describe("a TLS handshake with our certificates", () => {
  for (const suite of keySuites)
    for (const version of ["TLSv1.2", "TLSv1.3"] as const)
      it(`succeeds on both sides with ${suite} keys and ${version}`, async () => {
        const { client, subject } = await handshake(suite, "clientAuth", version);
        assert.ok(client.authorized);
        assert.equal(subject, "clientAuth");
      });

  it("fails when the client shows a certificate for servers", async () => {
    await assert.rejects(handshake("ecdsa-p256", "serverAuth", "TLSv1.3"));
  });
});

async function handshake(
  suite: KeySuite,
  purpose: ExtendedKeyUsage,
  version: SecureVersion,
): Promise<{ client: TLSSocket; subject: string | string[] | undefined }> {
  const ca = x509Pem(caDer);
  const server = createServer({ ca, ...certificate(suite, "serverAuth"), requestCert: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect({
    ca,
    ...certificate(suite, purpose),
    port: (server.address() as AddressInfo).port,
    servername: "server.test",
    minVersion: version,
    maxVersion: version,
  });
  const accepted = Promise.withResolvers<TLSSocket>();
  server.once("secureConnection", accepted.resolve);
  server.once("tlsClientError", accepted.reject);
  try {
    const [socket] = await Promise.all([accepted.promise, once(client, "secureConnect")]);
    return { client, subject: socket.getPeerCertificate().subject.CN };
  } finally {
    client.destroy();
    server.close();
  }
}
