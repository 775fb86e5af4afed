import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import http from "node:http";
import net from "node:net";
import { join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { parseX509 } from "#base/crypto";
import { decodeIdentityFile } from "#domain/authority";
import { echoApplication, httpApplication, type TestServer } from "#testing/applications";
import { TestBot } from "#testing/bot";
import { startCluster, type TestCluster } from "#testing/cluster";
import { until } from "#testing/wait";

describe("a bot", () => {
  let cluster: TestCluster;
  let web: TestServer;
  let echo: TestServer;

  before(async () => {
    web = await httpApplication((request, response) => void request.pipe(response));
    echo = await echoApplication();
    cluster = await startCluster();
    await cluster.role("all");
    await cluster.role("none", {});
    await cluster.serve([
      { name: "web", uri: `http://127.0.0.1:${web.port}` },
      { name: "echo", uri: `tcp://127.0.0.1:${echo.port}` },
    ]);
  });
  after(async () => {
    await cluster[Symbol.asyncDispose]();
    await web[Symbol.asyncDispose]();
    await echo[Symbol.asyncDispose]();
  });

  const start = async (
    name: string,
    services: readonly object[],
    more: { roles?: string[]; oneshot?: boolean } = {},
  ): Promise<TestBot> => await TestBot.start({ cluster, name, services, ...more });

  test("joins, and writes an identity whose parts belong together", async () => {
    await using bot = await start("identity", [{ type: "identity", destination: "{dir}/out" }]);
    await bot.healthy("identity-1");
    const identity = decodeIdentityFile(
      await readFile(join(bot.directory, "out/identity"), "utf8"),
    );
    assert.equal(identity.trust.clusterName, "example.test");
    assert.notEqual(identity.sshCertificate, "");
    for (const name of [
      "key",
      "key.pub",
      "key-cert.pub",
      "tlscert",
      "known_hosts",
      "ssh_config",
      "tenon-host-ca.crt",
    ])
      assert.ok((await readFile(join(bot.directory, "out", name))).length > 0, name);
  });

  test("renews everything when it is asked to", async () => {
    await using bot = await start("renewing", [{ type: "identity", destination: "{dir}/out" }]);
    await bot.healthy("identity-1");
    const certificate = async (): Promise<string> =>
      await readFile(join(bot.directory, "out/tlscert"), "utf8");
    const first = await certificate();
    bot.bot.renewNow();
    await until("another certificate is there", async () => (await certificate()) !== first);
    const generations = (await cluster.events("bot.join")).filter((event) =>
      JSON.stringify(event).includes('"bot":"renewing"'),
    );
    assert.equal(generations.length, 2);
  });

  test("carries large bodies both ways through a tunnel to an HTTP application", async () => {
    await using bot = await start("large", [tunnel("web")]);
    await bot.healthy("app-tunnel-1");
    const body = randomBytes(8 * 1024 * 1024);
    const request = http.request({
      socketPath: join(bot.directory, "web.sock"),
      method: "POST",
      path: "/",
      agent: false,
    });
    request.end(body);
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    assert.equal(hash(await buffer(response)), hash(body));
  });

  test("passes an end of one direction alone", async () => {
    await using bot = await start("half", [tunnel("echo")]);
    await bot.healthy("app-tunnel-1");
    const socket = net.connect({ path: join(bot.directory, "echo.sock"), allowHalfOpen: true });
    socket.end("said before the end");
    assert.equal(await text(socket), "said before the end");
  });

  test("does its work once and ends, when it is a one-shot", async () => {
    await using bot = await start(
      "once",
      [{ type: "application", app_name: "web", destination: "{dir}/out" }],
      { oneshot: true },
    );
    await bot.ended;
    const [der] = [await readFile(join(bot.directory, "out/tlscert"))];
    assert.match(der.toString(), /BEGIN CERTIFICATE/);
  });

  test("a one-shot that cannot do its work fails, and says what was meant", async () => {
    await using bot = await start(
      "never",
      [{ type: "application", app_name: "wed", destination: "{dir}/out" }],
      { oneshot: true },
    );
    await assert.rejects(bot.ended, { code: "unavailable", message: /app-1: .*"wed".*web/s });
  });

  test("is unhealthy, with the reason, where its roles open nothing", async () => {
    await using bot = await start("poor", [tunnel("web")], { roles: ["none"] });
    await until("a refusal", () => bot.state("app-tunnel-1") === "unhealthy");
    assert.match(bot.reason("app-tunnel-1")!, /web/);
  });

  test("one service that cannot write does not touch the others", async () => {
    await using bot = await start("partly", [
      { type: "identity", name: "bad", destination: "/dev/null/out" },
      { type: "identity", name: "good", destination: "{dir}/out" },
    ]);
    await bot.healthy("good");
    await until("the other says so", () => bot.state("bad") === "unhealthy");
    assert.match(bot.reason("bad")!, /\/dev\/null\/out/);
  });

  test("a lock cuts its connections within a second, shows in its readiness, and its removal heals", async () => {
    await using bot = await start("locked", [tunnel("echo")]);
    await bot.healthy("app-tunnel-1");
    await bot.healthy("bot-identity");
    const socket = net.connect(join(bot.directory, "echo.sock"));
    socket.on("error", () => {});
    socket.write("hello");
    await once(socket, "data");
    const locked = performance.now();
    const lock = await cluster.lock({ user: "bot-locked" }, "testing locks");
    await once(socket, "close");
    assert.ok(performance.now() - locked < 1_000, `took ${performance.now() - locked} ms`);
    await until("the readiness says so", () => bot.state("bot-identity") === "unhealthy");
    assert.match(bot.reason("bot-identity")!, /testing locks/);
    await cluster.admin.resources.delete({ kind: "lock", name: lock });
    await bot.healthy("bot-identity");
    const again = net.connect(join(bot.directory, "echo.sock"));
    again.write("back");
    const [data] = (await once(again, "data")) as [Buffer];
    assert.equal(data.toString(), "back");
    again.destroy();
  });

  test("its heartbeat shows in its instance", async () => {
    await using bot = await start("beating", [{ type: "identity", destination: "{dir}/out" }]);
    await bot.healthy("identity-1");
    const health = await until("a heartbeat", async () => {
      for await (const instance of cluster.resources.all("bot_instance", { prefix: "beating:" })) {
        if (instance.status?.latest_heartbeats.length) return instance.status;
      }
      return undefined;
    });
    assert.deepEqual(health.service_health.map(({ name, status }) => `${name} ${status}`).sort(), [
      "bot-identity healthy",
      "identity-1 healthy",
    ]);
    assert.equal(health.latest_heartbeats[0]!.hostname, "test");
  });

  test("outputs carry no generation and may not be used to ask for more", async () => {
    await using bot = await start("outputs", [{ type: "identity", destination: "{dir}/out" }]);
    await bot.healthy("identity-1");
    const { tlsCertificate } = decodeIdentityFile(
      await readFile(join(bot.directory, "out/identity"), "utf8"),
    );
    assert.ok(parseX509(tlsCertificate).notAfter > Date.now());
  });
});

const tunnel = (app: string): object => ({
  type: "application-tunnel",
  app_name: app,
  listen: `unix://{dir}/${app}.sock`,
});
const hash = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
