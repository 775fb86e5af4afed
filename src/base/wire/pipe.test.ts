import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, test } from "node:test";
import { accessDenied, CodedError } from "#base/kernel";
import { until } from "#testing/wait";
import { cut, pipeDuplex } from "./pipe.ts";
import { YoungGarbage } from "./young-garbage.ts";

const sockets: net.Socket[] = [];

/** Both ends of a connection, half-open allowed. */
async function pair(path?: string): Promise<[net.Socket, net.Socket]> {
  const server = net.createServer({ allowHalfOpen: true });
  server.listen(path ? { path } : { port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  const accepted = once(server, "connection") as Promise<[net.Socket]>;
  const address = server.address();
  const where = path ? { path } : { port: (address as net.AddressInfo).port, host: "127.0.0.1" };
  const near = net.connect({ ...where, allowHalfOpen: true }).on("error", () => {});
  const [far] = await accepted;
  far.on("error", () => {});
  if (near.connecting) await once(near, "connect");
  server.close();
  sockets.push(near, far);
  return [near, far];
}

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

async function readAll(socket: net.Socket): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

const errorOf = async (socket: net.Socket): Promise<string> => {
  socket.resume();
  if (!socket.closed) await new Promise((resolve) => socket.once("close", resolve));
  return socket.errored && "code" in socket.errored ? String(socket.errored.code) : "none";
};

describe("pipeDuplex", () => {
  test("carries both directions, ends each alone, counts, and resolves when both are done", async () => {
    const [client, a] = await pair();
    const [b, app] = await pair();
    const counts = { aToB: 0, bToA: 0 };
    const piped = pipeDuplex(a, b, counts);
    client.end("request");
    assert.equal(await readAll(app), "request");
    assert.equal(counts.aToB, 7);
    app.end("the response");
    assert.equal(await readAll(client), "the response");
    assert.deepEqual(await piped, { aToB: 7, bToA: 12 });
  });

  test("passes a reader's slowness on to the writer", async () => {
    const [client, a] = await pair();
    const [b, app] = await pair();
    const counts = { aToB: 0, bToA: 0 };
    const piped = pipeDuplex(a, b, counts);
    piped.catch(() => {});
    const block = Buffer.alloc(1024 * 1024);
    let written = 0;
    const fill = (): void => {
      while (client.write(block)) written += block.length;
    };
    client.on("drain", fill);
    fill();
    let last = -1;
    await until("it stands still", async () => {
      const still = counts.aToB === last && last > 0;
      last = counts.aToB;
      await new Promise((resolve) => setTimeout(resolve, 50));
      return still;
    });
    assert.ok(b.writableLength < 256 * 1024, `${b.writableLength} bytes wait in the pipe`);
    app.resume();
    await until("it moves again", () => counts.aToB > last);
  });

  for (const [what, breakOff] of [
    ["resets", (socket: net.Socket) => socket.resetAndDestroy()],
    ["is destroyed in the middle", (socket: net.Socket) => socket.destroy()],
  ] as const)
    test(`resets the other side when one ${what}`, async () => {
      const [client, a] = await pair();
      const [b, app] = await pair();
      const piped = pipeDuplex(a, b);
      app.write("part");
      await once(client, "data");
      if (what === "resets") breakOff(client);
      else breakOff(a);
      await assert.rejects(piped);
      assert.equal(await errorOf(app), "ECONNRESET");
      assert.ok(a.destroyed && b.destroyed);
    });

  test("fails at once when one side is gone already", async () => {
    const [, a] = await pair();
    const [b, app] = await pair();
    a.destroy();
    await assert.rejects(
      pipeDuplex(a, b),
      (error) => error instanceof CodedError && error.code === "unavailable",
    );
    assert.equal(await errorOf(app), "ECONNRESET");
  });

  test("does not wait for a peer that reads nothing when it cuts", async () => {
    const [client, a] = await pair();
    const [b, app] = await pair();
    const piped = pipeDuplex(a, b);
    const block = Buffer.alloc(1024 * 1024);
    while (b.writableLength < 64 * 1024) {
      client.write(block);
      await new Promise((resolve) => setImmediate(resolve));
    }
    a.destroy(accessDenied("locked"));
    await assert.rejects(piped, /locked/);
    assert.equal(await errorOf(app), "ECONNRESET");
  });

  test("can only end a Unix socket, which knows no reset", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tenon-pipe-"));
    const [client, a] = await pair(join(folder, "s"));
    const [b, app] = await pair();
    const piped = pipeDuplex(a, b);
    client.write("x");
    await once(app, "data");
    app.resetAndDestroy();
    await assert.rejects(piped);
    assert.equal(await readAll(client), "");
    await rm(folder, { recursive: true });
  });
});

describe("cut", () => {
  test("is heard as a reset, not as an end, and does nothing twice", async () => {
    const [near, far] = await pair();
    cut(near, accessDenied("locked"));
    cut(near, accessDenied("locked"));
    assert.equal(await errorOf(far), "ECONNRESET");
  });
});

describe("YoungGarbage", () => {
  test("asks for a young collection after each 4 MiB", () => {
    const asked: string[] = [];
    const garbage = new YoungGarbage(({ type }) => asked.push(type));
    for (let i = 0; i < 127; i += 1) garbage.dropped(64 * 1024);
    assert.deepEqual(asked, ["minor"]);
    garbage.dropped(64 * 1024);
    assert.deepEqual(asked, ["minor", "minor"]);
  });

  test("finds V8's collector without a flag of the command line", () => {
    const garbage = new YoungGarbage();
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 512; i += 1) garbage.dropped(Buffer.alloc(64 * 1024).length);
    const held = process.memoryUsage().arrayBuffers - before;
    assert.ok(held < 16 * 1024 * 1024, `${held} bytes are held`);
    assert.equal(Reflect.get(globalThis, "gc"), undefined);
  });
});
