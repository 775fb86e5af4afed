import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, test } from "node:test";
import { codeOf } from "#base/kernel";
import {
  dialDirect,
  echoApplication,
  routeClient,
  tcpApplication,
  type TestServer,
} from "#testing/applications";
import { startCluster, type TestCluster } from "#testing/cluster";
import type { TestIdentity } from "#testing/identities";
import { until } from "#testing/wait";

describe("when a part restarts", () => {
  let echo: TestServer;
  let directory: string;

  beforeEach(async () => {
    echo = await echoApplication();
    directory = await mkdtemp(join(tmpdir(), "tenon-restart-"));
  });
  afterEach(async () => {
    await echo[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  const app = (): { name: string; uri: string } => ({
    name: "echo",
    uri: `tcp://127.0.0.1:${echo.port}`,
  });
  const identityFor = (cluster: TestCluster): TestIdentity =>
    cluster.identities.user({ roles: ["all"], appName: "echo" });

  async function says(cluster: TestCluster, identity: TestIdentity): Promise<string> {
    const socket = dialDirect(cluster, "echo", identity);
    socket.end("hello");
    return text(socket).catch(codeOf);
  }

  test("the proxy, the agent comes back by itself, and so does a bot's tunnel", async () => {
    let cluster = await startCluster({ dataDir: directory });
    await cluster.role("all");
    const { port } = cluster.address;
    const identity = identityFor(cluster);
    const agent = await cluster.serve([app()], { keep: true });
    await using bot = routeClient(cluster, identity);
    await using _agent = agent;
    assert.equal(await says(cluster, identity), "hello");
    await cluster[Symbol.asyncDispose]();
    await until("the agent noticed", () => agent.agent.status.status === "unhealthy");
    cluster = await startCluster({ dataDir: directory, port });
    await using _cluster = cluster;
    await until("the agent is back", () => agent.agent.status.status === "healthy");
    assert.equal(await says(cluster, identity), "hello");
    const stream = await bot.connect();
    stream.end("and through the tunnel");
    assert.equal(await text(stream), "and through the tunnel");
  });

  test("the agent, it is the same agent, and needs no new token", async () => {
    await using cluster = await startCluster();
    await cluster.role("all");
    const identity = identityFor(cluster);
    const first = await cluster.serve([app()], { dataDir: directory });
    const hosts = cluster.cluster.proxy.agents;
    await first[Symbol.asyncDispose]();
    await until("it is gone", () => cluster.cluster.proxy.agents.length === 0);
    const tokens = (await cluster.admin.resources.list({ kind: "token" })).documents.length;
    await cluster.serve([app()], { dataDir: directory });
    assert.deepEqual(cluster.cluster.proxy.agents, hosts);
    assert.equal((await cluster.admin.resources.list({ kind: "token" })).documents.length, tokens);
    assert.equal(await says(cluster, identity), "hello");
  });

  test("the agent, another one of the same application takes over", async () => {
    await using cluster = await startCluster();
    await cluster.role("all");
    const identity = identityFor(cluster);
    const first = await cluster.serve([app()]);
    await cluster.serve([app()]);
    await first[Symbol.asyncDispose]();
    for (let time = 0; time < 5; time += 1) assert.equal(await says(cluster, identity), "hello");
  });

  test("the agent, what is open ends first, if it ends soon", async () => {
    await using cluster = await startCluster();
    await cluster.role("all");
    const agent = await cluster.serve([app()], { drainMs: 10_000 });
    const socket = dialDirect(cluster, "echo", identityFor(cluster));
    socket.write("first ");
    await once(socket, "data");
    const stopped = agent[Symbol.asyncDispose]();
    socket.end("last");
    assert.equal(await text(socket), "last");
    await stopped;
  });

  test("the proxy, what is open ends first, if it ends soon, and nothing new is taken", async () => {
    const cluster = await startCluster({ drainMs: 10_000 });
    await cluster.role("all");
    await cluster.serve([app()], { drainMs: 10_000 });
    const identity = identityFor(cluster);
    const { address, identities } = cluster;
    const direct = dialDirect(cluster, "echo", identity);
    await using bot = routeClient({ address, identities }, identity);
    const routed = await bot.connect();
    for (const stream of [direct, routed]) {
      stream.write("first ");
      await once(stream, "data");
    }
    const drained = cluster.cluster.drain(10_000);
    await until("the port is shut", async () => (await says(cluster, identity)) !== "hello");
    for (const stream of [direct, routed]) {
      stream.end("last");
      assert.equal(await text(stream), "last");
    }
    await drained;
    await cluster[Symbol.asyncDispose]();
  });

  test("and the time of a drain is up, what is still open is cut", async () => {
    await using stuck = await tcpApplication((socket) => socket.resume());
    const cluster = await startCluster({ drainMs: 50 });
    await cluster.role("all");
    await cluster.serve([{ name: "echo", uri: `tcp://127.0.0.1:${stuck.port}` }]);
    const socket = dialDirect(cluster, "echo", identityFor(cluster));
    socket.on("error", () => {});
    socket.write("x");
    await until("it is through", () => stuck.open() === 1);
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.resume();
    await cluster[Symbol.asyncDispose]();
    await closed;
  });
});
