import {
  generateKeyPair,
  keySuites,
  openSshPrivateKey,
  privateKeyPem,
  spkiDer,
  sshFingerprint,
  sshPublicKeyLine,
  x509Pem,
} from "#base/crypto";
import { silentLogger, systemClock } from "#base/kernel";
import { openMemoryStore } from "#base/storage";
import { Authorities, HOST_SERVER_NAME, type IssuedCredentials } from "#domain/authority";
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { needs } from "#testing/needs";

const execute = promisify(execFile);
const HOUR_MS = 3_600_000;
const CLUSTER = "example.test";
const HOST_ID = "9c1f6d0e-5a53-4a0e-8a55-6f3a1f2d7c11";

/** OpenSSL and OpenSSH judge what the authorities issue. */
describe("certificates in the hands of other programs", needs("openssl", "ssh-keygen"), () => {
  let directory = "";
  let authorities: Authorities;
  const path = (name: string): string => join(directory, name);
  const write = (name: string, text: string): Promise<void> =>
    writeFile(path(name), text, { mode: 0o600 });
  const run = async (command: string, ...args: string[]): Promise<string> => {
    const { stdout, stderr } = await execute(command, args, { cwd: directory, timeout: 30_000 });
    return stdout + stderr;
  };

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "tenon-certificates-"));
    authorities = await open();
    await write("user-ca.pem", authorities.exportAuthority("user", "x509"));
    await write("host-ca.pem", authorities.exportAuthority("host", "x509"));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  const open = (): Promise<Authorities> =>
    Authorities.open({
      store: openMemoryStore({ clock: systemClock, indexes: [] }),
      clock: systemClock,
      logger: silentLogger,
      clusterName: CLUSTER,
    });

  function user(keys: ReturnType<typeof generateKeyPair>, logins = ["deploy"]): IssuedCredentials {
    const claims = {
      user: "bot-robot",
      roles: ["access"],
      traits: { logins },
      logins,
      botName: "robot",
      botInstanceId: "1d0a9e4e-7f83-4f0a-9c59-5d1f6c3a2b10",
      generation: 3,
      allowReissue: true,
    };
    return authorities.issueUser(claims, {
      tlsPublicKey: spkiDer(keys.publicKey),
      sshPublicKey: sshPublicKeyLine(keys.publicKey),
      ttlMs: HOUR_MS,
    });
  }

  function host(keys: ReturnType<typeof generateKeyPair>): IssuedCredentials {
    const about = { hostId: HOST_ID, roles: ["Proxy"] as const };
    return authorities.issueHost(about, {
      tlsPublicKey: spkiDer(keys.publicKey),
      sshPublicKey: sshPublicKeyLine(keys.publicKey),
      ttlMs: HOUR_MS,
    });
  }

  for (const suite of keySuites) {
    it(`openssl prints and verifies a user's, with an ${suite} key, for clients only`, async () => {
      await write("user.pem", x509Pem(user(generateKeyPair(suite)).tlsCertificate));
      const text = await run("openssl", "x509", "-in", "user.pem", "-noout", "-text");
      for (const line of [
        /Version: 3/,
        /Subject: CN = bot-robot/,
        /Issuer: O = example\.test, CN = tenon user authority/,
        /Basic Constraints: critical\s+CA:FALSE/,
        /Key Usage: critical\s+Digital Signature\n/,
        /Extended Key Usage:\s+TLS Web Client Authentication\n/,
        /1\.2\.840\.113556\.1\.8000\.2554[.\d]+1:\s+\{"user":"bot-robot"/,
      ])
        assert.match(text, line);
      const verify = ["verify", "-x509_strict", "-CAfile"] as const;
      await run("openssl", ...verify, "user-ca.pem", "-purpose", "sslclient", "user.pem");
      await assert.rejects(
        run("openssl", ...verify, "user-ca.pem", "-purpose", "sslserver", "user.pem"),
        /unsuitable certificate purpose/,
      );
      await assert.rejects(run("openssl", ...verify, "host-ca.pem", "user.pem"), /issuer/);
    });

    it(`ssh-keygen prints a user's certificate and reads the keys, with an ${suite} key`, async () => {
      const keys = generateKeyPair(suite);
      await write("id-cert.pub", `${user(keys).sshCertificate}\n`);
      const text = await run("ssh-keygen", "-L", "-f", "id-cert.pub");
      for (const line of [
        /user certificate/,
        /Key ID: "bot-robot\/1d0a9e4e/,
        /Principals: \n\s+deploy\n\s+Critical Options: \(none\)/,
        /permit-port-forwarding\n\s+permit-pty\n/,
        /bot-instance-id@tenon\.dev UNKNOWN OPTION/,
        /roles@tenon\.dev/,
      ])
        assert.match(text, line);
      assert.ok(text.includes(sshFingerprint(authorities.trust().userSsh[0]!)));
      assert.ok(text.includes(sshFingerprint(keys.publicKey)));
      await write("id", openSshPrivateKey(keys.privateKey, "robot"));
      assert.equal(
        await run("ssh-keygen", "-y", "-f", "id"),
        `${sshPublicKeyLine(keys.publicKey, "robot")}\n`,
      );
    });
  }

  it("ssh-keygen reads a P-256 key in PKCS#8 too", async () => {
    const { privateKey, publicKey } = generateKeyPair("ecdsa-p256");
    await write("pkcs8", privateKeyPem(privateKey));
    assert.equal(await run("ssh-keygen", "-y", "-f", "pkcs8"), `${sshPublicKeyLine(publicKey)}\n`);
  });

  it("openssl verifies a proxy's certificate for both purposes and its name", async () => {
    await write("host.pem", x509Pem(host(generateKeyPair("ecdsa-p256")).tlsCertificate));
    const verify = ["verify", "-x509_strict", "-CAfile", "host-ca.pem"] as const;
    const name = ["-verify_hostname", HOST_SERVER_NAME(CLUSTER)];
    await run("openssl", ...verify, "-purpose", "sslserver", ...name, "host.pem");
    await run("openssl", ...verify, "-purpose", "sslclient", "host.pem");
    const other = ["-verify_hostname", "other.example.test"];
    await assert.rejects(run("openssl", ...verify, ...other, "host.pem"), /hostname mismatch/);
  });

  it("openssl verifies every authority, which may sign certificates and nothing else", async () => {
    for (const type of ["user", "host", "database", "database-client", "spiffe"] as const) {
      await write("ca.pem", authorities.exportAuthority(type, "x509"));
      await run("openssl", "verify", "-x509_strict", "-CAfile", "ca.pem", "ca.pem");
      const text = await run("openssl", "x509", "-in", "ca.pem", "-noout", "-text");
      assert.match(text, /Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
      assert.match(text, /Key Usage: critical\s+Certificate Sign, CRL Sign\n/);
    }
  });

  it("openssl reads the exported keys of the join and app authorities", async () => {
    for (const type of ["join", "app", "spiffe"] as const) {
      await write("key.pem", authorities.exportAuthority(type, "pem"));
      assert.match(
        await run("openssl", "pkey", "-pubin", "-in", "key.pem", "-text", "-noout"),
        /Public-Key/,
      );
    }
  });
});
