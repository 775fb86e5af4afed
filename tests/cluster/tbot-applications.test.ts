// Applications that behave badly, and programs that do, on either side of a bot's tunnel.
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import { after, before, describe, test } from "node:test";
import { text } from "node:stream/consumers";
import {
  closedPort,
  echoApplication,
  httpApplication,
  tcpApplication,
  type TestServer,
} from "#testing/applications";
import { TestBot } from "#testing/bot";
import { startCluster, type TestCluster } from "#testing/cluster";
import { until } from "#testing/wait";

const MIB = 1024 * 1024;
/** What may be under way between two ends that do not move: windows, sockets, pipes. */
const IN_FLIGHT_BYTES = 24 * MIB;

describe("through a bot's tunnel", () => {
  let cluster: TestCluster;
  let bot: TestBot;
  let servers: Record<string, TestServer>;
  const ports: Record<string, number> = {};
  let flooded = 0;

  before(async () => {
    servers = {
      echo: await echoApplication(),
      resets: await tcpApplication((socket) => socket.once("data", () => socket.resetAndDestroy())),
      hangs: await tcpApplication((socket) => void socket.resume()),
      floods: await tcpApplication((socket) => {
        const chunk = Buffer.alloc(MIB);
        const pump = (): void => {
          while (socket.write(chunk)) flooded += MIB;
          flooded += MIB;
        };
        socket.on("drain", pump);
        pump();
      }),
      web: await httpApplication((request, response) => {
        if (request.url === "/hang") return;
        response.writeHead(200, { "content-length": 10 });
        response.write("half");
        if (request.url === "/break") setTimeout(() => response.socket?.resetAndDestroy(), 20);
        else response.end(" whole");
      }),
    };
    cluster = await startCluster();
    await cluster.role("all");
    const { web, ...tcp } = servers;
    const down = await closedPort();
    await cluster.serve([
      ...Object.entries(tcp).map(([name, { port }]) => ({ name, uri: `tcp://127.0.0.1:${port}` })),
      { name: "down", uri: `tcp://127.0.0.1:${down}` },
      { name: "web", uri: `http://127.0.0.1:${web!.port}`, responseTimeoutMs: 300 },
      { name: "webdown", uri: `http://127.0.0.1:${down}` },
    ]);
    const apps = [...Object.keys(servers), "down", "webdown"];
    for (const app of apps) ports[app] = await closedPort();
    bot = await TestBot.start({
      cluster,
      services: apps.map((app) => ({
        type: "application-tunnel",
        name: app,
        app_name: app,
        listen: `tcp://127.0.0.1:${ports[app]}`,
      })),
    });
    for (const app of apps) await bot.healthy(app);
  });

  after(async () => {
    await bot[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
    for (const server of Object.values(servers)) await server[Symbol.asyncDispose]();
  });

  const dial = (app: string): net.Socket =>
    net.connect({ host: "127.0.0.1", port: ports[app]!, allowHalfOpen: true });

  const get = (app: string, path: string): http.ClientRequest =>
    http.get({ host: "127.0.0.1", port: ports[app]!, path, agent: false });

  const openAt = async (app: string): Promise<number> =>
    Number(
      new RegExp(`^tbot_tunnel_connections_open{service="${app}"} (\\d+)$`, "m").exec(
        await bot.metrics.text(),
      )?.[1] ?? 0,
    );

  for (const app of ["down", "resets"])
    test(`an application that is ${app === "down" ? "down" : "cut off"} is a broken connection, not an end`, async () => {
      const socket = dial(app);
      socket.write("anybody?");
      socket.resume().on("end", () => assert.fail("that looks like a good end"));
      const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
      assert.equal(error.code, "ECONNRESET");
      assert.equal(bot.state(app), "healthy");
    });

  for (const [app, path, status] of [
    ["webdown", "/", 502],
    ["web", "/hang", 504],
  ] as const)
    test(`a program hears ${status} from GET ${path} of ${app}`, async () => {
      const [response] = (await once(get(app, path), "response")) as [http.IncomingMessage];
      assert.equal(response.statusCode, status);
      assert.match(await text(response), new RegExp(app));
    });

  test("an answer that breaks off is not taken for a whole one", async () => {
    const request = get("web", "/break");
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    request.on("error", () => {});
    await assert.rejects(text(response), { code: "ECONNRESET" });
  });

  test("an application that hangs holds nobody but its own client", async () => {
    const stuck = Array.from({ length: 20 }, () => dial("hangs"));
    for (const socket of stuck) socket.on("error", () => {}).write("anybody?");
    await until("all have arrived", () => servers["hangs"]!.open() === 20);
    const socket = dial("echo");
    socket.end("still quick");
    assert.equal(await text(socket), "still quick");
    for (const each of stuck) each.resetAndDestroy();
    await until("all are let go", () => servers["hangs"]!.open() === 0);
  });

  test("an application that floods waits for a program that does not read", async () => {
    const socket = dial("floods");
    await once(socket, "connect");
    let before = -1;
    await until("it stops", async () => {
      const still = flooded === before && flooded > 0;
      before = flooded;
      await new Promise((resolve) => setTimeout(resolve, 200));
      return still;
    });
    assert.ok(flooded < IN_FLIGHT_BYTES, `${flooded / MIB} MiB were taken in`);
    socket.destroy();
    await until("it is let go", () => servers["floods"]!.open() === 0);
  });

  test("a program that leaves at once, with or without a word, leaves nothing open", async () => {
    for (const app of ["echo", "web"])
      for (const leave of leaving)
        for (let count = 0; count < 10; count++) {
          const socket = dial(app).on("error", () => {});
          await once(socket, "connect");
          leave(socket);
        }
    for (const app of ["echo", "web"]) {
      await until(`nothing is open to ${app}`, async () => (await openAt(app)) === 0);
      await until(`${app} is left`, () => servers[app]!.open() === 0);
    }
  });

  test("many short connections at once all get their own bytes, and leave nothing", async () => {
    const words = Array.from({ length: 300 }, (_each, index) => `word ${index}`);
    const said = await Promise.all(
      words.map(async (word) => {
        const socket = dial("echo");
        socket.end(word);
        return await text(socket);
      }),
    );
    assert.deepEqual(said, words);
    await until("nothing is open", async () => (await openAt("echo")) === 0);
  });
});

const leaving: readonly ((socket: net.Socket) => void)[] = [
  (socket) => socket.destroy(),
  (socket) => socket.resetAndDestroy(),
  (socket) => void socket.resume().end(),
  (socket) => void socket.resume().end("x"),
];
