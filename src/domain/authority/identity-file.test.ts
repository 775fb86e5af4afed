import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { generateKeyPair, privateKeyPem, spkiDer, sshPublicKeyLine } from "#base/crypto";
import { codeOf } from "#base/kernel";
import { alice, HOUR_MS, newAuthorities } from "#testing/authorities";
import { decodeIdentityFile, encodeIdentityFile, type IdentityFile } from "./identity-file.ts";

async function identity(): Promise<IdentityFile> {
  const { authorities } = await newAuthorities();
  const { privateKey } = generateKeyPair("ecdsa-p256");
  const issued = authorities.issueUser(alice, {
    tlsPublicKey: spkiDer(privateKey),
    sshPublicKey: sshPublicKeyLine(privateKey),
    ttlMs: HOUR_MS,
  });
  return { privateKey, ...issued };
}

describe("an identity file", () => {
  it("comes back with its key, certificates and the authorities of hosts", async () => {
    const written = await identity();
    const read = decodeIdentityFile(encodeIdentityFile(written));
    assert.ok(read.privateKey.equals(written.privateKey));
    assert.deepEqual(read.tlsCertificate, written.tlsCertificate);
    assert.equal(read.sshCertificate, written.sshCertificate);
    const { clusterName, hostSsh, hostX509 } = written.trust;
    assert.deepEqual({ ...read.trust }, { clusterName, hostSsh, hostX509 });
  });

  it("may have no SSH certificate", async () => {
    const file = { ...(await identity()), sshCertificate: "" };
    assert.equal(decodeIdentityFile(encodeIdentityFile(file)).sshCertificate, "");
  });

  it("is refused, without a word of its key, when a part is missing or of another", async () => {
    const file = await identity();
    const text = encodeIdentityFile(file);
    const key = privateKeyPem(file.privateKey);
    const other = privateKeyPem(generateKeyPair("ecdsa-p256").privateKey);
    const secret = key.split("\n")[1]!;
    const bad = {
      nothing: "",
      "no key": text.replace(key, ""),
      "another key": text.replace(key, other),
      "half a key": text.replace(secret, ""),
      "the key alone": key,
      "no cluster": text.replace("@cert-authority", "#"),
      "no host authority": encodeIdentityFile({ ...file, trust: { ...file.trust, hostX509: [] } }),
      "a damaged certificate": text.replace("MII", "MIA"),
      "a megabyte": text + "#".repeat(1 << 20),
    };
    for (const [name, damaged] of Object.entries(bad))
      assert.throws(
        () => decodeIdentityFile(damaged),
        (error: Error) => codeOf(error) === "bad_parameter" && !error.message.includes(secret),
        name,
      );
  });
});
