// Programs of a machine that get credentials from a bot's socket.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import {
  generateKeyPair,
  parseSshCertificate,
  parseX509,
  spkiDer,
  sshPublicKeyLine,
} from "#base/crypto";
import { connectLocal, type LocalTransport } from "#base/local";
import { verifyClientCertificate, type UserIdentity } from "#domain/authority";
import { createClient, type Client } from "@connectrpc/connect";
import { CredentialService } from "@tenon/api/tenon/tbot/v1/credential";
import { TestBot, type TestBotOptions } from "#testing/bot";
import { startCluster, type TestCluster } from "#testing/cluster";
import { needs } from "#testing/needs";
import { until } from "#testing/wait";

const run = promisify(execFile);
const tlsPublicKey = spkiDer(generateKeyPair("ecdsa-p256").publicKey);
const sshPublicKey = sshPublicKeyLine(generateKeyPair("ed25519").publicKey);
type Request = Exclude<
  Parameters<Client<typeof CredentialService>["generateIdentity"]>[0],
  { readonly $typeName: string }
>;
const seconds = (count: number) => ({ seconds: BigInt(count), nanos: 0 });

describe("the credential API", () => {
  let cluster: TestCluster;
  let bot: TestBot;
  const transports: LocalTransport[] = [];

  const clientOf = async (path: string): Promise<Client<typeof CredentialService>> => {
    const transport = await connectLocal(path);
    transports.push(transport);
    return createClient(CredentialService, transport);
  };
  const socket = (name: string): Promise<Client<typeof CredentialService>> =>
    clientOf(join(bot.directory, name));
  const start = async (options: Omit<TestBotOptions, "cluster">): Promise<TestBot> =>
    await TestBot.start({ cluster, ...options });
  const identityOf = (der: Uint8Array): UserIdentity => {
    const verified = verifyClientCertificate(der, cluster.trust, Date.now());
    assert.equal(verified.kind, "user");
    return verified.identity;
  };

  before(async () => {
    cluster = await startCluster();
    for (const role of ["all", "other"]) await cluster.role(role);
    await cluster.serve([{ name: "web", uri: "http://127.0.0.1:9" }]);
    bot = await start({
      roles: ["all", "other"],
      services: [],
      sockets: [
        { path: "{dir}/any.sock" },
        { path: "unix://{dir}/one.sock", roles: ["other"], max_ttl: "10m", name: "one" },
      ],
    });
    await bot.healthy("credential-api-1");
    await bot.healthy("one");
  });
  after(async () => {
    for (const transport of transports) transport[Symbol.dispose]();
    await bot[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });

  test("certifies the caller's keys, with all of the bot's roles for an hour", async () => {
    const client = await socket("any.sock");
    const given = await client.generateIdentity({ tlsPublicKey, sshPublicKey });
    assert.deepEqual(Buffer.from(parseX509(given.tlsCertificate).spki), tlsPublicKey);
    assert.equal(parseSshCertificate(given.sshCertificate).publicKeyLine, sshPublicKey);
    const identity = identityOf(given.tlsCertificate);
    assert.deepEqual([...identity.roles].sort(), ["all", "other"]);
    assert.equal(identity.allowReissue, false);
    assert.equal(given.trust?.clusterName, "example.test");
    assert.equal(given.proxyAddr, `127.0.0.1:${cluster.address.port}`);
    const left = Number(given.expires?.seconds) - Date.now() / 1_000;
    assert.ok(left > 3_500 && left <= 3_600, `${left} s left`);
  });

  test("gives an SSH certificate alone", async () => {
    const given = await (await socket("any.sock")).generateIdentity({ sshPublicKey });
    assert.equal(given.tlsCertificate.length, 0);
    assert.ok(Number(given.expires?.seconds) > Date.now() / 1_000);
  });

  test("gives the socket's roles and its longest life where nothing is asked for", async () => {
    const given = await (await socket("one.sock")).generateIdentity({ tlsPublicKey });
    assert.deepEqual(identityOf(given.tlsCertificate).roles, ["other"]);
    const left = Number(given.expires?.seconds) - Date.now() / 1_000;
    assert.ok(left > 590 && left <= 600, `${left} s left`);
  });

  test("gives what is asked for within the socket's limits", async () => {
    const client = await socket("one.sock");
    const application = { case: "application", value: { name: "web" } } as const;
    const given = await client.generateIdentity({
      tlsPublicKey,
      roles: ["other"],
      ttl: seconds(60),
      route: application,
    });
    const identity = identityOf(given.tlsCertificate);
    assert.deepEqual([identity.roles, identity.appName], [["other"], "web"]);
    assert.ok(identity.expires - Date.now() <= 60_000);
  });

  const refusals: readonly [string, Partial<Request>, string, RegExp][] = [
    [
      "a role beyond the socket's",
      { roles: ["other", "all"] },
      "access_denied",
      /role "all".*other/,
    ],
    ["a longer life", { ttl: seconds(601) }, "bad_parameter", /ttl of 10m1s.*10m/],
    ["a negative life", { ttl: seconds(-1) }, "bad_parameter", /-1000 ms/],
    ["no key", { tlsPublicKey: new Uint8Array() }, "bad_parameter", /give tls_public_key/],
    ["a key that is none", { tlsPublicKey: Buffer.from("x") }, "bad_parameter", /key/],
    [
      "an application that does not exist, with near names",
      { route: { case: "application", value: { name: "wep" } } },
      "not_found",
      /no agent serves application "wep".*web/,
    ],
    [
      "a route without a name",
      { route: { case: "application", value: {} } },
      "bad_parameter",
      /names no application/,
    ],
  ];
  for (const [what, request, code, message] of refusals)
    test(`refuses ${what}`, async () => {
      const client = await socket("one.sock");
      await assert.rejects(client.generateIdentity({ tlsPublicKey, ...request }), {
        code,
        message,
      });
    });

  test("refuses a role that the bot does not have, in the cluster's words", async () => {
    const client = await socket("any.sock");
    await assert.rejects(client.generateIdentity({ tlsPublicKey, roles: ["editor"] }), {
      code: "access_denied",
      message: /bot "robot" may not use role "editor"; it may use all, other/,
    });
  });

  test(
    "is plain HTTP with JSON for curl, and the audit log names curl",
    needs("curl"),
    async () => {
      const body = { tlsPublicKey: tlsPublicKey.toString("base64"), ttl: "60s" };
      const { stdout } = await run("curl", [
        "-s",
        "--unix-socket",
        join(bot.directory, "any.sock"),
        "-d",
        JSON.stringify(body),
        "http://bot/tenon.tbot.v1.CredentialService/GenerateIdentity",
      ]);
      const given = JSON.parse(stdout) as { tlsCertificate: string };
      assert.equal(identityOf(Buffer.from(given.tlsCertificate, "base64")).botName, "robot");
      const { events } = await cluster.admin.auth.searchEvents({ type: "cert.issue", pageSize: 1 });
      const { fields } = JSON.parse(events[0]!) as {
        fields: { requester: { told_by: string; uid: number; pid: number; executable: string } };
      };
      const { told_by: teller, uid, executable } = fields.requester;
      assert.deepEqual([teller, uid], ["bot", process.getuid?.()]);
      assert.match(executable, /\/curl$/);
    },
  );

  test("tells what the bot trusts", async () => {
    const trust = await (await socket("one.sock")).getTrust({});
    assert.deepEqual(
      trust.hostX509.map((der) => Buffer.from(der)),
      cluster.trust.hostX509,
    );
  });

  test("tells its watchers when everything is to be renewed, and forgets those that left", async () => {
    const client = await socket("any.sock");
    const leave = new AbortController();
    const seen: boolean[] = [];
    const watching = (async () => {
      const messages = client.watchRotation({}, { signal: leave.signal });
      for await (const { begun } of messages) seen.push(begun);
    })();
    await until("the watch stands", () => seen.length === 1);
    bot.bot.renewNow();
    await until("the renewal was told", () => seen.length === 2);
    assert.deepEqual(seen, [true, false]);
    leave.abort();
    await assert.rejects(watching, { code: "canceled" });
  });

  test("survives callers that leave in the middle", async () => {
    const client = await socket("any.sock");
    const calls = Array.from({ length: 20 }, async (_, index) => {
      const leave = new AbortController();
      const call = client.generateIdentity({ tlsPublicKey }, { signal: leave.signal });
      if (index % 2 === 0) setImmediate(() => leave.abort());
      await call.catch(() => {});
    });
    await Promise.all(calls);
    assert.ok((await client.generateIdentity({ tlsPublicKey })).tlsCertificate.length > 0);
    assert.equal(bot.state("credential-api-1"), "healthy");
  });

  test("is spawned like every other service, and stopped", async () => {
    const path = join(bot.directory, "spawned.sock");
    const spawned = await bot.bot.spawn(`- { type: credential-api, path: ${path}, roles: [all] }`);
    assert.equal(spawned.outcome, "ready");
    const client = await clientOf(path);
    const watching = client.watchRotation({})[Symbol.asyncIterator]();
    assert.equal((await watching.next()).value?.begun, true);
    const next = watching.next();
    await Promise.all([
      bot.bot.stop(spawned.services[0]!.name),
      assert.rejects(next, { code: "unavailable" }),
    ]);
    await assert.rejects(client.getTrust({}), { code: "unavailable", message: /no such socket/ });
  });

  test("stands in the configuration that resumes the bot", () => {
    assert.match(
      bot.bot.configuration(),
      /type: credential-api\n.*name: one\n.*path: .*one\.sock/s,
    );
  });

  test("has a path that no other service has", async () => {
    const path = join(bot.directory, "any.sock");
    const spawned = await bot.bot.spawn(`- { type: credential-api, path: "${path}" }`);
    assert.equal(spawned.outcome, "failed");
    assert.match(spawned.services[0]?.reason ?? "", /is taken by service "credential-api-1"/);
  });

  test("cannot have a path that is too long, or a directory that is open to others", async () => {
    await mkdir(join(bot.directory, "open"));
    await chmod(join(bot.directory, "open"), 0o777);
    for (const [name, reason] of [
      ["x".repeat(200), /107 is the most/],
      ["open/s", /is open to other users/],
    ] as const) {
      const path = join(bot.directory, name);
      const spawned = await bot.bot.spawn(`- { type: credential-api, path: "${path}" }`);
      const [service] = spawned.services;
      assert.equal(service?.state, "failed");
      assert.match(service.reason ?? "", reason);
      await bot.bot.stop(service.name);
    }
  });

  test("waits for a path that another process holds", async () => {
    await using other = await start({
      name: "second",
      services: [{ type: "credential-api", path: join(bot.directory, "any.sock") }],
    });
    await until("it says so", () => other.state("credential-api-1") === "unhealthy");
    assert.match(other.reason("credential-api-1") ?? "", /another process already serves/);
  });

  test("says that the bot has not joined yet, and why", async () => {
    await using stranger = await start({
      join: { method: "token", token: "wrong" },
      services: [],
      sockets: [{ path: "{dir}/s.sock" }],
    });
    await until("its join failed", () => stranger.state("bot-identity") === "unhealthy");
    assert.equal(stranger.state("credential-api-1"), "initializing");
    const client = await clientOf(join(stranger.directory, "s.sock"));
    const refused = { code: "unavailable", message: /has not joined the cluster yet: / };
    await assert.rejects(client.generateIdentity({ tlsPublicKey }), refused);
    await assert.rejects(client.getTrust({}), { code: "unavailable" });
  });

  test("says that the bot is locked", async () => {
    await using locked = await start({
      name: "locked",
      services: [],
      sockets: [{ path: "{dir}/s.sock" }],
    });
    await locked.healthy("credential-api-1");
    const client = await clientOf(join(locked.directory, "s.sock"));
    await client.generateIdentity({ tlsPublicKey });
    await cluster.lock({ user: "bot-locked" }, "for the test");
    await until("a call is refused", async () => {
      const error: unknown = await client
        .generateIdentity({ tlsPublicKey })
        .catch((error) => error);
      return error instanceof Error && /lock/.test(error.message);
    });
  });
});
