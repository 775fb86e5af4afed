import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, it } from "node:test";
import { ManualClock } from "#testing/clock";
import { LocalBench } from "#testing/local";
import { until } from "#testing/wait";

const START = "POST /tenon.tbot.v1.BotApiService/GetConfig HTTP/1.1\r\n";
const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** Writes and gives what comes back until the other side closes. */
async function said(path: string, ...writes: readonly (string | Buffer)[]): Promise<string> {
  const socket = connect(path);
  let text = "";
  socket.on("data", (bytes: Buffer) => (text += bytes.toString("latin1"))).on("error", () => {});
  for (const bytes of writes) socket.write(bytes);
  await new Promise((resolve) => socket.once("close", resolve));
  return text;
}

const stillServes = async (bench: LocalBench): Promise<void> =>
  assert.equal((await (await bench.client()).getConfig({})).configuration, "ü");

describe("a peer that sends garbage", () => {
  for (const [what, bytes, answer] of [
    ["random bytes", Buffer.from([0, 255, 1, 254, 13, 10, 13, 10]), /400 Bad Request/],
    ["a TLS hello", Buffer.from("16030100050100000100", "hex"), /400 Bad Request/],
    ["a preface and noise", `${PREFACE}${"z".repeat(100)}`, /^/],
    ["a header that never ends", `${START}x: ${"y".repeat(100_000)}`, /431/],
    ["no host in HTTP/1.0", "POST /x HTTP/1.0\r\n\r\n", /404 Not Found/],
    [
      "no host in HTTP/1.0, at a call that exists",
      `${START.replace("1.1", "1.0")}content-type: application/json\r\ncontent-length: 2\r\n\r\n{}`,
      /400 Bad Request[\s\S]*no valid path or host/,
    ],
    [
      "a host that is none",
      `${START}host: [::\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}`,
      /400 Bad Request[\s\S]*no valid path or host/,
    ],
  ] as const)
    it(`gets an answer or an end for ${what}, and nobody else notices`, async () => {
      await using bench = await LocalBench.open();
      assert.match(await said(bench.path, bytes), answer);
      await stillServes(bench);
      await until("only the good one is left", () => bench.server.connections === 1);
    });

  it("may start slowly, byte by byte, and is served", async () => {
    await using bench = await LocalBench.open();
    const whole = `${START}host: bot\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`;
    const socket = connect(bench.path);
    let text = "";
    socket.on("data", (bytes: Buffer) => (text += bytes.toString()));
    for (const byte of whole) {
      socket.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await once(socket, "close");
    assert.match(text, /200 OK[\s\S]*"configuration"/);
  });
});

describe("a peer that is slow", () => {
  const limits = { headerMs: 1_000, requestMs: 2_000, idleMs: 3_000 };
  const open = async (clock: ManualClock, write: string): Promise<[LocalBench, Socket]> => {
    const bench = await LocalBench.open({ clock, limits });
    const socket = connect(bench.path).on("error", () => {});
    socket.resume();
    if (write !== "") socket.write(write);
    await until("its timer is armed", () => clock.pending > 0);
    return [bench, socket];
  };

  for (const [what, write, ms] of [
    ["says nothing", "", 1_000],
    ["stops within the first bytes", "P", 1_000],
    ["stops within the headers", `${START}host:`, 1_000],
    ["stops within HTTP/2's preface", PREFACE.slice(0, 20), 1_000],
    ["makes no call over HTTP/2", PREFACE, 1_000],
  ] as const)
    it(`is closed when it ${what}`, async () => {
      const clock = new ManualClock();
      const [bench, socket] = await open(clock, write);
      await using _ = bench;
      await clock.advance(ms - 1);
      assert.equal(bench.server.connections, 1);
      await clock.advance(1);
      await until("it is closed", () => socket.closed);
    });

  it("is closed when it stops within its request", async () => {
    const clock = new ManualClock();
    const headers = `${START}host: bot\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{`;
    const [bench, socket] = await open(clock, headers);
    await using _ = bench;
    await until("the call has begun", () => bench.server.calls === 1);
    await clock.advance(1_999);
    assert.equal(bench.server.connections, 1);
    await clock.advance(1);
    await until("it is closed", () => socket.closed);
    await until("the call is over", () => bench.server.calls === 0);
  });

  it("is closed when it makes no other call", async () => {
    const clock = new ManualClock();
    await using bench = await LocalBench.open({ clock, limits });
    await stillServes(bench);
    await until("the call is over", () => bench.server.calls === 0);
    await clock.advance(2_999);
    assert.equal(bench.server.connections, 1);
    await clock.advance(1);
    await until("the connection is closed", () => bench.server.connections === 0);
  });

  it("does not hold up the end of the server longer than its grace", async () => {
    const clock = new ManualClock();
    const never = new Promise<never>(() => {});
    const bench = await LocalBench.open({ clock, calls: { getConfig: () => never } });
    const call = (await bench.client()).getConfig({});
    const lost = assert.rejects(call, { code: "unavailable" });
    await until("the call has begun", () => bench.server.calls === 1);
    const closed = bench[Symbol.asyncDispose]();
    await until("it waits", () => clock.pending === 1);
    await clock.advance(5_000);
    await closed;
    await lost;
  });
});
