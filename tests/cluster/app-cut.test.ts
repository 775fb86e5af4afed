import assert from "node:assert/strict";
import { once } from "node:events";
import type { Duplex } from "node:stream";
import { after, before, beforeEach, describe, test } from "node:test";
import { codeOf } from "#base/kernel";
import type { RouteClient } from "#services/tunnel";
import { dialDirect, echoApplication, routeClient, type TestServer } from "#testing/applications";
import { startCluster, type TestAgent, type TestCluster } from "#testing/cluster";
import type { TestIdentity } from "#testing/identities";
import { until } from "#testing/wait";

/** The specification's second, in which a lock or an expiry must cut what is open. */
const CUT_MS = 1_000;

describe("live connections", () => {
  let cluster: TestCluster;
  let agent: TestAgent;
  let echo: TestServer;
  let number = 0;
  let user: string;
  const clients: RouteClient[] = [];

  before(async () => {
    echo = await echoApplication();
    cluster = await startCluster();
    await cluster.role("all");
    agent = await cluster.serve([{ name: "echo", uri: `tcp://127.0.0.1:${echo.port}` }]);
  });
  after(async () => {
    for (const client of clients) await client[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
    await echo[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    number += 1;
    user = `bot-${number}`;
  });

  const identity = (ttlMs?: number): TestIdentity =>
    cluster.identities.user(
      {
        user,
        roles: ["all"],
        appName: "echo",
        botInstanceId: `instance-${number}`,
        joinToken: `token-${number}`,
      },
      ttlMs,
    );

  async function direct(holder: TestIdentity): Promise<Duplex> {
    return alive(dialDirect(cluster, "echo", holder));
  }

  async function routed(holder: TestIdentity): Promise<Duplex> {
    const client = routeClient(cluster, holder);
    clients.push(client);
    return alive(await client.connect());
  }

  /** A connection that has carried bytes both ways. */
  async function alive(stream: Duplex): Promise<Duplex> {
    stream.on("error", () => {});
    stream.write("x");
    await once(stream, "data");
    return stream;
  }

  async function cutWithin(stream: Duplex, act: () => unknown): Promise<number> {
    const closed = closing(stream);
    await act();
    const start = performance.now();
    stream.resume();
    await closed;
    return performance.now() - start;
  }

  const ways = [
    ["a TLS connection", direct],
    ["a routed connection", routed],
  ] as const;
  for (const [what, open] of ways) {
    for (const target of ["user", "bot_instance_id", "join_token"])
      test(`${what} is cut within a second by a lock on its ${target}`, async () => {
        const stream = await open(identity());
        const values: Record<string, string> = {
          user,
          bot_instance_id: `instance-${number}`,
          join_token: `token-${number}`,
        };
        const ms = await cutWithin(stream, () => cluster.lock({ [target]: values[target]! }));
        assert.ok(ms < CUT_MS, `${ms} ms`);
        await until("the application is let go", () => echo.open() === 0);
      });

    test(`${what} is cut within a second of its certificate's end`, async () => {
      const holder = identity(3_000);
      const stream = await open(holder);
      stream.resume();
      await closing(stream);
      const late = Date.now() - holder.expires;
      assert.ok(late >= 0 && late < CUT_MS, `${late} ms late`);
      await until("the application is let go", () => echo.open() === 0);
    });

    test(`${what} is not touched by a lock on somebody else`, async () => {
      const stream = await open(identity());
      await cluster.lock({ user: "somebody-else" });
      await cluster.lock({ user: `${user}0` });
      await alive(stream);
      stream.destroy();
    });
  }

  test("are refused anew while the lock holds, and let in when it is gone", async () => {
    const holder = identity();
    const name = await cluster.lock({ user });
    await until("it is refused", async () =>
      routed(holder).then(
        (stream) => void stream.destroy(),
        (error: unknown) => codeOf(error) === "access_denied",
      ),
    );
    await cluster.admin.resources.delete({ kind: "lock", name });
    const stream = await until("it is let in", () => routed(holder).catch(() => undefined));
    stream.destroy();
  });

  test("of a locked agent are cut, and it serves nothing more", async () => {
    const other = await startCluster();
    try {
      await other.role("all");
      const hostId = "0b0e0000-0000-4000-8000-000000000000";
      await other.serve([{ name: "echo", uri: `tcp://127.0.0.1:${echo.port}` }], { hostId });
      const holder = other.identities.user({ roles: ["all"], appName: "echo" });
      const stream = await alive(dialDirect(other, "echo", holder));
      const ms = await cutWithin(stream, () => other.lock({ server_id: hostId }));
      assert.ok(ms < CUT_MS, `${ms} ms`);
      await until("its tunnel is gone", () => other.cluster.proxy.agents.length === 0);
    } finally {
      await other[Symbol.asyncDispose]();
    }
    assert.equal(agent.agent.status.status, "healthy");
  });
});

const closing = (stream: Duplex): Promise<void> =>
  new Promise((resolve) => stream.once("close", () => resolve()));
