import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { afterEach, beforeEach, describe, test } from "node:test";
import tls from "node:tls";
import { CodedError, silentLogger, systemClock, type Clock } from "#base/kernel";
import { MuxClient } from "#base/wire";
import { LockSet } from "#domain/access";
import {
  LiveConnections,
  REVERSE_ALPN,
  ReverseTunnelAgent,
  ROUTE_ALPN,
  RouteClient,
  RouteServer,
  type ReverseAgentStatus,
} from "#services/tunnel";
import { ManualClock } from "#testing/clock";
import { TestAuthority, TlsListener } from "#testing/tls";
import { until } from "#testing/wait";

const coded = (code: string, message?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof CodedError, String(error));
  assert.equal(error.code, code, error.message);
  if (message) assert.match(error.message, message);
  return true;
};

const NAME = "proxy.test.tenon.internal";
const authority = new TestAuthority();
const foreign = new TestAuthority();
const FAR_FUTURE = Date.parse("2100-01-01T00:00:00Z");

/** A client of a proxy at `port`, as a bot has it. */
function routeClient(port: number, clock: Clock = systemClock): RouteClient {
  return new RouteClient({
    address: () => ({ host: "127.0.0.1", port }),
    credentials: () => ({
      ...authority.issue("clientAuth"),
      ca: [authority.ca],
      serverName: NAME,
      expires: FAR_FUTURE,
    }),
    clock,
    logger: silentLogger,
    live: new LiveConnections({ clock, locks: new LockSet() }),
  });
}

describe("a bot that dials", () => {
  const refusals: [string, tls.TlsOptions, RegExp][] = [
    [
      "a proxy of a foreign cluster",
      { ...foreign.issue("serverAuth", { name: NAME }), ALPNProtocols: [ROUTE_ALPN] },
      /cannot be reached: .*(certificate|issuer)/,
    ],
    [
      "a server with another name",
      { ...authority.issue("serverAuth", { name: "evil.test" }), ALPNProtocols: [ROUTE_ALPN] },
      /cannot be reached: .*altnames/i,
    ],
    [
      "a host that shows a client's certificate",
      { ...authority.issue("clientAuth", { name: NAME }), ALPNProtocols: [ROUTE_ALPN] },
      /cannot be reached: .*purpose/,
    ],
    [
      "a proxy whose certificate has expired",
      {
        ...authority.issue("serverAuth", { name: NAME, from: -7_200_000, to: -3_600_000 }),
        ALPNProtocols: [ROUTE_ALPN],
      },
      /cannot be reached: .*expired/,
    ],
    [
      "a server that does not speak of routes",
      { ...authority.issue("serverAuth", { name: NAME }), ALPNProtocols: ["h2"] },
      /cannot be reached|does not speak/,
    ],
    [
      "a server without ALPN",
      { ...authority.issue("serverAuth", { name: NAME }), ALPNProtocols: [] },
      /does not speak tenon-route/,
    ],
  ];
  for (const [name, options, reason] of refusals)
    test(`refuses ${name}`, async () => {
      await using listener = await TlsListener.open(options, () => {});
      await using client = routeClient(listener.port);
      await assert.rejects(client.connect(), coded("unavailable", reason));
    });

  test("says that nobody listens", async () => {
    const probe = net.createServer().listen(0, "127.0.0.1");
    await once(probe, "listening");
    const { port } = probe.address() as net.AddressInfo;
    probe.close();
    await using client = routeClient(port);
    await assert.rejects(client.connect(), coded("unavailable", /ECONNREFUSED/));
  });

  test("gives up a server that accepts and says nothing", async () => {
    const clock = new ManualClock();
    const sockets: net.Socket[] = [];
    const silent = net.createServer((socket) => sockets.push(socket)).listen(0, "127.0.0.1");
    await once(silent, "listening");
    await using client = routeClient((silent.address() as net.AddressInfo).port, clock);
    const connecting = assert.rejects(client.connect(), coded("timed_out"));
    await until("it is accepted", () => sockets.length === 1);
    await clock.advance(15_000);
    await connecting;
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  test("one caller that gives up does not end the dialling of the others", async () => {
    const sockets: net.Socket[] = [];
    const silent = net.createServer((socket) => sockets.push(socket)).listen(0, "127.0.0.1");
    await once(silent, "listening");
    await using client = routeClient((silent.address() as net.AddressInfo).port);
    const abort = new AbortController();
    const first = assert.rejects(client.connect({ signal: abort.signal }), coded("canceled"));
    const second = assert.rejects(client.connect(), coded("unavailable"));
    await until("it is accepted", () => sockets.length === 1);
    abort.abort();
    await first;
    assert.equal(sockets[0]!.destroyed, false);
    for (const socket of sockets) socket.destroy();
    await second;
    silent.close();
  });
});

describe("an agent that dials", () => {
  test("reports why it is not connected, backs off with jitter up to 30 s, and stops at once", async () => {
    const clock = new ManualClock();
    let dialled = 0;
    const refusing = net.createServer((socket) => {
      dialled += 1;
      socket.destroy();
    });
    refusing.listen(0, "127.0.0.1");
    await once(refusing, "listening");
    const { port } = refusing.address() as net.AddressInfo;
    const statuses: ReverseAgentStatus[] = [];
    const agent = new ReverseTunnelAgent({
      address: () => ({ host: "127.0.0.1", port }),
      credentials: () => ({
        ...authority.issue("clientAuth"),
        ca: [authority.ca],
        serverName: NAME,
        expires: FAR_FUTURE,
      }),
      serve: () => {},
      clock,
      random: () => 1,
      logger: silentLogger,
      sessions: 1,
      onStatus: (status) => statuses.push(status),
    });
    const stop = new AbortController();
    const done = agent.run(stop.signal);
    const waits = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000];
    for (const [i, waitMs] of waits.entries()) {
      await until("it waits", () => statuses.length === i + 1 && clock.pending === 1);
      await clock.advance(waitMs - 1);
      assert.equal(dialled, i + 1);
      await clock.advance(1);
    }
    await until("it waits", () => statuses.length === waits.length + 1);
    const { connected, lastError } = agent.status;
    assert.equal(connected, 0);
    assert.match(lastError ?? "", /cannot be reached/);
    stop.abort();
    await done;
    refusing.close();
  });
});

describe("a proxy that is dialled by", () => {
  const server = new RouteServer({
    clock: systemClock,
    logger: silentLogger,
    live: new LiveConnections({ clock: systemClock, locks: new LockSet() }),
  });
  let listener: TlsListener;

  beforeEach(async () => {
    listener = await TlsListener.open(
      {
        ...authority.issue("serverAuth", { name: NAME }),
        ca: authority.ca,
        ALPNProtocols: [ROUTE_ALPN, REVERSE_ALPN],
      },
      (socket) => {
        socket.on("error", () => {});
        server.accept({
          socket,
          identity: { targets: [], expires: FAR_FUTURE },
          dial: () => Promise.reject(new Error("password=hunter2")),
        });
      },
    );
  });

  afterEach(() => listener[Symbol.asyncDispose]());

  async function secure(): Promise<tls.TLSSocket> {
    const socket = tls.connect({
      port: listener.port,
      host: "127.0.0.1",
      ...authority.issue("clientAuth"),
      ca: authority.ca,
      servername: NAME,
      ALPNProtocols: [ROUTE_ALPN],
    });
    socket.on("error", () => {});
    await once(socket, "secureConnect");
    return socket;
  }

  const gone = (socket: tls.TLSSocket): Promise<unknown> =>
    until("it is hung up on", () => socket.destroyed && listener.sockets === 0);

  const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  const frame = (type: number, stream: number, body: Buffer, length = body.length): Buffer => {
    const head = Buffer.alloc(9);
    head.writeUIntBE(length, 0, 3);
    head[3] = type;
    head.writeUInt32BE(stream, 5);
    return Buffer.concat([head, body]);
  };
  const settings = frame(4, 0, Buffer.alloc(0));

  const violations: [string, Buffer][] = [
    ["one who speaks HTTP/1.1", Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n")],
    ["one who speaks noise", Buffer.alloc(100, 0xa5)],
    [
      "a frame larger than allowed",
      Buffer.concat([preface, settings, frame(0, 1, Buffer.alloc(0), 0xfffff)]),
    ],
    [
      "data on a stream that does not exist",
      Buffer.concat([preface, settings, frame(0, 7, Buffer.from("x"))]),
    ],
    [
      "headers that no HPACK decoder reads",
      Buffer.concat([preface, settings, frame(1, 1, Buffer.alloc(64, 0xff))]),
    ],
    [
      "a window that overflows",
      Buffer.concat([
        preface,
        settings,
        ...Array.from({ length: 3 }, () => frame(8, 0, Buffer.from([0x7f, 0xff, 0xff, 0xff]))),
      ]),
    ],
  ];
  for (const [name, bytes] of violations)
    test(`${name}: hangs up, and serves the next`, async () => {
      const odd = await secure();
      odd.resume().write(bytes);
      await gone(odd);
      const good = new MuxClient(await secure(), { clock: systemClock });
      await assert.rejects(good.open({ headers: {} }), coded("internal", /^the far end failed$/));
      good.destroy(new CodedError("canceled", "done"));
    });

  test("one who stops in the middle of the preface, then leaves: keeps nothing", async () => {
    const odd = await secure();
    odd.write(preface.subarray(0, 10));
    await until("it is there", () => server.sessions === 1);
    odd.destroy();
    await until("it is gone", () => server.sessions === 0);
  });

  test("one with headers that are too large: refuses that stream only", async () => {
    const mux = new MuxClient(await secure(), { clock: systemClock });
    const large = { "x-large": "a".repeat(60_000) };
    await assert.rejects(mux.open({ headers: large }));
    await assert.rejects(mux.open({ headers: {} }), coded("internal"));
    mux.destroy(new CodedError("canceled", "done"));
  });
});
