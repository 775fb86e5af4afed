import assert from "node:assert/strict";
import { once } from "node:events";
import http2 from "node:http2";
import net from "node:net";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { Duplex } from "node:stream";
import { accessDenied, CodedError, systemClock } from "#base/kernel";
import { ManualClock } from "#testing/clock";
import { until } from "#testing/wait";
import { MuxClient } from "./mux-client.ts";
import type { MuxOptions } from "./mux-options.ts";
import { MuxServer, type MuxHandler } from "./mux-server.ts";

const coded = (code: string, message?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof CodedError, String(error));
  assert.equal(error.code, code, error.message);
  if (message) assert.match(error.message, message);
  return true;
};

/** Both ends of one TCP connection. */
async function socketPair(): Promise<[net.Socket, net.Socket]> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  const accepted = once(server, "connection") as Promise<[net.Socket]>;
  const near = net.connect({ port, host: "127.0.0.1" });
  const [far] = await accepted;
  server.close();
  return [near, far];
}

async function readAll(stream: Duplex): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

const failure = async (stream: Duplex): Promise<unknown> => {
  stream.resume();
  stream.on("end", () => assert.fail("a failure must not look like an end"));
  if (!stream.closed) await new Promise((resolve) => stream.once("close", resolve));
  return stream.errored;
};

describe("mux", () => {
  let client: MuxClient;
  let server: MuxServer;
  let sockets: net.Socket[];
  let accepted: Duplex[];
  let handler: MuxHandler;

  const accept: MuxHandler = (request) => void accepted.push(request.accept());

  async function start(options: Partial<MuxOptions> = {}): Promise<void> {
    const [near, far] = await socketPair();
    sockets = [near, far];
    const all = { clock: systemClock, ...options };
    server = new MuxServer(far, (request) => handler(request), all);
    client = new MuxClient(near, all);
  }

  async function openPair(): Promise<[Duplex, Duplex]> {
    const near = await client.open({ headers: {} });
    return [near, accepted.at(-1)!];
  }

  beforeEach(async () => {
    accepted = [];
    handler = accept;
    await start();
  });

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await Promise.all([client.closed, server.closed]);
  });

  test("carries headers, bytes both ways, and each end alone", async () => {
    let app: string | undefined;
    handler = (request) => {
      app = request.header("app-name");
      accepted.push(request.accept());
    };
    const near = await client.open({ headers: { "app-name": "grafana" } });
    const far = accepted[0]!;
    assert.equal(app, "grafana");
    near.end("question");
    assert.equal(await readAll(far), "question");
    far.write("long after ");
    far.end("the answer");
    assert.equal(await readAll(near), "long after the answer");
    await until("both are gone", () => client.openStreams === 0 && server.openStreams === 0);
  });

  test("lets the answering side end first", async () => {
    const [near, far] = await openPair();
    far.end("bye");
    assert.equal(await readAll(near), "bye");
    near.write("still ");
    near.end("here");
    assert.equal(await readAll(far), "still here");
  });

  test("brings a refusal as the same error, without its detail", async () => {
    handler = (request) =>
      request.refuse(accessDenied('"bob" may not open "ä€\n"', { detail: "secret" }));
    await assert.rejects(client.open({ headers: {} }), coded("access_denied", /^"bob".*"ä€\n"$/));
    await until("nothing is left", () => client.openStreams === 0 && server.openStreams === 0);
  });

  test("tells nothing of an error that is not ours", async () => {
    handler = () => Promise.reject(new Error("password=hunter2"));
    await assert.rejects(client.open({ headers: {} }), coded("internal", /^the far end failed$/));
  });

  test("early: sends first bytes along, and a refusal is the stream's error", async () => {
    handler = async (request) => {
      await new Promise((resolve) => setImmediate(resolve));
      if (request.header("app-name") === "no") throw accessDenied("no");
      accepted.push(request.accept());
    };
    const near = await client.open({ headers: { "app-name": "yes" }, early: true });
    near.end("first");
    await until("accepted", () => accepted.length === 1);
    assert.equal(await readAll(accepted[0]!), "first");
    const refused = await client.open({ headers: { "app-name": "no" }, early: true });
    refused.write("x");
    coded("access_denied")(await failure(refused));
  });

  for (const [cause, abort, code] of [
    ["destroy without an error", (s: Duplex) => s.destroy(), "canceled"],
    ["destroy with an error", (s: Duplex) => s.destroy(new Error("x")), "unavailable"],
    [
      "destroy with a coded error",
      (s: Duplex) => s.destroy(accessDenied("locked")),
      "access_denied",
    ],
  ] as const) {
    for (const who of ["opener", "answerer"] as const)
      test(`${who}: ${cause} is an error at the other side, never an end`, async () => {
        const [near, far] = await openPair();
        const [actor, other] = who === "opener" ? [near, far] : [far, near];
        other.write("x");
        actor.write("some bytes");
        await once(other, "readable");
        abort(actor);
        coded(code)(await failure(other));
        await until("nothing is left", () => client.openStreams + server.openStreams === 0);
      });

    test(`and so after the other side has ended its own direction: ${cause}`, async () => {
      const [near, far] = await openPair();
      far.end();
      near.write("part");
      await once(far, "readable");
      abort(near);
      coded(code)(await failure(far));
    });
  }

  test("a lost session is an error on every stream, also on half-closed ones", async () => {
    const pairs = [await openPair(), await openPair(), await openPair()];
    pairs[1]![0].end();
    pairs[2]![1].end();
    const failures = pairs.flat().map(failure);
    sockets[0]!.destroy();
    for (const error of await Promise.all(failures)) coded("unavailable")(error);
    await assert.rejects(client.open({ headers: {} }), coded("unavailable"));
  });

  test("a session that is cut tells the code to every stream of the peer", async () => {
    const pairs = [await openPair(), await openPair()];
    const failures = pairs.flat().map(failure);
    server.destroy(accessDenied("locked"));
    for (const error of await Promise.all(failures)) coded("access_denied")(error);
    coded("access_denied")(await client.closed);
    coded("access_denied", /^locked$/)(await server.closed);
  });

  test("a socket that is gone already gives a session that is gone", async () => {
    for (const make of [
      (socket: net.Socket) => new MuxClient(socket, { clock: systemClock }),
      (socket: net.Socket) => new MuxServer(socket, accept, { clock: systemClock }),
    ]) {
      const [near, far] = await socketPair();
      far.destroy();
      near.destroy();
      await until("it is closed", () => near.closed);
      const session = make(near);
      assert.equal(session.usable, false);
      coded("unavailable")(await session.closed);
      await session.ending;
    }
  });

  test("an opening can be canceled, times out, and its handler hears of it", async () => {
    let gone = 0;
    handler = (request) => {
      request.signal.addEventListener("abort", () => (gone += 1));
    };
    const abort = new AbortController();
    const opening = client.open({ headers: {}, signal: abort.signal });
    await until("it arrived", () => server.openStreams === 1);
    abort.abort();
    await assert.rejects(opening, coded("canceled"));
    await until("the handler heard", () => gone === 1);
    await assert.rejects(client.open({ headers: {}, timeoutMs: 20 }), coded("timed_out"));
    await until("the handler heard", () => gone === 2);
    await assert.rejects(client.open({ headers: {}, signal: abort.signal }), coded("canceled"));
  });

  for (const code of [http2.constants.NGHTTP2_NO_ERROR, http2.constants.NGHTTP2_CANCEL])
    for (const answer of ["accept", "refuse"] as const)
      test(`an opening taken back with code ${code} may still be answered: ${answer}`, async () => {
        const [near, far] = await socketPair();
        const taken = Promise.withResolvers<void>();
        const answered = Promise.withResolvers<unknown>();
        const late: MuxHandler = async (request) => {
          await taken.promise;
          answered.resolve(answer === "accept" ? request.accept() : request.refuse(new Error()));
        };
        const odd = new MuxServer(far, late, { clock: systemClock });
        const session = http2.connect("http://x", { createConnection: () => near });
        const request = session.request({ ":method": "CONNECT", ":authority": "x" });
        request.on("error", () => {});
        await until("it arrived", () => odd.openStreams === 1);
        request.close(code);
        await once(request, "close");
        await new Promise((resolve) => session.ping(resolve));
        taken.resolve();
        const stream = (await answered.promise) as Duplex | undefined;
        if (stream) assert.ok(stream.destroyed);
        await until("nothing is left", () => odd.openStreams === 0);
        assert.ok(odd.usable);
        session.destroy();
        await odd.closed;
      });

  test("refuses more streams than either side allows", async () => {
    for (const socket of sockets) socket.destroy();
    await Promise.all([client.closed, server.closed]);
    await start({ maxStreams: 3 });
    const open = await Promise.all([1, 2, 3].map(() => client.open({ headers: {} })));
    await assert.rejects(client.open({ headers: {} }), coded("limit_exceeded"));
    open[0]!.destroy();
    await until("one place is free", () => !client.full && server.openStreams === 2);
    await client.open({ headers: {} });
  });

  test("a thousand aborts at once do not end the session", async () => {
    const [near, far] = await openPair();
    for (let round = 0; round < 5; round += 1) {
      const streams = await Promise.all(
        Array.from({ length: 400 }, () => client.open({ headers: {}, early: true })),
      );
      for (const stream of streams) stream.destroy();
    }
    await until("they are gone", () => client.openStreams === 1 && server.openStreams === 1);
    far.end("alive");
    assert.equal(await readAll(near), "alive");
  });

  for (const who of ["client", "server"] as const)
    test(`drain by the ${who}: open streams end, new ones are refused`, async () => {
      const [near, far] = await openPair();
      const drained = (who === "client" ? client : server).drain(10_000);
      await Promise.all([client.ending, server.ending]);
      await until("both know", () => !client.usable && !server.usable);
      await assert.rejects(client.open({ headers: {} }), coded("unavailable"));
      near.end("last");
      assert.equal(await readAll(far), "last");
      far.end("words");
      assert.equal(await readAll(near), "words");
      await drained;
      assert.equal(await client.closed, undefined);
      assert.equal(await server.closed, undefined);
    });

  test("drain cuts what has not ended by the deadline", async () => {
    const clock = new ManualClock();
    for (const socket of sockets) socket.destroy();
    await Promise.all([client.closed, server.closed]);
    await start({ clock });
    const [near, far] = await openPair();
    const failures = [failure(near), failure(far)];
    const drained = server.drain(5_000);
    await clock.advance(4_999);
    assert.ok(!near.destroyed);
    await clock.advance(1);
    await drained;
    for (const error of await Promise.all(failures)) coded("unavailable")(error);
  });

  /** Lets `ms` pass in steps, with time for real frames between them. */
  async function pass(clock: ManualClock, ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 100) {
      await clock.advance(100);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  async function startWithKeepAlive(clock: ManualClock): Promise<[Duplex, Duplex]> {
    for (const socket of sockets) socket.destroy();
    await Promise.all([client.closed, server.closed]);
    await start({ clock, keepAliveMs: 1_000, keepAliveTimeoutMs: 500 });
    const pair = await openPair();
    await until("the first ping is back", () => client.roundTripMs < Infinity);
    return pair;
  }

  test("a silent peer that answers is left alone, also after a burst of traffic", async () => {
    const clock = new ManualClock();
    const [near, far] = await startWithKeepAlive(clock);
    await pass(clock, 4_000);
    let bytes = 0;
    near.on("data", (chunk: Buffer) => (bytes += chunk.length));
    far.write(Buffer.alloc(300_000));
    await until("all came", () => bytes === 300_000);
    await pass(clock, 8_000);
    assert.ok(client.usable && server.usable);
  });

  test("a peer that does not answer is given up", async () => {
    const clock = new ManualClock();
    const [near, far] = await socketPair();
    const alone = new MuxClient(near, { clock, keepAliveMs: 1_000, keepAliveTimeoutMs: 500 });
    const stream = await alone.open({ headers: {}, early: true });
    far.resume();
    const failed = failure(stream);
    await pass(clock, 3_000);
    coded("unavailable", /does not answer/)(await failed);
    coded("unavailable", /does not answer/)(await alone.closed);
    far.destroy();
  });

  /** A line on which every byte takes `ms` longer, each way; gives its two ends. */
  async function longLine(ms: number): Promise<[net.Socket, net.Socket]> {
    const [near, nearInside] = await socketPair();
    const [far, farInside] = await socketPair();
    const delay = (from: net.Socket, to: net.Socket): void => {
      from.on("data", (chunk) => setTimeout(() => to.writable && to.write(chunk), ms));
      from.on("error", () => {}).on("close", () => to.destroy());
    };
    delay(nearInside, farInside);
    delay(farInside, nearInside);
    return [near, far];
  }

  test("a stream over a long line gets the window that fills it, and shares it with many", async () => {
    for (const socket of sockets) socket.destroy();
    await Promise.all([client.closed, server.closed]);
    const [near, far] = await longLine(10);
    sockets = [near, far];
    server = new MuxServer(far, accept, { clock: systemClock });
    client = new MuxClient(near, { clock: systemClock });
    const before = client.streamWindow;
    const [reader, writer] = await openPair();
    reader.resume();
    const chunk = Buffer.alloc(64 * 1024);
    for (let i = 0; i < 1_000 && client.streamWindow < 4 * before; i += 1)
      if (!writer.write(chunk)) await once(writer, "drain");
    assert.ok(client.streamWindow >= 4 * before, `${client.streamWindow}`);
    assert.ok(client.roundTripMs >= 15, `${client.roundTripMs}`);
    const large = client.streamWindow;
    const streams = (2 * 64 * 1024 * 1024) / large;
    await Promise.all(Array.from({ length: streams }, () => client.open({ headers: {} })));
    assert.ok(client.streamWindow < 0.6 * large, `${client.streamWindow}`);
  });

  test("a reader that stalls holds one window, and the others keep moving", async () => {
    const [stalled, source] = await openPair();
    let sent = 0;
    const chunk = Buffer.alloc(64 * 1024);
    const fill = (): void => {
      while (source.write(chunk)) sent += chunk.length;
      source.once("drain", fill);
    };
    fill();
    await until("the window is full", () => stalled.readableLength >= client.streamWindow);
    const [near, far] = await openPair();
    let received = 0;
    near.on("data", (data: Buffer) => (received += data.length));
    for (let i = 0; i < 500; i += 1) if (!far.write(chunk)) await once(far, "drain");
    await until("all came", () => received === 500 * chunk.length);
    assert.ok(stalled.readableLength <= 2 * client.streamWindow);
    assert.ok(sent < 4 * client.streamWindow, `${sent} bytes left the source`);
  });
});
