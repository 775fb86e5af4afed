import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { codeOf } from "#base/kernel";
import type { RouteClient } from "#services/tunnel";
import {
  closedPort,
  dialDirect,
  echoApplication,
  routeClient,
  tcpApplication,
  type TestServer,
} from "#testing/applications";
import { startCluster, type TestCluster } from "#testing/cluster";
import type { TestIdentity } from "#testing/identities";
import { until } from "#testing/wait";

const MIB = 1024 * 1024;

describe("a TCP application", () => {
  let cluster: TestCluster;
  let servers: Record<string, TestServer>;
  const clients: RouteClient[] = [];

  before(async () => {
    servers = {
      echo: await echoApplication(),
      // Answers only when the client has finished.
      late: await tcpApplication((socket) => {
        let size = 0;
        socket.on("data", (chunk: Buffer) => (size += chunk.length));
        socket.on("end", () => socket.end(`got ${size}`));
      }),
      // Finishes first, and goes on reading.
      first: await tcpApplication((socket) => {
        socket.end("bye");
        socket.on("data", (chunk: Buffer) => seenByFirst.push(chunk.toString()));
      }),
      resets: await tcpApplication((socket) => socket.once("data", () => socket.resetAndDestroy())),
      hangs: await tcpApplication((socket) => hung.push(socket.pause())),
      floods: await tcpApplication((socket) => {
        const chunk = Buffer.alloc(MIB);
        const pump = (): void => {
          while (socket.write(chunk)) flooded += 1;
        };
        socket.on("drain", pump);
        pump();
      }),
    };
    cluster = await startCluster();
    await cluster.role("all");
    const down = await closedPort();
    await cluster.serve([
      ...Object.entries(servers).map(([name, { port }]) => ({
        name,
        uri: `tcp://127.0.0.1:${port}`,
      })),
      { name: "down", uri: `tcp://127.0.0.1:${down}` },
      { name: "unresolved", uri: "tcp://no-such-host.invalid:1" },
    ]);
  });
  after(async () => {
    for (const client of clients) await client[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
    for (const server of Object.values(servers)) await server[Symbol.asyncDispose]();
  });

  const seenByFirst: string[] = [];
  let flooded = 0;
  const hung: Socket[] = [];

  const identity = (app: string): TestIdentity =>
    cluster.identities.user({ roles: ["all"], appName: app });

  async function routed(app: string): Promise<Duplex> {
    const client = routeClient(cluster, identity(app));
    clients.push(client);
    return client.connect();
  }

  const ways: [string, (app: string) => Promise<Duplex>][] = [
    ["over a routed session", routed],
    ["over a TLS connection", async (app) => dialDirect(cluster, app, identity(app))],
  ];

  for (const [way, open] of ways)
    describe(way, () => {
      test("gets and gives 16 MiB unchanged", async () => {
        const stream = await open("echo");
        const bytes = randomBytes(16 * MIB);
        stream.end(bytes);
        const hash = createHash("sha256");
        for await (const chunk of stream) hash.update(chunk as Buffer);
        assert.equal(hash.digest("hex"), createHash("sha256").update(bytes).digest("hex"));
      });

      test("hears that the client has finished, and still answers", async () => {
        const stream = await open("late");
        stream.end(Buffer.alloc(100_000));
        assert.equal(await text(stream), "got 100000");
      });

      test("finishes first, and still hears the client", async () => {
        seenByFirst.length = 0;
        const stream = await open("first");
        assert.equal(await text(stream), "bye");
        stream.end("and you");
        await until("the application heard it", () => seenByFirst.join("") === "and you");
      });

      test("that resets is a broken connection, not an end", async () => {
        const stream = await open("resets");
        stream.write("x");
        await assert.rejects(text(stream));
      });

      test("that hangs stops the client's sending, and takes nothing into memory", async () => {
        const stream = await open("hangs");
        stream.on("error", () => {});
        let sent = 0;
        const chunk = Buffer.alloc(MIB);
        const pump = (): void => {
          while (sent < 256 && stream.write(chunk)) sent += 1;
        };
        stream.on("drain", pump);
        pump();
        assert.ok((await settled(() => sent)) < 64, `${sent} MiB were taken`);
        stream.destroy();
        // A socket that nobody reads does not hear of its end.
        for (const socket of hung.splice(0)) socket.resume().end();
        await until("the application is let go", () => servers["hangs"]!.open() === 0);
      });

      test("that floods waits for a client that does not read", async () => {
        flooded = 0;
        const stream = await open("floods");
        stream.on("error", () => {});
        stream.pause();
        await until("it began", () => flooded > 0);
        assert.ok((await settled(() => flooded)) < 64, `${flooded} MiB were sent`);
        stream.destroy();
        await until("the application is let go", () => servers["floods"]!.open() === 0);
      });

      test("is left when the client leaves without a word", async () => {
        const stream = await open("echo");
        stream.on("error", () => {});
        stream.write("x");
        await once(stream, "data");
        stream.destroy();
        await until("the application is let go", () => servers["echo"]!.open() === 0);
      });
    });

  const down: [string, string, RegExp][] = [
    ["refuses", "down", /refused the connection/],
    ["has no address", "unresolved", /does not resolve/],
  ];
  for (const [what, app, message] of down)
    test(`that ${what} is told as such to a routed session`, async () => {
      await assert.rejects(routed(app), (error: Error) => {
        assert.equal(codeOf(error), "unavailable");
        assert.match(error.message, message);
        return true;
      });
    });

  test("that refuses just closes a TLS connection", async () => {
    const socket = dialDirect(cluster, "down", identity("down"));
    assert.equal(await text(socket).catch(() => ""), "");
  });

  test("serves many connections at once on one session, and lets go of all", async () => {
    const client = routeClient(cluster, identity("echo"));
    clients.push(client);
    const streams = await Promise.all(Array.from({ length: 200 }, () => client.connect()));
    const answers = streams.map((stream, index) => {
      stream.end(`hello ${index}`);
      return text(stream);
    });
    assert.deepEqual(
      await Promise.all(answers),
      streams.map((_stream, index) => `hello ${index}`),
    );
    await until("the application is let go", () => servers["echo"]!.open() === 0);
    await client[Symbol.asyncDispose]();
    await until("the proxy too", () => cluster.cluster.proxy.open.tunnelled === 0);
  });
});

/** The value once it has stood still for a while. */
async function settled(read: () => number): Promise<number> {
  let before = -1;
  await until("it stands still", async () => {
    const still = read() === before;
    before = read();
    await new Promise((resolve) => setTimeout(resolve, 150));
    return still;
  });
  return before;
}
