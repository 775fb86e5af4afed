import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { silentLogger } from "#base/kernel";
import { Metrics } from "#base/observe";
import { ManualClock } from "#testing/clock";
import { Diagnostics } from "./diagnostics.ts";
import { createBotMetrics } from "./metrics.ts";
import { Readiness } from "./readiness.ts";

async function setUp() {
  const readiness = new Readiness(new ManualClock());
  const metrics = new Metrics();
  const diagnostics = await Diagnostics.start({
    host: "127.0.0.1",
    port: 0,
    readiness,
    metrics,
    log: silentLogger,
    pid: 4711,
  });
  const get = async (path: string, method = "GET"): Promise<{ status: number; body: unknown }> => {
    const response = await fetch(`http://127.0.0.1:${diagnostics.port}${path}`, { method });
    const text = await response.text();
    return { status: response.status, body: path === "/metrics" ? text : JSON.parse(text) };
  };
  return {
    readiness,
    metrics,
    get,
    [Symbol.asyncDispose]: () => diagnostics[Symbol.asyncDispose](),
  };
}

suite("the diagnostics endpoints", () => {
  test("a live process says so", async () => {
    await using d = await setUp();
    assert.equal((await d.get("/livez")).status, 200);
  });

  test("ready means healthy or done, and the body says who is what since when", async () => {
    await using d = await setUp();
    d.readiness.report({ name: "a", type: "t" }, "healthy");
    d.readiness.report({ name: "b", type: "t" }, "exited");
    assert.deepEqual(await d.get("/readyz"), {
      status: 200,
      body: {
        status: "healthy",
        pid: 4711,
        services: {
          a: { status: "healthy", updated_at: "2026-01-01T00:00:00.000Z" },
          b: { status: "exited", updated_at: "2026-01-01T00:00:00.000Z" },
        },
      },
    });
  });

  test("one that is unhealthy makes the bot unready, with its reason", async () => {
    await using d = await setUp();
    d.readiness.report({ name: "a", type: "t" }, "healthy");
    d.readiness.report({ name: "b", type: "t" }, "unhealthy", "no route");
    const { status, body } = await d.get("/readyz");
    assert.equal(status, 503);
    assert.partialDeepStrictEqual(body, {
      status: "unhealthy",
      services: { b: { reason: "no route" } },
    });
    assert.equal((await d.get("/readyz/a")).status, 200);
    assert.equal((await d.get("/readyz/b")).status, 503);
  });

  test("waiting answers when the last service has reported", async () => {
    await using d = await setUp();
    d.readiness.report({ name: "a", type: "t" }, "initializing");
    const waiting = d.get("/wait");
    const other = await d.get("/readyz");
    assert.partialDeepStrictEqual(other, { status: 503, body: { status: "initializing" } });
    d.readiness.report({ name: "a", type: "t" }, "healthy");
    assert.equal((await waiting).status, 200);
  });

  test("a service is found by its encoded name too", async () => {
    await using d = await setUp();
    d.readiness.report({ name: "a+b", type: "t" }, "healthy");
    for (const path of ["/readyz/a+b", "/readyz/a%2Bb", "/wait/a+b?verbose"])
      assert.equal((await d.get(path)).status, 200, path);
  });

  const unknown: [string, string][] = [
    ["an unknown service", "/readyz/x"],
    ["an unknown service to wait for", "/wait/x"],
    ["an unknown endpoint", "/x"],
    ["a method of Object", "/constructor"],
    ["an endpoint too deep", "/readyz/a/b"],
    ["a path that is badly encoded", "/readyz/%"],
    ["a path that is none", "//"],
    ["nothing at all", ""],
  ];
  for (const [name, path] of unknown)
    test(`${name} is not found`, async () => {
      await using d = await setUp();
      assert.equal((await d.get(path)).status, 404);
    });

  test("only GET is answered", async () => {
    await using d = await setUp();
    assert.equal((await d.get("/readyz", "POST")).status, 404);
  });

  test("metrics carry the names of the specification", async () => {
    await using d = await setUp();
    const bot = createBotMetrics(d.metrics, new ManualClock());
    await bot.tasks.measure({ service: "identity-1", name: "renew" }, async () => {});
    bot.tunnels.opened("app-tunnel-1");
    const { body } = await d.get("/metrics");
    assert.match(
      String(body),
      /^tbot_task_iterations_total\{service="identity-1",name="renew"\} 1$/m,
    );
    assert.match(String(body), /^tbot_task_iterations_successful\{.*\} 1$/m);
    assert.match(String(body), /^tbot_tunnel_connections_open\{service="app-tunnel-1"\} 1$/m);
  });
});
