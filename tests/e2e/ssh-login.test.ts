import { generateKeyPair, openSshPrivateKey, sshPublicKeyLine } from "#base/crypto";
import { silentLogger, systemClock } from "#base/kernel";
import { openMemoryStore } from "#base/storage";
import { Authorities } from "#domain/authority";
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { afterEach, before, beforeEach, describe, it } from "node:test";
import { promisify } from "node:util";

const execute = promisify(execFile);
const HOUR_MS = 3_600_000;
const CLUSTER = "example.test";
const SSHD = "/usr/sbin/sshd";
const skip = existsSync(SSHD) ? false : "needs openssh-server";

/** A real ssh logs in at a real sshd, each known to the other only by its certificate. */
describe("ssh and sshd with our certificates", { skip }, () => {
  const login = userInfo().username;
  let directory = "";
  let ours: Authorities;
  const path = (name: string): string => join(directory, name);
  const write = (name: string, text: string): Promise<void> =>
    writeFile(path(name), text, { mode: 0o600 });

  before(async () => {
    ours = await open();
    // A root's sshd insists on this directory, which only the package's start script makes.
    if (userInfo().uid === 0) await mkdir("/run/sshd", { recursive: true });
  });
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "tenon-ssh-"));
    await writeServer(ours, ours);
    await writeClient(ours, [login]);
    await trustHosts(ours);
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  /** The host's key and certificate, and whose users it lets in. */
  async function writeServer(hosts: Authorities, users: Authorities): Promise<void> {
    const keys = generateKeyPair("ed25519");
    const host = { hostId: "host", roles: ["Node"] as const, sshPrincipals: ["server.test"] };
    const sshPublicKey = sshPublicKeyLine(keys.publicKey);
    const { sshCertificate } = hosts.issueHost(host, { sshPublicKey, ttlMs: HOUR_MS });
    const config = {
      HostKey: path("host_key"),
      HostCertificate: path("host_key-cert.pub"),
      TrustedUserCAKeys: path("user_ca.pub"),
      AuthorizedKeysFile: "none",
      PermitRootLogin: "yes",
      UsePAM: "no",
    };
    await write("host_key", openSshPrivateKey(keys.privateKey));
    await write("host_key-cert.pub", `${sshCertificate}\n`);
    await write("user_ca.pub", `${users.trust().userSsh.join("\n")}\n`);
    const lines = Object.entries(config).map(([name, value]) => `${name} ${value}\n`);
    await write("sshd_config", lines.join(""));
  }

  async function writeClient(users: Authorities, logins: readonly string[]): Promise<void> {
    const keys = generateKeyPair("ecdsa-p256");
    const claims = { user: "bot-robot", roles: [], traits: {}, logins, allowReissue: false };
    const sshPublicKey = sshPublicKeyLine(keys.publicKey);
    const { sshCertificate } = users.issueUser(claims, { sshPublicKey, ttlMs: HOUR_MS });
    await write("login", openSshPrivateKey(keys.privateKey));
    await write("login-cert.pub", `${sshCertificate}\n`);
  }

  /** The exported line, for the one host name that this test has. */
  const trustHosts = (hosts: Authorities): Promise<void> =>
    write(
      "known_hosts",
      hosts.exportAuthority("host", "ssh").replace(`*.${CLUSTER}`, "server.test"),
    );

  async function ssh(): Promise<string> {
    const options = {
      BatchMode: "yes",
      IdentitiesOnly: "yes",
      StrictHostKeyChecking: "yes",
      GlobalKnownHostsFile: "none",
      UserKnownHostsFile: path("known_hosts"),
      CertificateFile: path("login-cert.pub"),
      IdentityFile: path("login"),
      ProxyCommand: `${SSHD} -i -e -f ${path("sshd_config")}`,
    };
    const flags = Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
    const args = ["-F", "none", ...flags, `${login}@server.test`, "echo inside"];
    const { stdout } = await execute("ssh", args, { cwd: directory, timeout: 30_000 });
    return stdout;
  }

  it("the user is let in, and the host is known", async () => {
    assert.equal(await ssh(), "inside\n");
  });

  it("a user whose certificate is for another login, or for none, is refused", async () => {
    await writeClient(ours, ["somebody-else"]);
    await assert.rejects(ssh(), /Permission denied/);
    await writeClient(ours, []);
    await assert.rejects(ssh(), /Permission denied/);
  });

  it("a user of another cluster is refused", async () => {
    await writeClient(await open(), [login]);
    await assert.rejects(ssh(), /Permission denied/);
  });

  it("a host of another cluster is refused", async () => {
    await writeServer(await open(), ours);
    await assert.rejects(ssh(), /Host key verification failed/);
  });
});

const open = (): Promise<Authorities> =>
  Authorities.open({
    store: openMemoryStore({ clock: systemClock, indexes: [] }),
    clock: systemClock,
    logger: silentLogger,
    clusterName: CLUSTER,
  });
