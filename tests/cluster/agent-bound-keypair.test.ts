import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, test } from "node:test";
import { sshFingerprint } from "#base/crypto";
import { codeOf, silentLogger, systemClock } from "#base/kernel";
import type { Token } from "#domain/resources";
import { dialDirect, echoApplication, routeClient, type TestServer } from "#testing/applications";
import { startCluster, type TestAgent, type TestCluster } from "#testing/cluster";
import { until } from "#testing/wait";
import { openAgent } from "../../src/programs/tenon/agent.ts";

type BoundStatus = NonNullable<NonNullable<Token["status"]>["bound_keypair"]>;

describe("an application agent by bound_keypair", () => {
  let echo: TestServer;
  let directory: string;
  let cluster: TestCluster;
  let agent: TestAgent;

  const app = () => ({ name: "echo", uri: `tcp://127.0.0.1:${echo.port}` });
  const serve = async (bound: { token: string; registrationSecret?: string }) =>
    await cluster.serve([app()], { keep: true, dataDir: directory, bound });

  beforeEach(async () => {
    echo = await echoApplication();
    directory = await mkdtemp(join(tmpdir(), "tenon-agent-bound-"));
    cluster = await startCluster();
    await cluster.role("all");
    const registrationSecret = "a secret of the agent";
    await cluster.put({
      kind: "token",
      version: "v2",
      metadata: { name: "web" },
      spec: {
        roles: ["App"],
        join_method: "bound_keypair",
        bound_keypair: {
          onboarding: { registration_secret: registrationSecret },
          recovery: { limit: 5 },
        },
      },
    });
    agent = await serve({ token: "web", registrationSecret });
  });
  afterEach(async () => {
    await agent[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
    await echo[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  async function says(): Promise<string> {
    const identity = cluster.identities.user({ roles: ["all"], appName: "echo" });
    const socket = dialDirect(cluster, "echo", identity);
    socket.end("hello");
    return await text(socket).catch(codeOf);
  }

  const status = async (): Promise<BoundStatus> =>
    (await cluster.resources.require("token", "web")).status!.bound_keypair!;

  test("serves, and comes back by its key alone when its certificate is gone", async () => {
    assert.equal(await says(), "hello");
    await agent[Symbol.asyncDispose]();
    const file = join(directory, "join-state.json");
    const kept = JSON.parse(await readFile(file, "utf8")) as { joined: { token: string } };
    // A certificate that another token gave is none: the join is a recovery, with its join state.
    assert.equal(kept.joined.token, "web");
    agent = await serve({ token: "web" });
    assert.equal(await says(), "hello");
    // It serves with what it kept, and refreshes meanwhile.
    await until("it has refreshed", async () => (await status()).generation === 2);
    assert.equal((await status()).recovery_count, 1);
  });

  const targets: Readonly<Record<string, (status: BoundStatus) => Record<string, string>>> = {
    server_id: ({ bound_host_id }) => ({ server_id: bound_host_id! }),
    join_token: () => ({ join_token: "web" }),
    public_key: ({ bound_public_key }) => ({ public_key: sshFingerprint(bound_public_key) }),
    bot_instance_id: ({ bound_bot_instance_id }) => ({ bot_instance_id: bound_bot_instance_id }),
  };
  for (const [target, lockOf] of Object.entries(targets))
    test(`is cut by a lock on its ${target}, refused, and comes back without it`, async () => {
      const identity = cluster.identities.user({ roles: ["all"], appName: "echo" });
      await using bot = routeClient(cluster, identity);
      const open = await bot.connect();
      open.write("one");
      await new Promise((resolve) => open.once("data", resolve));
      const cut = new Promise((resolve) => open.once("close", resolve));
      open.on("error", () => {});
      const name = await cluster.lock(lockOf(await status()), "stolen");
      await cut;
      await until("the agent knows", () => agent.agent.status.reason?.includes("stolen"));
      assert.notEqual(await says(), "hello");
      await cluster.store.commit([{ op: "delete", kind: "lock", name }]);
      await until("the agent is back", () => agent.agent.status.status === "healthy", 60_000);
      assert.equal(await says(), "hello");
    });

  test("and its copy are both stopped by the lock on their instance, until a reset", async () => {
    const copied = await mkdtemp(join(tmpdir(), "tenon-agent-copy-"));
    try {
      await agent[Symbol.asyncDispose]();
      await cp(directory, copied, { recursive: true });
      agent = await serve({ token: "web" });
      const copy = await openAgent({
        dataDir: copied,
        address: cluster.address,
        caPins: cluster.caPins,
        method: "bound_keypair",
        token: async () => "web",
        apps: [],
        clock: systemClock,
        random: Math.random,
        logger: silentLogger,
        drainMs: 0,
      });
      const stop = new AbortController();
      const running = copy.run(stop.signal);
      const { bound_bot_instance_id: instance } = await status();
      await until("the copy is found", () => copy.status.reason?.includes("is locked"));
      const locks = await cluster.admin.resources.list({ kind: "lock" });
      const names = locks.documents.map(
        ({ json }) => (JSON.parse(json) as { metadata: { name: string } }).metadata.name,
      );
      assert.deepEqual(names, [`generation-${instance}`]);
      assert.notEqual(await says(), "hello");
      stop.abort();
      await running;
      await cluster.admin.auth.resetBoundKeypair({ token: "web" });
      // It would come by itself within half a minute.
      await agent[Symbol.asyncDispose]();
      agent = await serve({ token: "web" });
      assert.equal(await says(), "hello");
    } finally {
      await rm(copied, { recursive: true });
    }
  });
});
