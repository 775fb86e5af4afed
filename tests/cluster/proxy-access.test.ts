import assert from "node:assert/strict";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import tls from "node:tls";
import { codeOf, systemClock } from "#base/kernel";
import { REVERSE_ALPN } from "#services/tunnel";
import { dialDirect, echoApplication, routeClient, type TestServer } from "#testing/applications";
import { startCluster, type TestCluster } from "#testing/cluster";
import { TestIdentities, type TestIdentity } from "#testing/identities";
import { TestAuthority } from "#testing/tls";
import { until } from "#testing/wait";

describe("who reaches an application", () => {
  let cluster: TestCluster;
  let foreign: TestIdentities;
  let echo: TestServer;

  before(async () => {
    echo = await echoApplication();
    cluster = await startCluster();
    foreign = await TestIdentities.open(systemClock);
    await cluster.role("dev", { env: ["dev"] });
    await cluster.role("other", { env: ["other"] });
    const uri = `tcp://127.0.0.1:${echo.port}`;
    await cluster.serve([
      { name: "echo", uri, labels: { env: "dev" } },
      { name: "web", uri: "http://127.0.0.1:1", labels: { env: "dev" } },
    ]);
  });
  after(async () => {
    await cluster[Symbol.asyncDispose]();
    await echo[Symbol.asyncDispose]();
    await foreign.store[Symbol.asyncDispose]();
  });

  const allowed = (): TestIdentity => cluster.identities.user({ roles: ["dev"], appName: "echo" });

  /** What comes back; empty when the proxy hangs up. */
  async function direct(options: tls.ConnectionOptions, app = "echo"): Promise<string> {
    const socket = dialDirect(cluster, app, options);
    socket.end("hello");
    return text(socket).catch(() => "");
  }

  async function routed(identity: TestIdentity): Promise<string> {
    await using client = routeClient(cluster, identity);
    try {
      const stream = await client.connect();
      stream.end("hello");
      return await text(stream);
    } catch (error) {
      return codeOf(error);
    }
  }

  test("who holds a certificate for it, and a role that allows its labels", async () => {
    assert.equal(await direct(allowed()), "hello");
    assert.equal(await routed(allowed()), "hello");
  });

  const user = (about: object, ttlMs?: number): TestIdentity =>
    cluster.identities.user({ roles: ["dev"], appName: "echo", ...about }, ttlMs);
  const refusals: [string, () => TestIdentity, string][] = [
    ["a role that does not allow it", () => user({ roles: ["other"] }), "access_denied"],
    ["a role that does not exist", () => user({ roles: ["gone"] }), "access_denied"],
    ["no role", () => user({ roles: [] }), "access_denied"],
    [
      "a certificate of another cluster",
      () => foreign.user({ roles: ["dev"], appName: "echo" }),
      "unavailable",
    ],
    ["a host's certificate", () => cluster.identities.host(), "unavailable"],
  ];
  for (const [what, identity, code] of refusals)
    test(`not who has ${what}`, async () => {
      const before = echo.accepted();
      assert.equal(await direct(identity()), "");
      assert.equal(await routed(identity()), code);
      assert.equal(echo.accepted(), before);
    });

  test("not who has a certificate for another application", async () => {
    const before = echo.accepted();
    assert.equal(await direct(user({ appName: "web" })), "");
    assert.match(await routed(user({ appName: "web" })), /^HTTP/);
    assert.equal(echo.accepted(), before);
  });

  test("not who has no certificate", async () => {
    assert.equal(await direct({}), "");
  });

  test("not who has signed the certificate", async () => {
    assert.equal(await direct(new TestAuthority().issue("clientAuth")), "");
  });

  test("not who has a certificate without a route, also not by a routed session", async () => {
    const identity = cluster.identities.user({ roles: ["dev"] });
    assert.equal(await direct(identity), "");
    assert.equal(await routed(identity), "access_denied");
  });

  test("and an HTTP client hears of its refusal, the same for all causes", async () => {
    const answers = new Set<string>();
    for (const options of [
      {},
      foreign.user(),
      cluster.identities.host(),
      user({ appName: "db" }),
    ]) {
      const socket = dialDirect(cluster, "web", options);
      socket.write("GET / HTTP/1.1\r\nHost: web\r\n\r\n");
      answers.add(await text(socket));
    }
    const unknown = dialDirect(cluster, "no-such-app", user({}));
    answers.add(await text(unknown));
    assert.equal(answers.size, 1);
    assert.match([...answers][0]!, /^HTTP\/1\.1 403 Forbidden\r\n/);
  });

  test("and who holds a good certificate hears that no agent serves the application", async () => {
    const socket = dialDirect(cluster, "gone", user({ appName: "gone" }));
    assert.match(await text(socket), /^HTTP\/1\.1 404 [^]*no agent serves this application/);
    assert.equal(await routed(user({ appName: "gone" })), "not_found");
  });

  test("and the audit log holds start, end with bytes, and each denial with its reason", async () => {
    const name = "robot";
    const identity = user({ user: "bot-robot", botName: name });
    assert.equal(await direct(identity), "hello");
    const ends = async (): Promise<readonly Record<string, unknown>[]> =>
      (await cluster.events("app.session.end")).filter(
        ({ actor }) => (actor as { name: string }).name === name,
      );
    await until("the end is told", async () => (await ends()).length > 0);
    const [end] = (await ends()) as [Record<string, Record<string, unknown>>];
    assert.equal(end["fields"]!["bytes_up"], 5);
    assert.equal(end["fields"]!["bytes_down"], 5);
    assert.equal(end["remote_addr"], "127.0.0.1");
    const starts = await cluster.events("app.session.start");
    const ids = starts.map(({ fields }) => (fields as { session_id: string }).session_id);
    assert.ok(ids.includes(String(end["fields"]!["session_id"])));
    await direct(user({ roles: ["other"], user: "bot-stranger", botName: "stranger" }));
    const denied = await cluster.events("app.session.denied");
    const mine = denied.filter(({ actor }) => (actor as { name: string }).name === "stranger");
    assert.deepEqual(
      mine.map(({ fields }) => fields),
      [{ app: "echo", reason: "no role allows the application" }],
    );
  });

  describe("and who opens a reverse tunnel", () => {
    async function reverse(options: tls.ConnectionOptions): Promise<boolean> {
      const socket = tls.connect({
        ...cluster.address,
        servername: cluster.identities.serverName,
        ca: cluster.identities.hostCa,
        ALPNProtocols: [REVERSE_ALPN],
        ...options,
      } as tls.ConnectionOptions);
      socket.on("error", () => {});
      const connected = cluster.cluster.proxy.agents.length;
      const closed = once(socket, "close").then(() => false);
      socket.resume();
      const opened = until("it is in the pool", () => {
        if (cluster.cluster.proxy.agents.length > connected) return true;
        return socket.destroyed || undefined;
      }).then(() => !socket.destroyed);
      const result = await Promise.race([closed, opened]);
      socket.destroy();
      await closed;
      return result;
    }

    const cases: [string, () => tls.ConnectionOptions, boolean][] = [
      ["an agent", () => cluster.identities.host(), true],
      ["a user", () => cluster.identities.user(), false],
      ["nobody", () => ({}), false],
      ["another cluster's agent", () => foreign.host(), false],
      ["who signed the certificate", () => new TestAuthority().issue("clientAuth"), false],
    ];
    for (const [who, identity, opens] of cases)
      test(`${who}: ${opens ? "yes" : "no"}`, async () => {
        assert.equal(await reverse(identity()), opens);
        await until("the pool forgot it", () => cluster.cluster.proxy.agents.length === 1);
      });

    test("a locked agent: no", async () => {
      const identity = cluster.identities.host({ hostId: "10c0ed00-0000-4000-8000-000000000000" });
      await cluster.lock({ server_id: "10c0ed00-0000-4000-8000-000000000000" });
      await until("it is refused", async () => !(await reverse(identity)));
    });
  });
});
