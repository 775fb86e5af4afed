import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { afterEach, beforeEach, describe, test } from "node:test";
import { accessDenied, CodedError, silentLogger, systemClock, unavailable } from "#base/kernel";
import { MuxServer, type MuxHandler } from "#base/wire";
import { LockSet } from "#domain/access";
import { LiveConnections, ReverseTunnelPool, type TunnelDial } from "#services/tunnel";
import { ManualClock } from "#testing/clock";
import { until } from "#testing/wait";

const coded = (code: string) => (error: unknown) => {
  assert.ok(error instanceof CodedError, String(error));
  assert.equal(error.code, code, error.message);
  return true;
};

const identity = { targets: [], expires: Date.parse("2100-01-01T00:00:00Z") };

describe("the pool of reverse tunnels", () => {
  let clock: ManualClock;
  let live: LiveConnections;
  let pool: ReverseTunnelPool;
  let sockets: net.Socket[];
  let dialled: string[];

  beforeEach(() => {
    clock = new ManualClock();
    sockets = [];
    dialled = [];
    live = new LiveConnections({ clock, locks: new LockSet() });
    pool = new ReverseTunnelPool({ clock, logger: silentLogger, live });
  });

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await pool[Symbol.asyncDispose]();
    live[Symbol.dispose]();
  });

  /** The agent's end of a session that the pool has registered. */
  async function agentSocket(hostId: string): Promise<net.Socket> {
    const server = net.createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as net.AddressInfo;
    const accepted = once(server, "connection") as Promise<[net.Socket]>;
    const near = net.connect({ port, host: "127.0.0.1" });
    const [socket] = await accepted;
    server.close();
    sockets.push(near, socket);
    near.on("error", () => {});
    pool.register({ socket, hostId, identity });
    return near;
  }

  async function agent(hostId: string, handler?: MuxHandler): Promise<MuxServer> {
    const accept: MuxHandler = (request) => void request.accept().resume();
    return new MuxServer(
      await agentSocket(hostId),
      (request) => {
        dialled.push(hostId);
        return (handler ?? accept)(request);
      },
      { clock: systemClock },
    );
  }

  const dial = (hostIds: string[], rest: Partial<TunnelDial> = {}) =>
    pool.dial({
      appName: "web",
      certificate: Buffer.from("x"),
      remoteAddr: "192.0.2.7",
      hostIds,
      ...rest,
    });

  test("refuses when nobody serves the application, and when nobody who does is connected", async () => {
    await agent("a");
    await assert.rejects(dial([]), coded("not_found"));
    await assert.rejects(dial(["b", "c"]), coded("unavailable"));
    assert.deepEqual(dialled, []);
  });

  test("spreads connections over agents and sessions", async () => {
    await agent("a");
    await agent("a");
    await agent("b");
    for (let i = 0; i < 6; i += 1) await dial(["a", "b"]);
    assert.deepEqual(dialled.toSorted(), ["a", "a", "a", "a", "b", "b"]);
    assert.equal(pool.openConnections, 6);
    assert.deepEqual(pool.hostIds, ["a", "b"]);
  });

  test("goes on to another host when one cannot reach the application, not to its other session", async () => {
    const down: MuxHandler = (request) => request.refuse(unavailable("connection refused"));
    await agent("a", down);
    await agent("a", down);
    await agent("b");
    (await dial(["a", "b"])).destroy();
    assert.deepEqual(dialled, ["a", "b"]);
  });

  test("tells the last refusal when all refuse", async () => {
    const down: MuxHandler = (request) => request.refuse(unavailable("connection refused"));
    await agent("a", down);
    await agent("b", down);
    await assert.rejects(dial(["a", "b"]), /connection refused/);
    assert.deepEqual(dialled, ["a", "b"]);
  });

  test("does not shop around for a decision", async () => {
    await agent("a", (request) => request.refuse(accessDenied("no")));
    await agent("b");
    await assert.rejects(dial(["a", "b"]), coded("access_denied"));
    assert.deepEqual(dialled, ["a"]);
  });

  test("goes on to another session when one is lost during the dialling", async () => {
    const lost = await agentSocket("a");
    const mux = new MuxServer(lost, () => void lost.destroy(), { clock: systemClock });
    await agent("b");
    (await dial(["a", "b"])).destroy();
    coded("unavailable")(await mux.closed);
    assert.deepEqual(dialled, ["b"]);
    await until("it is removed", () => !pool.has("a"));
  });

  test("goes on to another agent when one does not answer", async () => {
    await agent("a", () => {});
    await agent("b");
    const dialling = dial(["a", "b"]);
    await until("the first has it", () => dialled.length === 1);
    await clock.advance(10_000);
    (await dialling).destroy();
    assert.deepEqual(dialled, ["a", "b"]);
  });

  test("passes over an agent that drains", async () => {
    const draining = await agent("a");
    await agent("b");
    void draining.drain(60_000);
    await until("the pool knows", () =>
      dial(["a"]).then(
        (stream) => void stream.destroy(),
        () => true,
      ),
    );
    dialled.length = 0;
    (await dial(["a", "b"])).destroy();
    assert.deepEqual(dialled, ["b"]);
  });

  test("a client that gives up ends the dialling, and is not passed on", async () => {
    await agent("a", () => {});
    await agent("b");
    const abort = new AbortController();
    const dialling = dial(["a", "b"], { signal: abort.signal });
    await until("the first has it", () => dialled.length === 1);
    abort.abort();
    await assert.rejects(dialling, coded("canceled"));
    assert.deepEqual(dialled, ["a"]);
  });

  test("an agent that opens ever more sessions is stopped", async () => {
    for (let i = 0; i < 16; i += 1) await agent("a");
    await assert.rejects(agent("a"), coded("limit_exceeded"));
    await agent("b");
  });

  test("an agent that says no HTTP/2 is dropped", async () => {
    const odd = await agentSocket("a");
    odd.write("HTTP/1.1 200 OK\r\n\r\n".repeat(10));
    await until("it is gone", () => !pool.has("a"));
  });

  test("an agent whose certificate has expired is turned away, and told so", async () => {
    const expired = { targets: [], expires: clock.now() };
    const server = net.createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as net.AddressInfo;
    const near = net.connect({ port, host: "127.0.0.1" });
    const mux = new MuxServer(near, () => {}, { clock: systemClock });
    const [socket] = (await once(server, "connection")) as [net.Socket];
    server.close();
    sockets.push(near, socket);
    assert.throws(
      () => pool.register({ socket, hostId: "a", identity: expired }),
      coded("access_denied"),
    );
    assert.ok(!pool.has("a"));
    coded("access_denied")(await mux.closed);
  });
});
