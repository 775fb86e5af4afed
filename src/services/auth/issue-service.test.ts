import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  generateKeyPair,
  parseSshCertificate,
  parseX509,
  sha256Hex,
  spkiDer,
  sshPublicKeyLine,
} from "#base/crypto";
import { verifyClientCertificate, type UserClaims, type UserIdentity } from "#domain/authority";
import { AuthBench, type Services } from "#testing/auth";
import { ManualClock } from "#testing/clock";

const HOUR_MS = 3_600_000;
const tlsPublicKey = spkiDer(generateKeyPair("ecdsa-p256").publicKey);
const sshPublicKey = sshPublicKeyLine(generateKeyPair("ed25519").publicKey);

describe("issuing certificates", () => {
  let clock: ManualClock;
  let bench: AuthBench;
  let robot: UserClaims;
  let bot: Services;

  before(async () => {
    // Now, not when the file was loaded: TLS looks at the real time.
    clock = new ManualClock(Date.now());
    bench = await AuthBench.open({ clock });
    const staging = { app_labels: { env: ["staging"] }, logins: ["root", "{{internal.logins}}"] };
    await bench.createRole("staging", staging);
    await bench.createRole("production", { app_labels: { env: ["production"] } });
    await bench.create({
      kind: "role",
      version: "v1",
      metadata: { name: "brief" },
      spec: { options: { max_session_ttl: "5m" } },
    });
    await bench.createUser("alice", ["staging"]);
    await bench.create({
      kind: "role",
      version: "v1",
      metadata: { name: "impersonator" },
      spec: { allow: { impersonate: { roles: ["brief"] } } },
    });
    robot = await bench.createBot("robot", ["staging", "brief"]);
    bot = bench.user(robot);
    const agent = bench.host({ roles: ["App"] });
    await agent.auth.announceApps({
      apps: [
        { name: "web", uri: "http://localhost:1", labels: { env: "staging" } },
        { name: "vault", uri: "http://localhost:2", labels: { env: "production" } },
      ],
    });
  });
  after(async () => await bench[Symbol.asyncDispose]());

  const identityOf = (der: Uint8Array): UserIdentity => {
    const verified = verifyClientCertificate(der, bench.identities.trust, clock.now());
    assert.equal(verified.kind, "user");
    return verified.identity;
  };
  const issue = async (
    as: Services,
    request: Parameters<Services["auth"]["issueCertificates"]>[0],
  ): Promise<UserIdentity> => {
    const { tlsCertificate } = await as.auth.issueCertificates({ tlsPublicKey, ...request });
    return identityOf(tlsCertificate);
  };
  const minutesOf = ({ expires }: UserIdentity): number =>
    Math.round((expires - clock.now()) / 60_000);

  it("gives a bot all roles that it may impersonate, and never its own", async () => {
    const identity = await issue(bot, {});
    assert.deepEqual([...identity.roles].sort(), ["brief", "staging"]);
    assert.equal(identity.user, "bot-robot");
    assert.equal(identity.botName, "robot");
    assert.equal(identity.botInstanceId, robot.botInstanceId);
    assert.equal(identity.joinToken, robot.joinToken);
    assert.equal(identity.generation, undefined);
    assert.equal(identity.allowReissue, false);
    assert.equal(identity.appName, undefined);
  });

  it("gives exactly the roles asked for", async () => {
    assert.deepEqual((await issue(bot, { roles: ["brief"] })).roles, ["brief"]);
  });

  it("gives a TLS and an SSH certificate for the keys, and the trust bundle", async () => {
    const issued = await bot.auth.issueCertificates({ tlsPublicKey, sshPublicKey });
    assert.deepEqual(Buffer.from(parseX509(issued.tlsCertificate).spki), tlsPublicKey);
    const ssh = parseSshCertificate(issued.sshCertificate);
    assert.deepEqual([...ssh.principals], ["root"]);
    assert.equal(issued.trust?.clusterName, "example.test");
    assert.deepEqual(
      issued.trust?.hostX509.map((der) => Buffer.from(der)),
      bench.identities.trust.hostX509,
    );
  });

  for (const roles of [["production"], ["staging", "production"], ["bot-robot"], ["nonesuch"]]) {
    it(`refuses a bot the roles ${roles.join(", ")}, and names the one that it may not use`, async () => {
      const refused = roles.at(-1)!;
      await assert.rejects(issue(bot, { roles }), {
        code: "access_denied",
        message: new RegExp(`bot "robot" may not use role "${refused}"; it may use brief, staging`),
      });
    });
  }

  it("records for which program a bot asked, and that it is the bot's word", async () => {
    const requester = { uid: 1_000, pid: 42, executable: "/usr/bin/curl" };
    await bot.auth.issueCertificates({ tlsPublicKey, requester });
    const refused = bot.auth.issueCertificates({ tlsPublicKey, requester, roles: ["production"] });
    await assert.rejects(refused, { code: "access_denied" });
    for (const type of ["cert.issue", "cert.issue.denied"] as const) {
      const event = (await bench.events(type)).at(-1);
      assert.deepEqual(event?.fields["requester"], { told_by: "bot", ...requester });
    }
  });

  it("takes no such word from an output or a person", async () => {
    const { tlsCertificate } = await bot.auth.issueCertificates({
      tlsPublicKey,
      allowReissue: true,
    });
    const output = bench.user(identityWithoutExpiry(identityOf(tlsCertificate)));
    const person = bench.user({ user: "alice", roles: ["staging"], allowReissue: true });
    const requester = { uid: 0, pid: 1, executable: "" };
    for (const caller of [output, person])
      await assert.rejects(caller.auth.issueCertificates({ tlsPublicKey, requester }), {
        code: "access_denied",
        message: /only a bot's own identity/,
      });
  });

  it("is for one application when asked", async () => {
    assert.equal((await issue(bot, { appName: "web" })).appName, "web");
  });

  describe("for a database or a Kubernetes cluster", () => {
    before(async () => {
      const inventory = (kind: string, env: string, spec: object) => ({
        kind,
        version: "v1",
        metadata: { name: `${kind}-${env}`.replaceAll("_", "-"), labels: { env } },
        spec,
      });
      for (const env of ["staging", "production"])
        await bench.create(
          inventory("db", env, { protocol: "postgres", uri: "10.0.0.1:5432" }),
          inventory("kube_cluster", env, { api_server: "https://10.0.0.1:6443" }),
        );
      const labels = { env: ["staging"] };
      await bench.createRole("reader", {
        db_labels: labels,
        db_names: ["*"],
        db_users: ["reader"],
      });
      await bench.createRole("writer", {
        db_labels: labels,
        db_names: ["main"],
        db_users: ["writer-*"],
        kubernetes_labels: labels,
      });
      await bench.create({
        kind: "role",
        version: "v1",
        metadata: { name: "no-root" },
        spec: { deny: { db_users: ["writer-root"] } },
      });
      keeper = bench.user(await bench.createBot("keeper", ["reader", "writer", "no-root"]));
    });
    let keeper: Services;
    const database = (name: string, username: string, service = "db-staging") => ({
      database: { service, database: name, username },
    });

    it("is for one of them when asked", async () => {
      const identity = await issue(keeper, database("main", "writer-1"));
      const route = { service: "db-staging", database: "main", username: "writer-1" };
      assert.deepEqual(identity.database, route);
      const cluster = await issue(keeper, { kubernetesCluster: "kube-cluster-staging" });
      assert.equal(cluster.kubernetesCluster, "kube-cluster-staging");
      const open = await issue(keeper, { database: { service: "db-staging" } });
      assert.deepEqual(open.database, { service: "db-staging" });
      const fields = (await bench.events("cert.issue")).at(-3)?.fields;
      assert.deepEqual(
        [fields?.["db"], fields?.["db_name"], fields?.["db_user"]],
        ["db-staging", "main", "writer-1"],
      );
    });

    const refusals: readonly (readonly [string, object, string, RegExp])[] = [
      [
        "a server that is not there",
        database("a", "reader", "db-stagin"),
        "not_found",
        /there is no database "db-stagin".*"db-staging"/,
      ],
      [
        "a server that no role opens",
        database("a", "reader", "db-production"),
        "access_denied",
        /db_labels/,
      ],
      [
        "an account that no role names",
        database("main", "admin"),
        "access_denied",
        /account "admin".*db_users/,
      ],
      [
        "a database that no role names for the account",
        database("other", "writer-1"),
        "access_denied",
        /"db-staging"/,
      ],
      [
        "an account that a role denies",
        database("main", "writer-root"),
        "access_denied",
        /account "writer-root"/,
      ],
      [
        "a cluster that is not there",
        { kubernetesCluster: "kube" },
        "not_found",
        /there is no Kubernetes cluster "kube"/,
      ],
      [
        "a cluster that no role opens",
        { kubernetesCluster: "kube-cluster-production" },
        "access_denied",
        /kubernetes_labels/,
      ],
      [
        "two things at once",
        { appName: "web", kubernetesCluster: "x" },
        "bad_parameter",
        /opens one thing/,
      ],
      [
        "a database without its server",
        { database: { username: "x" } },
        "bad_parameter",
        /database\.service is empty/,
      ],
    ];
    for (const [what, request, code, message] of refusals)
      it(`refuses ${what}`, async () => {
        await assert.rejects(issue(keeper, request), { code, message });
      });

    it("may be issued again for the same, and for nothing else", async () => {
      const { tlsCertificate } = await keeper.auth.issueCertificates({
        tlsPublicKey,
        ...database("main", "reader"),
        allowReissue: true,
      });
      const output = bench.user(identityWithoutExpiry(identityOf(tlsCertificate)));
      await issue(output, database("main", "reader"));
      for (const other of [
        {},
        database("main", "writer-1"),
        { kubernetesCluster: "kube-cluster-staging" },
      ])
        await assert.rejects(issue(output, other), {
          code: "access_denied",
          message: /for database server "db-staging", database "main" as "reader" alone/,
        });
    });
  });

  it("refuses an application that no agent serves, and suggests only what the roles open", async () => {
    await assert.rejects(issue(bot, { appName: "wep" }), {
      code: "not_found",
      message: /no agent serves application "wep".*"web"/,
    });
    const error: unknown = await issue(bot, { appName: "vaul" }).catch((error: unknown) => error);
    assert.doesNotMatch(String(error), /vault/);
  });

  it("refuses an application that the roles do not open", async () => {
    const request = { appName: "vault" };
    await assert.rejects(issue(bot, request), { code: "access_denied", message: /"vault"/ });
  });

  it("lasts an hour by default, and no longer than asked, the roles, and the cluster allow", async () => {
    assert.equal(minutesOf(await issue(bot, { roles: ["staging"] })), 60);
    assert.equal(minutesOf(await issue(bot, { roles: ["staging"], ttlSeconds: 60 })), 1);
    assert.equal(minutesOf(await issue(bot, { roles: ["staging"], ttlSeconds: 999_999 })), 12 * 60);
    assert.equal(minutesOf(await issue(bot, { roles: ["brief"], ttlSeconds: 3_600 })), 5);
    assert.equal(minutesOf(await issue(bot, { roles: ["brief", "staging"] })), 5);
  });

  it("may outlive the bot's own identity, so that outputs last while the bot renews", async () => {
    const ending = bench.as(bench.identities.user(robot, 120_000));
    assert.equal(minutesOf(await issue(ending, { roles: ["staging"] })), 60);
  });

  it("ends with the certificate that asked for it, when that is an output or a person's", async () => {
    const claims = { user: "alice", roles: ["staging"], allowReissue: true };
    const person = bench.as(bench.identities.user(claims, 120_000));
    assert.equal(minutesOf(await issue(person, {})), 2);
    const { generation: _, ...output } = { ...robot, roles: ["staging"] };
    assert.equal(minutesOf(await issue(bench.as(bench.identities.user(output, 120_000)), {})), 2);
  });

  it("gives a person the roles they have or may impersonate, and no others", async () => {
    const person = bench.user({ user: "alice", roles: ["impersonator"], allowReissue: true });
    assert.deepEqual((await issue(person, {})).roles, ["impersonator"]);
    assert.deepEqual((await issue(person, { roles: ["brief"] })).roles, ["brief"]);
    await assert.rejects(issue(person, { roles: ["staging"] }), { code: "access_denied" });
  });

  it("gives an output what it has, and not what its roles may impersonate", async () => {
    const { generation: _, ...output } = { ...robot, roles: ["impersonator"] };
    const caller = bench.user(output);
    assert.deepEqual((await issue(caller, {})).roles, ["impersonator"]);
    await assert.rejects(issue(caller, { roles: ["brief"] }), { code: "access_denied" });
  });

  it("refuses a certificate that was issued without allow_reissue", async () => {
    const person = bench.user({ user: "alice", roles: ["staging"], allowReissue: false });
    await assert.rejects(issue(person, {}), { code: "access_denied", message: /allow_reissue/ });
  });

  it("can be issued anew when it was asked for, but not for another application", async () => {
    const { tlsCertificate } = await bot.auth.issueCertificates({
      tlsPublicKey,
      appName: "web",
      roles: ["staging"],
      allowReissue: true,
    });
    const caller = bench.user(identityWithoutExpiry(identityOf(tlsCertificate)));
    assert.equal((await issue(caller, { appName: "web" })).appName, "web");
    for (const appName of ["", "vault"]) {
      await assert.rejects(issue(caller, { appName }), {
        code: "access_denied",
        message: /"web" alone/,
      });
    }
  });

  it("is refused while a role that it asks for is locked", async () => {
    const name = await bench.lock({ role: "brief" });
    await assert.rejects(issue(bot, { roles: ["brief"] }), {
      code: "access_denied",
      message: 'role "brief" is locked: under suspicion',
    });
    assert.deepEqual((await issue(bot, { roles: ["staging"] })).roles, ["staging"]);
    await bench.admin().resources.delete({ kind: "lock", name });
  });

  const faults = [
    ["no key", {}, /tls_public_key, ssh_public_key or both/],
    ["a key that is none", { tlsPublicKey: Buffer.from("nonsense") }, /./],
    ["an SSH key that is none", { sshPublicKey: "ssh-rsa AAAA" }, /./],
    ["an application without a TLS key", { sshPublicKey, appName: "web" }, /needs tls_public_key/],
    ["a thousand roles", { sshPublicKey, roles: Array.from({ length: 1_000 }, () => "x") }, /100/],
  ] as const;
  for (const [fault, request, message] of faults) {
    it(`refuses ${fault}`, async () => {
      await assert.rejects(bot.auth.issueCertificates(request), {
        code: "bad_parameter",
        message,
      });
    });
  }

  it("tells the audit log what was issued, and to whom, before it is issued", async () => {
    const before = (await bench.events("cert.issue")).length;
    await issue(bot, { roles: ["staging"], appName: "web", ttlSeconds: 60, allowReissue: true });
    const event = (await bench.events("cert.issue"))[before];
    assert.deepEqual(event?.fields, {
      roles: ["staging"],
      app: "web",
      ttl_seconds: 60,
      key_fingerprint: sha256Hex(tlsPublicKey),
      allow_reissue: true,
    });
    const { botInstanceId } = robot;
    assert.deepEqual(event.actor, { kind: "bot", name: "robot", instance_id: botInstanceId });
    assert.equal(event.remote_addr, "127.0.0.1");
  });

  it("tells the audit log what was refused, and signs nothing", async () => {
    const issuedBefore = (await bench.events("cert.issue")).length;
    const refusedBefore = (await bench.events("cert.issue.denied")).length;
    await assert.rejects(issue(bot, { roles: ["production"] }));
    const refused = (await bench.events("cert.issue.denied")).slice(refusedBefore);
    assert.equal(refused.length, 1);
    assert.deepEqual(refused[0]?.fields.roles, ["production"]);
    assert.equal((await bench.events("cert.issue")).length, issuedBefore);
    assert.deepEqual(await bench.events("auth.denied"), []);
  });

  it("keeps certificates valid for what the clock says", async () => {
    const identity = await issue(bot, { roles: ["staging"] });
    assert.ok(Math.abs(identity.expires - clock.now() - HOUR_MS) < 1_000);
  });
});

function identityWithoutExpiry(identity: UserIdentity): UserClaims {
  const { expires: _, ...claims } = identity;
  return claims;
}
