import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { afterEach, describe, test } from "node:test";
import { accessDenied, CodedError } from "#base/kernel";
import { lockKind, type Lock } from "#domain/resources";
import { ManualClock } from "#testing/clock";
import { TunnelChain, type ChainOptions } from "#testing/tunnel-chain";
import { until } from "#testing/wait";

const coded = (code: string, message?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof CodedError, String(error));
  assert.equal(error.code, code, error.message);
  if (message) assert.match(error.message, message);
  return true;
};

async function readAll(stream: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Waits for the error that ends a stream; an end would be a lie. */
async function failure(stream: Duplex): Promise<unknown> {
  stream.resume();
  stream.on("end", () => assert.fail("a failure must not look like an end"));
  if (!stream.closed) await new Promise((resolve) => stream.once("close", resolve));
  return stream.errored;
}

/** Sends `text` and waits until as much is back. */
async function exchange(stream: Duplex, text: string): Promise<string> {
  stream.write(text);
  let reply = "";
  while (reply.length < text.length) reply += String((await once(stream, "data"))[0]);
  return reply;
}

const lock = (target: Lock["spec"]["target"]): Lock => ({
  kind: lockKind.kind,
  version: lockKind.version,
  metadata: { name: "lock-1", labels: {}, revision: "1" },
  spec: { target, message: "stolen" },
});

let chain: TunnelChain;
const open = async (options: ChainOptions = {}): Promise<TunnelChain> =>
  (chain = await TunnelChain.open(options));

afterEach(() => chain[Symbol.asyncDispose]());

/** Sends `bytes` at once to whoever connects, then ends. */
const sender =
  (bytes: Buffer) =>
  (socket: Socket): void => {
    socket.resume();
    socket.end(bytes);
  };

describe("a connection through bot, proxy, agent and application", () => {
  test("carries bytes both ways, and ends each direction alone", async () => {
    await open({
      app: (socket) => {
        const chunks: Buffer[] = [];
        socket.on("data", (chunk) => chunks.push(chunk));
        socket.on("end", () => {
          socket.write("heard: ");
          socket.end(Buffer.concat(chunks));
        });
      },
    });
    const stream = await chain.client.connect();
    stream.write("one ");
    stream.end("two");
    assert.equal(String(await readAll(stream)), "heard: one two");
    await until("nothing is left", () => chain.client.openConnections === 0);
    await until("nothing is left", () => chain.proxy.pool.openConnections === 0);
    assert.equal(chain.appSockets.size, 0);
  });

  test("lets the application end first and still listen", async () => {
    const heard = Promise.withResolvers<string>();
    await open({
      app: (socket) => {
        socket.end("bye");
        void readAll(socket).then((bytes) => heard.resolve(String(bytes)));
      },
    });
    const stream = await chain.client.connect();
    assert.equal(String(await readAll(stream)), "bye");
    stream.end("noted");
    assert.equal(await heard.promise, "noted");
  });

  test("tells the agent who comes, and it refuses with its own words", async () => {
    let seen: object = {};
    await open({
      agent: ({ appName, remoteAddr, certificate }) => {
        seen = { appName, remoteAddr, der: Buffer.isBuffer(certificate) && certificate[0] };
        throw accessDenied('role "access" does not open "web"');
      },
    });
    await assert.rejects(chain.client.connect(), coded("access_denied", /^role "access"/));
    assert.deepEqual(seen, { appName: "web", remoteAddr: "192.0.2.7", der: 0x30 });
  });

  test("refuses plainly when no agent is connected", async () => {
    await open();
    await chain.stopAgent();
    await until("the proxy knows", () => !chain.proxy.pool.has(chain.hostId));
    await assert.rejects(chain.client.connect(), coded("unavailable", /no agent.*connected/));
  });

  test("carries 128 MiB down, unchanged, and 128 MiB up", async () => {
    const block = randomBytes(1024 * 1024);
    const times = 128;
    const up = createHash("sha256");
    const heard = Promise.withResolvers<string>();
    await open({
      app: (socket) => {
        socket
          .on("data", (chunk) => up.update(chunk))
          .on("end", () => heard.resolve(up.digest("hex")));
        void feed(socket, block, times);
      },
    });
    const expected = createHash("sha256");
    for (let i = 0; i < times; i += 1) expected.update(block);
    const wanted = expected.digest("hex");
    const stream = await chain.client.connect();
    const down = createHash("sha256");
    stream.on("data", (chunk: Buffer) => down.update(chunk));
    const ended = once(stream, "end");
    await feed(stream, block, times);
    await ended;
    assert.equal(down.digest("hex"), wanted);
    assert.equal(await heard.promise, wanted);
  });

  test("carries a body that drips", async () => {
    await open();
    const stream = await chain.client.connect();
    let echoed = "";
    stream.on("data", (chunk: Buffer) => (echoed += String(chunk)));
    for (const letter of "slowly, byte by byte") {
      stream.write(letter);
      await until("it is back", () => echoed.endsWith(letter));
    }
    assert.equal(echoed, "slowly, byte by byte");
  });

  test("carries a long conversation in both directions at once", async () => {
    await open();
    const stream = await chain.client.connect();
    for (let i = 0; i < 500; i += 1) assert.equal(await exchange(stream, `ping ${i}`), `ping ${i}`);
  });
});

async function feed(stream: Duplex, block: Buffer, times: number): Promise<void> {
  for (let i = 0; i < times; i += 1) if (!stream.write(block)) await once(stream, "drain");
  stream.end();
}

describe("many connections", () => {
  test("2,000 idle ones stand beside one that works, and all still work", async () => {
    await open();
    const streams: Duplex[] = [];
    for (let i = 0; i < 20; i += 1)
      streams.push(
        ...(await Promise.all(Array.from({ length: 100 }, () => chain.client.connect()))),
      );
    await until("all have arrived", () => chain.appSockets.size === 2_000);
    assert.equal(await exchange(streams[0]!, "first"), "first");
    const replies = await Promise.all(streams.map((stream, i) => exchange(stream, `no. ${i}`)));
    assert.deepEqual(
      replies,
      streams.map((_, i) => `no. ${i}`),
    );
  });

  test("a thousand aborts end a thousand connections and no session", async () => {
    await open();
    const calm = await chain.client.connect();
    for (let round = 0; round < 4; round += 1) {
      const streams = await Promise.all(Array.from({ length: 250 }, () => chain.client.connect()));
      for (const stream of streams) stream.destroy();
    }
    await until("they are gone at the application", () => chain.appSockets.size === 1);
    assert.equal(await exchange(calm, "still here"), "still here");
    assert.equal(chain.asked.bot, 1);
    assert.equal(chain.asked.agent, 1);
  });

  test("an application's reset reaches the client as an error, not as an end", async () => {
    await open({
      app: (socket) => {
        socket.write("part of");
        socket.once("data", () => socket.resetAndDestroy());
      },
    });
    const stream = await chain.client.connect();
    await once(stream, "readable");
    stream.write("x");
    coded("unavailable")(await failure(stream));
  });

  test("a client's abort resets the application's connection", async () => {
    const reset = Promise.withResolvers<Error>();
    await open({ app: (socket) => socket.resume().on("error", (error) => reset.resolve(error)) });
    const stream = await chain.client.connect();
    stream.write("x");
    await until("connected", () => chain.appSockets.size === 1);
    stream.destroy();
    assert.match((await reset.promise).message, /ECONNRESET/);
  });

  test("readers that stall hold their windows only, and the others keep moving", async () => {
    await open({
      app: (socket) => {
        socket.once("data", (kind) => {
          if (String(kind) === "flood") flood(socket);
          else sender(Buffer.alloc(32 * 1024 * 1024))(socket);
        });
      },
    });
    const before = process.memoryUsage().rss;
    const stalled = await Promise.all(Array.from({ length: 40 }, () => chain.client.connect()));
    for (const stream of stalled) stream.write("flood");
    await until("they stand still", () => stalled.every((s) => s.readableLength >= 128 * 1024));
    const mover = await chain.client.connect();
    mover.write("bulk");
    let bytes = 0;
    mover.on("data", (chunk: Buffer) => (bytes += chunk.length));
    await once(mover, "end");
    assert.equal(bytes, 32 * 1024 * 1024);
    const grown = (process.memoryUsage().rss - before) / 2 ** 20;
    // Three processes in one, each with a window and its buffers for each of the 40.
    assert.ok(grown < 200, `${Math.round(grown)} MiB more`);
  });
});

function flood(socket: Socket): void {
  const block = Buffer.alloc(64 * 1024);
  const more = (): void => {
    while (!socket.destroyed && socket.write(block));
  };
  socket.on("drain", more);
  more();
}

describe("what restarts and what shuts down", () => {
  test("the agent and the bot come back after the proxy has restarted", async () => {
    await open({ sessions: 2 });
    const old = await chain.client.connect();
    await chain.stopProxy();
    coded("unavailable")(await failure(old));
    await assert.rejects(chain.client.connect(), coded("unavailable"));
    await until("the agent knows", () => chain.agent.tunnel.status.connected === 0);
    assert.match(chain.agent.tunnel.status.lastError ?? "", /./);
    await chain.startProxy();
    await chain.ready();
    assert.equal(chain.agent.tunnel.status.lastError, undefined);
    assert.equal(await exchange(await chain.client.connect(), "again"), "again");
  });

  test("connections go on through a new agent after a restart of the old one", async () => {
    await open();
    await chain.stopAgent();
    chain.startAgent();
    await chain.ready();
    assert.equal(await exchange(await chain.client.connect(), "again"), "again");
    assert.equal(chain.asked.bot, 1);
  });

  test("an agent that shuts down lets open connections end and takes no new ones", async () => {
    await open();
    const stream = await chain.client.connect();
    assert.equal(await exchange(stream, "before"), "before");
    chain.agent.stop.abort();
    await until("the proxy knows", () =>
      chain.client.connect().then(
        (late) => void late.destroy(),
        (error: unknown) => coded("unavailable")(error),
      ),
    );
    assert.equal(await exchange(stream, "during"), "during");
    stream.end();
    await once(stream, "end");
    await chain.agent.done;
  });

  test("a bot that shuts down lets open connections end", async () => {
    await open();
    const stream = await chain.client.connect();
    const drained = chain.client.drain(10_000);
    await assert.rejects(chain.client.connect(), coded("unavailable"));
    assert.equal(await exchange(stream, "during"), "during");
    stream.end();
    stream.resume();
    await drained;
  });

  test("a proxy that shuts down drains both legs", async () => {
    await open();
    const stream = await chain.client.connect();
    const drained = Promise.all([chain.proxy.routes.drain(10_000), chain.proxy.pool.drain(10_000)]);
    assert.equal(await exchange(stream, "during"), "during");
    stream.end();
    stream.resume();
    await drained;
  });

  test("the agent dials again as soon as the proxy drains, while old connections go on", async () => {
    await open();
    const stream = await chain.client.connect();
    const drained = chain.proxy.pool.drain(10_000);
    await until("it has dialled again", () => chain.asked.agent === 2);
    await until("the proxy has it", () => chain.agent.tunnel.status.connected === 2);
    assert.equal(await exchange(stream, "old"), "old");
    assert.equal(await exchange(await chain.client.connect(), "new"), "new");
    stream.end();
    stream.resume();
    await drained;
  });

  test("the bot's renewal swaps sessions under open connections", async () => {
    await open();
    const old = await chain.client.connect();
    chain.client.renew();
    const fresh = await chain.client.connect();
    assert.equal(chain.asked.bot, 2);
    assert.equal(chain.proxy.routes.sessions, 2);
    assert.equal(await exchange(old, "old"), "old");
    assert.equal(await exchange(fresh, "new"), "new");
    old.end();
    old.resume();
    await until("the old session ended with it", () => chain.proxy.routes.sessions === 1);
    assert.equal(await exchange(fresh, "new"), "new");
  });

  test("the agent's renewal opens new sessions before old ones run out", async () => {
    await open();
    const old = await chain.client.connect();
    chain.agent.tunnel.renew();
    await until("a second session is there", () => chain.asked.agent === 2);
    await until("both are up", () => chain.agent.tunnel.status.connected === 2);
    const fresh = await chain.client.connect();
    assert.equal(await exchange(old, "old"), "old");
    assert.equal(await exchange(fresh, "new"), "new");
    old.end();
    old.resume();
    await until("the old session is gone", () => chain.agent.tunnel.status.connected === 1);
    assert.equal(await exchange(fresh, "new"), "new");
  });

  test("connections asked for while the session is being dialled share it", async () => {
    await open();
    await Promise.all(Array.from({ length: 50 }, () => chain.client.connect()));
    assert.equal(chain.asked.bot, 1);
    assert.equal(chain.proxy.routes.sessions, 1);
  });
});

describe("what cuts", () => {
  for (const where of ["proxy", "agent", "bot"] as const)
    test(`a lock that reaches the ${where} cuts at once, and new connections are refused`, async () => {
      await open();
      const stream = await chain.client.connect();
      assert.equal(await exchange(stream, "before"), "before");
      const start = performance.now();
      chain.locks[where].put(lock({ user: "bot-robot" }));
      coded("access_denied")(await failure(stream));
      assert.ok(performance.now() - start < 1_000);
      await until("the application's connection is cut", () => chain.appSockets.size === 0);
      await assert.rejects(chain.client.connect(), (error: unknown) => {
        assert.ok(error instanceof CodedError);
        return ["access_denied", "unavailable"].includes(error.code);
      });
    });

  test("a lock on the agent closes its sessions at the proxy", async () => {
    await open();
    const stream = await chain.client.connect();
    chain.locks.proxy.put(lock({ server_id: chain.hostId }));
    coded("access_denied")(await failure(stream));
    await until("it is gone", () => !chain.proxy.pool.has(chain.hostId));
  });

  test("a lock on somebody else cuts nothing", async () => {
    await open();
    const stream = await chain.client.connect();
    for (const locks of Object.values(chain.locks)) locks.put(lock({ user: "mallory" }));
    assert.equal(await exchange(stream, "still"), "still");
  });

  test("the certificate's end cuts within half a second of it, also after a jump of the clock", async () => {
    const clock = new ManualClock();
    await open({ clock });
    const stream = await chain.client.connect();
    const failed = failure(stream);
    clock.jump(chain.identity.expires - clock.now() - 100);
    await clock.advance(99);
    assert.ok(!stream.destroyed);
    await clock.advance(501);
    coded("access_denied", /expired|denied/)(await failed);
    await until("the application's connection is cut", () => chain.appSockets.size === 0);
  });
});
