import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, test } from "node:test";
import { parseValue } from "#base/config";
import { silentLogger, systemClock } from "#base/kernel";
import { Metrics } from "#base/observe";
import { dialDirect, echoApplication, type TestServer } from "#testing/applications";
import { IdentityMaker } from "#testing/identities";
import { until } from "#testing/wait";
import { configuration } from "../../src/programs/tenon/configuration.ts";
import { Context } from "../../src/programs/tenon/context.ts";
import { settingsOf } from "../../src/programs/tenon/settings.ts";

describe("a cluster with an agent in its own process", () => {
  let echo: TestServer;
  let dataDir: string;
  beforeEach(async () => {
    echo = await echoApplication();
    dataDir = await mkdtemp(join(tmpdir(), "tenon-service-"));
  });
  afterEach(async () => {
    await echo[Symbol.asyncDispose]();
    await rm(dataDir, { recursive: true });
  });

  async function start(): Promise<Context> {
    const value = {
      cluster_name: "example.test",
      data_dir: dataDir,
      diag_addr: "127.0.0.1:0",
      proxy_service: { listen_addr: "127.0.0.1:0" },
      app_service: { apps: [{ name: "echo", uri: `tcp://127.0.0.1:${echo.port}` }] },
    };
    const read = parseValue({ value, what: "the test", schema: configuration });
    return Context.start({
      settings: await settingsOf(read, { env: {}, root: false }),
      hostname: "test",
      clock: systemClock,
      random: Math.random,
      logger: silentLogger,
      metrics: new Metrics(),
      drainMs: 200,
    });
  }

  async function serves(context: Context): Promise<void> {
    const { proxy, authorities } = context.cluster!;
    const address = { host: "127.0.0.1", port: proxy.port };
    const holder = new IdentityMaker(authorities).user({ roles: ["access"], appName: "echo" });
    const answer = await until("the application answers", async () => {
      const socket = dialDirect({ address }, "echo", holder);
      socket.end("hello");
      return (await text(socket).catch(() => "")) === "hello";
    });
    assert.ok(answer);
  }

  test("serves its applications with a token that it makes itself, also after a restart", async () => {
    for (const when of ["first", "again"]) {
      await using context = await start();
      await serves(context);
      assert.equal(context.cluster!.isNew, when === "first");
      assert.equal(await context.cluster!.store.count({ kind: "token" }), 0);
    }
  });

  test("is ready when its application is", async () => {
    await using context = await start();
    const url = `http://127.0.0.1:${context.diagnostics!.port}/readyz`;
    await until("it is ready", async () => (await fetch(url)).ok);
    await serves(context);
  });
});
