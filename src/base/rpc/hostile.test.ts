import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2, constants, type ClientHttp2Session } from "node:http2";
import { describe, it } from "node:test";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { gzipSync } from "node:zlib";
import { toBinary, create } from "@bufbuild/protobuf";
import { SearchEventsRequestSchema } from "@tenon/api/tenon/auth/v1/auth";
import { authority, RpcBench, SERVER_NAME } from "#testing/rpc";
import { ManualClock } from "#testing/clock";
import { until } from "#testing/wait";

const SEARCH = "/tenon.auth.v1.AuthService/SearchEvents";
const PING = "/tenon.auth.v1.AuthService/Ping";
const JOIN = "/tenon.join.v1.JoinService/Join";

async function tlsTo(bench: RpcBench): Promise<TLSSocket> {
  const socket = connectTls({
    host: "127.0.0.1",
    port: bench.listener.port,
    ca: authority.ca,
    servername: SERVER_NAME,
    ALPNProtocols: ["h2"],
  });
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  return socket;
}

/** An HTTP/2 client without any of gRPC's manners. */
async function http2To(bench: RpcBench): Promise<ClientHttp2Session> {
  const socket = await tlsTo(bench);
  const session = connectHttp2(`https://${SERVER_NAME}`, { createConnection: () => socket });
  session.on("error", () => {});
  await once(session, "remoteSettings");
  return session;
}

interface Answer {
  readonly status: number;
  readonly code: string | undefined;
}

/** One raw request; the answer is what the headers or trailers say. */
async function send(
  session: ClientHttp2Session,
  path: string,
  body: Buffer | undefined,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  });
  let answer: Record<string, unknown> = {};
  const keep = (received: Record<string, unknown>): void =>
    void (answer = { ...answer, ...received });
  stream
    .on("response", keep)
    .on("trailers", keep)
    .on("error", () => {});
  stream.on("end", () => stream.close());
  stream.resume();
  if (body) stream.end(body);
  await once(stream, "close").catch(() => {});
  const code = answer["tenon-code"];
  return {
    status: Number(answer["grpc-status"] ?? -1),
    code: typeof code === "string" ? code : undefined,
  };
}

/** gRPC's five bytes before a message: a flag for compression, and the length. */
function framed(message: Uint8Array, options: { flag?: number; length?: number } = {}): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(options.flag ?? 0, 0);
  head.writeUInt32BE(options.length ?? message.length, 1);
  return Buffer.concat([head, message]);
}

const search = (pageToken: string): Uint8Array =>
  toBinary(SearchEventsRequestSchema, create(SearchEventsRequestSchema, { pageToken }));

const answering = {
  auth: { ping: () => ({}), searchEvents: () => ({ events: ["found"] }) },
};

/** Whatever was sent before: the server still serves others, and has nothing left of it. */
async function assertUnharmed(bench: RpcBench): Promise<void> {
  const { events } = await bench.auth().searchEvents({});
  assert.deepEqual(events, ["found"]);
  await until("no call is left", () => bench.server.calls === 0);
}

describe("a request that is not what it should be", () => {
  const INVALID = 3;
  const EXHAUSTED = 8;
  const cases: readonly (readonly [string, Buffer, number | "refused"])[] = [
    ["bytes that are no message", framed(Buffer.from("ffffffff", "hex")), INVALID],
    ["a message that ends in the middle", framed(search("x".repeat(100)).subarray(0, 50)), INVALID],
    ["text that is not UTF-8", framed(Buffer.from("42".padEnd(2) + "02ff", "latin1")), INVALID],
    [
      "a message of a whole frame less than it says",
      framed(search("x"), { length: 5_000 }),
      "refused",
    ],
    ["a length beyond all limits", framed(search("x"), { length: 0xffffffff }), EXHAUSTED],
    ["a message over a stranger's limit", framed(search("x".repeat(70_000))), EXHAUSTED],
    ["no message", Buffer.alloc(0), "refused"],
    ["two messages for one", Buffer.concat([framed(search("a")), framed(search("b"))]), "refused"],
    ["compressed bytes that are not", framed(search("x"), { flag: 1 }), "refused"],
  ];
  for (const [what, body, expected] of cases) {
    it(`is refused: ${what}`, async () => {
      await using bench = await RpcBench.open(answering);
      const session = await http2To(bench);
      const { status } = await send(session, SEARCH, body, { "grpc-encoding": "gzip" });
      if (expected === "refused") assert.notEqual(status, 0);
      else assert.equal(status, expected);
      session.destroy();
      await assertUnharmed(bench);
    });
  }

  it("tells our own client that it is too large, known or not", async () => {
    await using bench = await RpcBench.open(answering);
    const known = bench.auth({ tls: authority.issue("clientAuth") });
    assert.deepEqual((await known.searchEvents({ pageToken: "x".repeat(70_000) })).events, [
      "found",
    ]);
    for (const [client, size] of [
      [bench.auth(), 70_000],
      [known, 5_000_000],
    ] as const) {
      await assert.rejects(client.searchEvents({ pageToken: "x".repeat(size) }), {
        code: "limit_exceeded",
      });
    }
    await assertUnharmed(bench);
  });

  it("is refused when a few kilobytes would become gigabytes", async () => {
    await using bench = await RpcBench.open(answering);
    const session = await http2To(bench);
    const bomb = framed(gzipSync(Buffer.alloc(50_000_000)), { flag: 1 });
    assert.ok(bomb.length < 64 * 1024);
    const { status } = await send(session, SEARCH, bomb, { "grpc-encoding": "gzip" });
    assert.equal(status, EXHAUSTED);
    session.destroy();
    await assertUnharmed(bench);
  });

  it("is refused when its headers are larger than Node takes", async () => {
    await using bench = await RpcBench.open(answering);
    const session = await http2To(bench);
    const headers = Object.fromEntries(
      Array.from({ length: 100 }, (_, i) => [`x-${i}`, "v".repeat(1_000)]),
    );
    assert.equal((await send(session, PING, framed(Buffer.alloc(0)), headers)).status, -1);
    session.destroy();
    await assertUnharmed(bench);
  });

  it("is refused for a method that does not exist, and our client says what that means", async () => {
    await using bench = await RpcBench.open(answering);
    const session = await http2To(bench);
    for (const path of ["/tenon.auth.v1.AuthService/Nonesuch", "/", "/../../etc/passwd"])
      assert.equal((await send(session, path, framed(Buffer.alloc(0)))).status, 12, path);
    session.destroy();
    await assertUnharmed(bench);
  });

  it("is refused when it is not gRPC", async () => {
    await using bench = await RpcBench.open(answering);
    const session = await http2To(bench);
    const html = await send(session, PING, Buffer.from("{}"), {
      "content-type": "application/json",
    });
    assert.equal(html.status, -1);
    session.destroy();
    await assertUnharmed(bench);
  });

  it("has a deadline of its own that is nonsense", async () => {
    await using bench = await RpcBench.open(answering);
    const session = await http2To(bench);
    for (const timeout of ["soon", "99999999H", "-5S", ""])
      await send(session, SEARCH, framed(search("x")), { "grpc-timeout": timeout });
    session.destroy();
    await assertUnharmed(bench);
  });
});

describe("a client that is slow, silent or gone", () => {
  it("has thirty seconds to send its request", async () => {
    const clock = new ManualClock();
    await using bench = await RpcBench.open({ ...answering, clock });
    const session = await http2To(bench);
    const answer = send(session, SEARCH, undefined);
    await until("the call has begun", () => bench.server.calls === 1);
    await clock.advance(29_000);
    assert.equal(bench.server.calls, 1);
    await clock.advance(1_000);
    assert.equal((await answer).code, "timed_out");
    session.destroy();
    await assertUnharmed(bench);
  });

  it("has fifteen seconds to make a first call", async () => {
    const clock = new ManualClock();
    await using bench = await RpcBench.open({ ...answering, clock });
    const sockets = [await tlsTo(bench), await tlsTo(bench), await tlsTo(bench)];
    await until("the connections are there", () => bench.server.connections === 3);
    await clock.advance(20_000);
    await until("the connections are closed", () => bench.server.connections === 0);
    for (const socket of sockets) socket.destroy();
    await assertUnharmed(bench);
  });

  it("may stay connected without calls for a while, and then is told to go", async () => {
    const clock = new ManualClock();
    await using bench = await RpcBench.open({ ...answering, clock });
    const stranger = bench.auth();
    const known = bench.auth({ tls: authority.issue("clientAuth") });
    for (const client of [stranger, known]) await client.searchEvents({});
    await until("no call is left", () => bench.server.calls === 0);
    await clock.advance(60_000);
    await until("the stranger's connection is closed", () => bench.server.connections === 1);
    await clock.advance(9 * 60_000);
    await until("the other one is closed", () => bench.server.connections === 0);
    for (const client of [stranger, known]) await client.searchEvents({});
  });

  it("cannot hold a connection by never finishing its side of a call", async () => {
    const clock = new ManualClock();
    await using bench = await RpcBench.open({ ...answering, clock });
    const session = await http2To(bench);
    const stream = session.request({
      ":method": "POST",
      ":path": SEARCH,
      "content-type": "application/grpc",
    });
    stream.on("error", () => {}).resume();
    await until("the call has begun", () => bench.server.calls === 1);
    await clock.advance(30_000);
    await until("the call is over", () => bench.server.calls === 0);
    assert.equal(stream.destroyed, false);
    await clock.advance(65_000);
    await until("the connection is closed", () => bench.server.connections === 0);
    session.destroy();
  });

  it("is found out when it does not answer a ping", async () => {
    const limits = { keepaliveMs: 50, keepaliveTimeoutMs: 50 };
    await using bench = await RpcBench.open({ ...answering, limits });
    const socket = await tlsTo(bench);
    const emptySettings = Buffer.from("000000040000000000", "hex");
    socket.write(Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), emptySettings]));
    socket.resume();
    await until("the connection is there", () => bench.server.connections === 1);
    await until("the dead connection is closed", () => bench.server.connections === 0);
    socket.destroy();
    await assertUnharmed(bench);
  });

  it("leaves nothing when its connection breaks in the middle of calls", async () => {
    const reasons: unknown[] = [];
    await using bench = await RpcBench.open({
      auth: {
        ...answering.auth,
        ping: (_request, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener("abort", () => {
              reasons.push(signal.reason);
              reject(signal.reason as Error);
            });
          }),
      },
      // eslint-disable-next-line require-yield
      async *join(requests) {
        for await (const request of requests) assert.ok(request);
      },
    });
    const session = await http2To(bench);
    for (let i = 0; i < 5; i += 1) void send(session, PING, framed(Buffer.alloc(0)));
    for (let i = 0; i < 5; i += 1) void send(session, JOIN, undefined);
    await until("the calls are there", () => bench.server.calls === 10);
    session.socket.destroy();
    await until("the handlers were told", () => reasons.length === 5);
    await until("no connection is left", () => bench.server.connections === 0);
    await assertUnharmed(bench);
  });

  it("that opens and resets streams by the thousand loses its connection alone", async () => {
    await using bench = await RpcBench.open(answering);
    const session = await http2To(bench);
    for (let i = 0; i < 5_000 && !session.destroyed; i += 1) {
      const stream = session.request({ ":method": "POST", ":path": JOIN });
      stream.on("error", () => {});
      stream.close(constants.NGHTTP2_CANCEL);
      if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    session.destroy();
    await assertUnharmed(bench);
  });

  it("that says something else than HTTP/2 is disconnected", async () => {
    await using bench = await RpcBench.open(answering);
    for (const noise of [
      "GET / HTTP/1.1\r\n\r\n",
      "\0".repeat(5_000),
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n!!!!!!!!!!!!!!!!!!",
    ]) {
      const socket = await tlsTo(bench);
      socket.write(noise);
      socket.resume();
      await until("it is disconnected", () => socket.destroyed || socket.readableEnded);
      socket.destroy();
    }
    await until("no connection is left", () => bench.server.connections === 0);
    await assertUnharmed(bench);
  });
});

describe("too many at once", () => {
  it("of a stranger's calls wait for their turn", async () => {
    let running = 0;
    let most = 0;
    await using bench = await RpcBench.open({
      auth: {
        ...answering.auth,
        ping: async () => {
          most = Math.max(most, ++running);
          await new Promise((resolve) => setTimeout(resolve, 5));
          running -= 1;
          return {};
        },
      },
    });
    const client = bench.auth();
    await Promise.all(Array.from({ length: 100 }, async () => await client.ping({})));
    assert.ok(most <= 16, `${most} ran at once`);
    await assertUnharmed(bench);
  });

  it("of connections are closed, those of strangers first", async () => {
    await using bench = await RpcBench.open({
      ...answering,
      limits: { maxConnections: 5, maxStrangerConnections: 2 },
    });
    const strangers = [bench.auth(), bench.auth()];
    for (const client of strangers) await client.ping({});
    await assert.rejects(bench.auth().ping({}), { code: "unavailable" });
    const tls = authority.issue("clientAuth");
    for (let i = 0; i < 3; i += 1) await bench.auth({ tls }).ping({});
    await assert.rejects(bench.auth({ tls }).ping({}), { code: "unavailable" });
    assert.equal(bench.server.connections, 5);
  });

  it("of connections that come and go leave nothing", async () => {
    await using bench = await RpcBench.open(answering);
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(
        Array.from({ length: 20 }, async () => {
          const channel = bench.channel();
          const { AuthService } = await import("@tenon/api/tenon/auth/v1/auth");
          await channel.client(AuthService).ping({});
          channel.close();
        }),
      );
    }
    await until("no connection is left", () => bench.server.connections === 0);
    assert.equal(bench.listener.sockets, 0);
  });
});
