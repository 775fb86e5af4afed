import { notFound, systemClock, timedOut } from "#base/kernel";
import { detailOf } from "#base/local";
import { RpcChannel } from "#base/rpc";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { BotApiService, SpawnServiceResponseSchema } from "@tenon/api/tenon/tbot/v1/bot_api";
import assert from "node:assert/strict";
import { connect } from "node:net";
import { describe, it } from "node:test";
import { LocalBench } from "#testing/local";
import { needs } from "#testing/needs";
import { until } from "#testing/wait";

const JSON_TYPE = ["-H", "content-type: application/json"];

async function collected<T>(messages: AsyncIterable<T>, into: T[] = []): Promise<T[]> {
  for await (const message of messages) into.push(message);
  return into;
}

/** gRPC as another program speaks it: `unix:` of grpc-js. */
function grpc(bench: LocalBench) {
  const channel = new RpcChannel({ target: { unix: bench.path }, clock: systemClock });
  return Object.assign(channel.client(BotApiService), { [Symbol.dispose]: () => channel.close() });
}

describe("one call over each protocol", needs("curl"), () => {
  it("is answered: Connect over HTTP/1.1, gRPC, and JSON from curl", async () => {
    await using bench = await LocalBench.open();
    assert.equal((await (await bench.client()).getConfig({})).configuration, "ü");
    using caller = grpc(bench);
    assert.equal((await caller.getConfig({})).configuration, "ü");
    const plain = await bench.curl("GetConfig", ...JSON_TYPE, "-d", "{}");
    assert.equal(plain, '{"configuration":"ü"}\n200');
    const bare = await bench.curl("GetConfig", "-d", "{}");
    assert.equal(bare, plain, "curl -d without a content type is taken for JSON");
    const h2 = await bench.curl("GetConfig", "--http2-prior-knowledge", "-d", "{}");
    assert.equal(h2, plain, "and over HTTP/2");
  });

  it("tells the handler which process calls", async () => {
    await using bench = await LocalBench.open();
    await (await bench.client()).getConfig({});
    await bench.curl("GetConfig", "-d", "{}");
    using caller = grpc(bench);
    await caller.getConfig({});
    const [own, curl, again] = bench.peers;
    assert.deepEqual(own, again);
    assert.deepEqual([own?.pid, own?.uid], [process.pid, process.getuid?.()]);
    assert.equal(own?.executable, process.execPath);
    assert.notEqual(curl?.pid, process.pid);
  });

  it("fails with our code and sentence, in all of them", async () => {
    await using bench = await LocalBench.open();
    using caller = grpc(bench);
    const expected = { code: "not_found", message: 'there is no service "ö"' };
    await assert.rejects((await bench.client()).stopService({ name: "ö" }), expected);
    await assert.rejects(caller.stopService({ name: "ö" }), expected);
    assert.equal(
      await bench.curl("StopService", "-d", '{"name":"ö"}'),
      '{"code":"not_found","message":"there is no service \\"ö\\""}\n404',
    );
  });

  it("brings a message with its error, where the protocol has a place for it", async () => {
    await using bench = await LocalBench.open();
    const error: unknown = await (await bench.client()).spawnService({}).catch((error) => error);
    assert.equal(detailOf(error, SpawnServiceResponseSchema)?.services[0]?.reason, "no such role");
    assert.match(
      await bench.curl("SpawnService", "-d", "{}"),
      /"aborted".*"identity-1 failed".*SpawnServiceResponse.*no such role.*\n409/,
    );
    const nodeOptions = { createConnection: () => connect(bench.path) };
    const options = { baseUrl: "http://bot", nodeOptions } as const;
    const foreign = createClient(BotApiService, createGrpcTransport(options));
    const refused = await foreign.spawnService({}).catch((error: unknown) => error);
    assert.ok(refused instanceof ConnectError && refused.code === Code.Aborted);
    assert.equal(refused.findDetails(SpawnServiceResponseSchema)[0]?.services.length, 1);
  });

  it("hides what an unexpected error says", async () => {
    await using bench = await LocalBench.open();
    const said = await bench.curl("StopService", "-d", '{"name":"broken"}');
    assert.match(said, /"internal".*under the id [0-9a-f-]{36}"\}\n500$/);
    assert.doesNotMatch(said, /swordfish/);
  });

  for (const [what, call, options, answer] of [
    ["JSON that does not parse", "GetConfig", ["-d", "{"], /"invalid_argument".*\n400$/],
    ["an unknown field", "GetConfig", ["-d", '{"x":1}'], /"invalid_argument".*\\"x\\".*\n400$/],
    ["an unknown call", "Nothing", ["-d", "{}"], /there is no call.*\/GetConfig.*\n404$/],
    ["a GET", "GetConfig", [], /GET is not for calls; use POST.*\n400$/],
    [
      "another content type",
      "GetConfig",
      ["-H", "content-type: text/xml", "-d", "<a/>"],
      /text\/xml.*application\/json.*\n400$/,
    ],
    [
      "a message that is too large",
      "GetConfig",
      ["-d", JSON.stringify({ x: "x".repeat(2_000) })],
      /"resource_exhausted".*\n429$/,
    ],
  ] as const)
    it(`answers ${what} in words`, async () => {
      await using bench = await LocalBench.open({ limits: { maxMessageBytes: 1_000 } });
      assert.match(await bench.curl(call, ...options), answer);
    });
});

describe("a stream from the server", needs("curl"), () => {
  it("arrives whole over each protocol, and its error after it", async () => {
    await using bench = await LocalBench.open();
    using caller = grpc(bench);
    for (const client of [await bench.client(), caller]) {
      const lines = await collected(client.watchLogs({ tail: 2 }));
      assert.deepEqual(
        lines.map(({ text }) => text),
        ["line 0", "line 1"],
      );
      const before: unknown[] = [];
      const failing = collected(client.watchLogs({ tail: 3 }), before);
      await assert.rejects(failing, { code: "not_found", message: "the log ends here" });
      assert.equal(before.length, 3);
    }
  });

  it("is lines of JSON for curl, and its error the last line", async () => {
    await using bench = await LocalBench.open();
    const two = '{"text":"line 0"}\n{"text":"line 1"}\n';
    assert.equal(await bench.curl("WatchLogs", "-d", '{"tail":2}'), `${two}\n200`);
    assert.equal(
      await bench.curl("WatchLogs", "-d", '{"tail":3}'),
      `${two}{"text":"line 2"}\n{"error":{"code":"not_found","message":"the log ends here"}}\n\n200`,
    );
    const h2 = await bench.curl("WatchLogs", "--http2-prior-knowledge", "-d", '{"tail":2}');
    assert.equal(h2, `${two}\n200`);
    assert.equal(await bench.curl("WatchLogs", "-d", "{}"), "\n200");
  });

  it("that fails before its first message is an error with its status for curl", async () => {
    await using bench = await LocalBench.open({
      limits: { maxMessageBytes: 1_000 },
      calls: {
        watchLogs: () => {
          throw notFound("no log");
        },
      },
    });
    const failed = '{"code":"not_found","message":"no log"}\n404';
    assert.equal(await bench.curl("WatchLogs", "-d", "{}"), failed);
    assert.match(await bench.curl("WatchLogs", "-d", "{"), /"invalid_argument".*\n400$/);
    const large = JSON.stringify({ service: "x".repeat(2_000) });
    assert.match(await bench.curl("WatchLogs", "-d", large), /"resource_exhausted".*\n429$/);
  });

  it("goes on for curl until it leaves", async () => {
    await using bench = await LocalBench.open();
    const said = await bench
      .curl("WatchServices", "-N", "--max-time", "0.5", "-d", "{}")
      .catch(({ stdout }: { stdout: string }) => stdout);
    assert.match(said, /"one"\}\}\n.*"two"/);
    await until("the handler ended", () => bench.server.calls === 0);
  });

  it("is envelopes of JSON for curl", async () => {
    await using bench = await LocalBench.open();
    const body = '{"tail":1}';
    const envelope = `\0\0\0\0${String.fromCharCode(body.length)}${body}`;
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(bench.path);
      let text = "";
      socket.on("data", (bytes: Buffer) => (text += bytes.toString("latin1"))).on("error", reject);
      socket.on("close", () => resolve(text));
      socket.write(
        `POST /tenon.tbot.v1.BotApiService/WatchLogs HTTP/1.1\r\nhost: bot\r\nconnection: close\r\ncontent-type: application/connect+json\r\ncontent-length: ${envelope.length}\r\n\r\n${envelope}`,
      );
    });
    assert.match(answer, /200 OK[\s\S]*\{"text":"line 0"\}[\s\S]*\{\}/);
  });

  it("tells its handler when the caller leaves", async () => {
    await using bench = await LocalBench.open();
    using caller = grpc(bench);
    for (const client of [await bench.client(), caller]) {
      const leave = new AbortController();
      const seen: unknown[] = [];
      const watching = collected(client.watchServices({}, { signal: leave.signal }), seen);
      await until("two events arrived", () => seen.length === 2);
      leave.abort();
      await assert.rejects(watching, { code: "canceled" });
      await until("the handler ended", () => bench.server.calls === 0);
    }
    assert.equal(bench.ended.length, 2);
  });

  it("ends with unavailable when the server stops, and the server waits for it", async () => {
    const bench = await LocalBench.open();
    using caller = grpc(bench);
    const watching = [await bench.client(), caller].map(async (client) => {
      const seen: unknown[] = [];
      const whole = collected(client.watchServices({}), seen);
      whole.catch(() => {});
      await until("two events arrived", () => seen.length === 2);
      return { whole };
    });
    const streams = await Promise.all(watching);
    await bench[Symbol.asyncDispose]();
    for (const { whole } of streams) await assert.rejects(whole, { code: "unavailable" });
    assert.equal(bench.server.connections, 0);
  });
});

describe("many at once", () => {
  it("are all answered, on one connection and on many", async () => {
    await using bench = await LocalBench.open();
    using caller = grpc(bench);
    const one = Array.from({ length: 200 }, () => caller.getConfig({}));
    const clients = await Promise.all(Array.from({ length: 50 }, () => bench.client()));
    const many = clients.flatMap((client) => [1, 2, 3, 4].map(() => client.getConfig({})));
    const answers = await Promise.all([...one, ...many]);
    assert.ok(answers.every(({ configuration }) => configuration === "ü"));
    assert.equal(bench.peers.length, 400);
  });

  it("beyond the limit of connections are closed, and those before go on", async () => {
    await using bench = await LocalBench.open({ limits: { maxConnections: 2 } });
    const [first, second, third] = [
      await bench.client(),
      await bench.client(),
      await bench.client(),
    ];
    await Promise.all([first.getConfig({}), second.getConfig({})]);
    await assert.rejects(third.getConfig({}), { code: "unavailable", message: /was closed/ });
    assert.equal((await first.getConfig({})).configuration, "ü");
  });
});

describe("a caller's own limit of time", () => {
  it("ends the call on both sides", async () => {
    let reason: unknown;
    await using bench = await LocalBench.open({
      calls: {
        getConfig: async (_request, { signal }) => {
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
          reason = signal.reason;
          throw timedOut("not heard");
        },
      },
    });
    await assert.rejects((await bench.client()).getConfig({}, { timeoutMs: 30 }), {
      code: "timed_out",
    });
    await until("the handler was told", () => reason);
  });
});
