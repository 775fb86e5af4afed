import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  alice,
  bothKeys,
  CLUSTER,
  HOUR_MS,
  newAuthorities,
  openAuthorities,
} from "#testing/authorities";
import { parseSshCertificate, parseX509, verifySshCertificate } from "#base/crypto";
import { importJWK, jwtVerify, type JWK } from "jose";
import { MAX_TTL_MS } from "./trust.ts";
import type { UserClaims } from "./identity.ts";
import { HOST_SERVER_NAME } from "./trust.ts";
import { verifyClientCertificate } from "./verify.ts";

const { tlsPublicKey, sshPublicKey } = bothKeys;
const badParameter = { code: "bad_parameter" };
const HOST_ID = "9c1f6d0e-5a53-4a0e-8a55-6f3a1f2d7c11";

const robot: UserClaims = {
  user: "bot-robot",
  roles: ["access", "deploy"],
  traits: { logins: ["root"] },
  logins: ["root", "deploy"],
  botName: "robot",
  botInstanceId: "1d0a9e4e-7f83-4f0a-9c59-5d1f6c3a2b10",
  generation: 3,
  joinToken: "robot-token",
  boundKeyFingerprint: "SHA256:x",
  appName: "dashboard",
  allowReissue: true,
};

describe("certificates of users", () => {
  for (const route of [
    { database: { service: "orders" } },
    { database: { service: "orders", database: "main", username: "reader" } },
    { kubernetesCluster: "main" },
  ])
    it(`say that they open ${JSON.stringify(route)}`, async () => {
      const { authorities, clock } = await newAuthorities();
      const { appName: _, ...claims } = robot;
      const { tlsCertificate, trust } = authorities.issueUser({ ...claims, ...route }, bothKeys);
      const { identity } = verifyClientCertificate(tlsCertificate, trust, clock.now());
      assert.deepEqual(identity, { ...claims, ...route, expires: clock.now() + HOUR_MS });
    });

  it("say all that was decided, in X.509 and in SSH", async () => {
    const { authorities, clock } = await newAuthorities();
    const issued = authorities.issueUser(robot, bothKeys);
    const { expires } = issued;
    assert.equal(expires, clock.now() + HOUR_MS);
    const verified = verifyClientCertificate(issued.tlsCertificate, issued.trust, clock.now());
    assert.deepEqual(verified.identity, { ...robot, expires });
    const ssh = verifySshCertificate(issued.sshCertificate, issued.trust.userSsh[0]!);
    assert.equal(ssh.type, "user");
    assert.equal(ssh.publicKeyLine, sshPublicKey);
    assert.deepEqual(ssh.principals, robot.logins);
    assert.deepEqual(ssh.criticalOptions, {});
    assert.deepEqual(ssh.extensions, {
      "permit-port-forwarding": "",
      "permit-pty": "",
      "user@tenon.dev": "bot-robot",
      "roles@tenon.dev": '["access","deploy"]',
      "traits@tenon.dev": '{"logins":["root"]}',
      "bot-name@tenon.dev": "robot",
      "bot-instance-id@tenon.dev": robot.botInstanceId,
      "generation@tenon.dev": "3",
      "join-token@tenon.dev": "robot-token",
    });
  });

  it("start one minute in the past and end in a whole second", async () => {
    const { authorities, clock } = await newAuthorities();
    clock.jump(750);
    const { tlsCertificate, sshCertificate } = authorities.issueUser(alice, bothKeys);
    const { notBefore, notAfter } = parseX509(tlsCertificate);
    const now = clock.now() - 750;
    assert.deepEqual([notBefore, notAfter], [now - 60_000, now + HOUR_MS]);
    const { validAfter, validBefore } = parseSshCertificate(sshCertificate);
    assert.deepEqual([validAfter, validBefore], [notBefore, notAfter]);
  });

  it("name a login that nobody has when there is none", async () => {
    const { authorities } = await newAuthorities();
    const { sshCertificate } = authorities.issueUser(alice, bothKeys);
    assert.deepEqual(parseSshCertificate(sshCertificate).principals, ["-tenon-nologin"]);
  });

  it("are made for the keys that are given, one or both", async () => {
    const { authorities } = await newAuthorities();
    const tls = authorities.issueUser(alice, { tlsPublicKey, ttlMs: HOUR_MS });
    assert.ok(tls.tlsCertificate.length > 0 && tls.sshCertificate === "");
    const empty = { tlsPublicKey: Buffer.alloc(0), sshPublicKey, ttlMs: HOUR_MS };
    const ssh = authorities.issueUser(alice, empty);
    assert.ok(ssh.tlsCertificate.length === 0 && ssh.sshCertificate !== "");
  });

  it("end no later than the authority", async () => {
    const { authorities, clock, store } = await newAuthorities();
    const end = parseX509(authorities.trust().userX509[0]!).notAfter;
    clock.jump(end - clock.now() - 1000);
    const late = await openAuthorities(store, clock);
    assert.equal(parseX509(late.issueUser(alice, bothKeys).tlsCertificate).notAfter, end);
  });

  it("are refused for wrong keys, times and identities", async () => {
    const { authorities } = await newAuthorities();
    const issue =
      (claims: UserClaims, over: Partial<typeof bothKeys> = {}) =>
      () =>
        authorities.issueUser(claims, { ...bothKeys, ...over });
    assert.throws(() => authorities.issueUser(alice, { ttlMs: HOUR_MS }), badParameter);
    assert.throws(issue(alice, { tlsPublicKey: tlsPublicKey.subarray(1) }), badParameter);
    assert.throws(issue(alice, { sshPublicKey: "ssh-rsa AAAA" }), badParameter);
    for (const ttlMs of [0, -1, 999, MAX_TTL_MS + 1, Number.NaN, Infinity])
      assert.throws(issue(alice, { ttlMs }), badParameter);
    assert.throws(issue({ ...alice, user: "" }), badParameter);
    assert.throws(issue({ ...alice, logins: ["root\nadmin"] }), badParameter);
    const huge = { ...alice, roles: Array.from({ length: 100 }, () => "x".repeat(400)) };
    assert.throws(issue(huge), { code: "limit_exceeded" });
  });
});

describe("certificates of hosts", () => {
  it("of a proxy name what clients expect of it", async () => {
    const { authorities, clock } = await newAuthorities();
    const host = { hostId: HOST_ID, roles: ["Proxy"] as const, dnsNames: ["tenon.example.com"] };
    const issued = authorities.issueHost({ ...host, ipAddresses: ["127.0.0.1"] }, bothKeys);
    const { dnsNames, ipAddresses } = parseX509(issued.tlsCertificate);
    assert.deepEqual(dnsNames, [
      `${HOST_ID}.${CLUSTER}`,
      "tenon.example.com",
      HOST_SERVER_NAME(CLUSTER),
    ]);
    assert.deepEqual(ipAddresses, ["127.0.0.1"]);
    const found = verifyClientCertificate(issued.tlsCertificate, issued.trust, clock.now());
    assert.deepEqual(found.identity, {
      hostId: HOST_ID,
      roles: ["Proxy"],
      expires: issued.expires,
    });
  });

  it("of an agent do not, even when asked to", async () => {
    const { authorities } = await newAuthorities();
    const agent = { hostId: HOST_ID, roles: ["App"] as const };
    const { tlsCertificate } = authorities.issueHost(agent, bothKeys);
    assert.deepEqual(parseX509(tlsCertificate).dnsNames, [`${HOST_ID}.${CLUSTER}`]);
    for (const name of [
      HOST_SERVER_NAME(CLUSTER),
      HOST_SERVER_NAME(CLUSTER).toUpperCase(),
      `*.${CLUSTER}.tenon.internal`,
      "*.tenon.internal",
    ])
      assert.throws(
        () => authorities.issueHost({ ...agent, dnsNames: [name] }, bothKeys),
        badParameter,
      );
  });

  it("take no other reserved name, not even for a proxy", async () => {
    const { authorities } = await newAuthorities();
    const proxy = { hostId: HOST_ID, roles: ["Proxy"] as const };
    const own = HOST_SERVER_NAME(CLUSTER);
    const { tlsCertificate } = authorities.issueHost({ ...proxy, dnsNames: [own] }, bothKeys);
    assert.deepEqual(parseX509(tlsCertificate).dnsNames, [`${HOST_ID}.${CLUSTER}`, own]);
    for (const name of ["auth.example.test.tenon.internal", HOST_SERVER_NAME("other.test")])
      assert.throws(
        () => authorities.issueHost({ ...proxy, dnsNames: [name] }, bothKeys),
        badParameter,
      );
  });

  it("have their names as SSH principals", async () => {
    const { authorities } = await newAuthorities();
    const node = { hostId: HOST_ID, roles: ["Node"] as const, sshPrincipals: ["node-1"] };
    const { sshCertificate, trust } = authorities.issueHost(node, bothKeys);
    const { type, principals } = verifySshCertificate(sshCertificate, trust.hostSsh[0]!);
    assert.equal(type, "host");
    assert.deepEqual(principals, [HOST_ID, `${HOST_ID}.${CLUSTER}`, "node-1"]);
  });
});

describe("tokens for applications", () => {
  it("are verified with the exported key set", async () => {
    const { authorities, clock } = await newAuthorities();
    const request = { uri: "http://127.0.0.1:8080", user: "alice", roles: ["access"], traits: {} };
    const jwt = authorities.signAppToken({ ...request, ttlMs: HOUR_MS });
    const { keys: set } = JSON.parse(authorities.exportAuthority("app")) as { keys: JWK[] };
    const { payload, protectedHeader } = await jwtVerify(jwt, await importJWK({ ...set[0] }), {
      currentDate: new Date(clock.now()),
      issuer: CLUSTER,
      audience: "http://127.0.0.1:8080",
    });
    assert.equal(payload.sub, "alice");
    assert.equal(payload.exp, (clock.now() + HOUR_MS) / 1000);
    assert.deepEqual(payload["roles"], ["access"]);
    assert.deepEqual([protectedHeader.alg, protectedHeader.kid], ["ES256", set[0]?.["kid"]]);
  });
});
