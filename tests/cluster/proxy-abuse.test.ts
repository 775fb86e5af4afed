import assert from "node:assert/strict";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import http2 from "node:http2";
import net from "node:net";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import tls from "node:tls";
import { systemClock } from "#base/kernel";
import { REVERSE_ALPN, ROUTE_ALPN } from "#services/tunnel";
import { dialDirect, echoApplication, type TestServer } from "#testing/applications";
import { startCluster, type TestCluster } from "#testing/cluster";
import { TestIdentities } from "#testing/identities";
import { until } from "#testing/wait";

const ROUNDS = 100;

describe("a port under abuse", () => {
  let cluster: TestCluster;
  let echo: TestServer;
  let foreign: TestIdentities;

  before(async () => {
    echo = await echoApplication();
    foreign = await TestIdentities.open(systemClock);
    cluster = await startCluster({ portLimits: { helloMs: 300, handshakeMs: 300 } });
    await cluster.role("all");
    await cluster.serve([{ name: "echo", uri: `tcp://127.0.0.1:${echo.port}` }]);
    assert.equal(await serves(), "hello");
  });
  after(async () => {
    await cluster[Symbol.asyncDispose]();
    await echo[Symbol.asyncDispose]();
    await foreign.store[Symbol.asyncDispose]();
  });

  async function serves(): Promise<string> {
    const holder = cluster.identities.user({ roles: ["all"], appName: "echo" });
    const socket = dialDirect(cluster, "echo", holder);
    socket.end("hello");
    return text(socket);
  }

  const raw = (): net.Socket =>
    net
      .connect(cluster.address)
      .on("error", () => {})
      .resume();

  const secure = (alpn: string, options: tls.ConnectionOptions = {}): tls.TLSSocket => {
    const socket = tls.connect({
      ...cluster.address,
      servername: cluster.identities.serverName,
      ca: cluster.identities.hostCa,
      ALPNProtocols: [alpn],
      ...options,
    } as tls.ConnectionOptions);
    socket.on("error", () => {});
    socket.resume();
    return socket;
  };

  const noise = Buffer.from(
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\x00\x00garbage",
    "latin1",
  );
  const host = (): tls.ConnectionOptions => cluster.identities.host();
  const user = (): tls.ConnectionOptions =>
    cluster.identities.user({ roles: ["all"], appName: "echo" });

  const abuses: [string, () => net.Socket, Buffer | undefined][] = [
    ["connections without a word", raw, undefined],
    ["plain HTTP", raw, Buffer.from("GET / HTTP/1.1\r\nHost: a\r\n\r\n")],
    ["noise", raw, Buffer.alloc(2_000, 0x99)],
    ["hellos that stop", raw, Buffer.from([22, 3, 1, 2, 0, 1, 0, 1])],
    [
      "hellos that are too large",
      raw,
      Buffer.concat([Buffer.from([22, 3, 1, 64, 0, 1, 1, 0, 0]), Buffer.alloc(17_000)]),
    ],
    ["HTTP/2 garbage for gRPC", () => secure("h2"), noise],
    ["gRPC that never begins", () => secure("h2"), undefined],
    ["HTTP/2 garbage in a reverse tunnel", () => secure(REVERSE_ALPN, host()), noise],
    ["HTTP/2 garbage in a routed session", () => secure(ROUTE_ALPN, user()), noise],
    [
      "foreign certificates for a reverse tunnel",
      () => secure(REVERSE_ALPN, foreign.host()),
      undefined,
    ],
    [
      "foreign certificates for an application",
      () =>
        secure("x", {
          ...foreign.user(),
          servername: "echo.example.test",
          rejectUnauthorized: false,
        }),
      undefined,
    ],
    [
      "web requests that stop",
      () => secure("http/1.1", { servername: "example.test", rejectUnauthorized: false }),
      Buffer.from("GET / HT"),
    ],
  ];
  for (const [what, open, bytes] of abuses)
    test(`${what}: still serves, and holds on to nothing`, async () => {
      const before = await descriptors();
      const sockets = Array.from({ length: ROUNDS }, open);
      for (const socket of sockets) if (bytes) socket.write(bytes);
      await Promise.all(sockets.map(half));
      assert.equal(await serves(), "hello");
      for (const socket of sockets) socket.destroy();
      const { proxy } = cluster.cluster;
      await until("all are gone", () => proxy.open.handshakes === 0 && proxy.open.strangers === 0);
      await until("the descriptors too", async () => (await descriptors()) <= before + SLACK);
    });

  /** Half of the clients reset at a time that nothing expects; the others stay. */
  let turn = 0;
  async function half(socket: net.Socket): Promise<void> {
    turn += 1;
    if (turn % 2 === 0) return;
    await new Promise((resolve) => setTimeout(resolve, turn % 7));
    if (!(socket instanceof tls.TLSSocket)) socket.resetAndDestroy();
    else socket.destroy();
  }

  test("tells the audit log of it once, not a hundred times", async () => {
    const denied = await cluster.events("auth.denied");
    const reverse = denied.filter(
      ({ fields }) => (fields as { rpc: string }).rpc === "tls/reverse",
    );
    assert.equal(reverse.length, 1);
    assert.match(JSON.stringify(reverse[0]), /no trusted authority/);
  });

  test("resets of many streams end no session", async () => {
    const socket = secure(ROUTE_ALPN, user());
    await once(socket, "secureConnect");
    socket.pause();
    const session = http2.connect("https://mux", { createConnection: () => socket });
    session.on("error", () => {});
    for (let round = 0; round < 500; round += 1) {
      const stream = session.request({ ":method": "CONNECT", ":authority": "mux" });
      stream.on("error", () => {});
      stream.close(http2.constants.NGHTTP2_CANCEL);
    }
    const last = session.request({ ":method": "CONNECT", ":authority": "mux" });
    last.end("still here");
    assert.equal(await text(last), "still here");
    session.destroy();
    await until("nothing is left", () => cluster.cluster.proxy.open.tunnelled === 0);
  });
});

/** Sockets of the kernel that a garbage collector has not closed yet, and the store's files. */
const SLACK = 4;

const descriptors = async (): Promise<number> => (await readdir("/proc/self/fd")).length;
