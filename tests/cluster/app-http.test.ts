import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import type net from "node:net";
import { Readable, type Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import type { RouteClient } from "#services/tunnel";
import {
  closedPort,
  dialDirect,
  listen,
  routeClient,
  type TestServer,
} from "#testing/applications";
import { startCluster, type TestCluster } from "#testing/cluster";
import type { TestIdentity } from "#testing/identities";
import { until } from "#testing/wait";

describe("an HTTP application", () => {
  let cluster: TestCluster;
  let app: TestServer;
  let down: number;
  const clients: RouteClient[] = [];

  before(async () => {
    app = await listen(application());
    down = await closedPort();
    cluster = await startCluster();
    await cluster.role("all");
    await cluster.serve([
      { name: "web", uri: `http://127.0.0.1:${app.port}`, publicAddr: "web.other.test" },
      { name: "down", uri: `http://127.0.0.1:${down}` },
    ]);
  });
  after(async () => {
    for (const client of clients) await client[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
    await app[Symbol.asyncDispose]();
  });

  const identity = (name: string): TestIdentity =>
    cluster.identities.user({ roles: ["all"], appName: name });

  type Ask = (options: http.RequestOptions & { app?: string }) => http.ClientRequest;

  /** `https://web.example.test`, as curl or a browser with a certificate does it. */
  const direct: Ask = ({ app: name = "web", ...options }) =>
    https.request({
      ...cluster.address,
      servername: `${name}.example.test`,
      headers: { host: `${name}.example.test` },
      rejectUnauthorized: false,
      ...identity(name),
      agent: false,
      ...options,
    });

  /** Through a bot's tunnel. */
  const routed: Ask = ({ app: name = "web", ...options }) => {
    const client = routeClient(cluster, identity(name));
    clients.push(client);
    const agent = new http.Agent();
    agent.createConnection = (_options, created) => {
      void client.connect().then(
        (stream) => created?.(null, stream),
        (error: Error) => created?.(error, undefined as never),
      );
      return undefined;
    };
    return http.request({ agent, ...options });
  };

  async function answerTo(request: http.ClientRequest): Promise<http.IncomingMessage> {
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    return response;
  }

  for (const [way, ask] of [
    ["at its own address", direct],
    ["through a routed session", routed],
  ] as const)
    describe(way, () => {
      test("answers", async () => {
        const response = await answerTo(ask({ path: "/hello" }).end());
        assert.equal(response.statusCode, 200);
        assert.equal(await text(response), "GET /hello for 127.0.0.1");
      });

      test("gets and gives 16 MiB unchanged", async () => {
        const bytes = randomBytes(16 * 1024 * 1024);
        const request = ask({ path: "/echo", method: "POST" });
        Readable.from([bytes]).pipe(request);
        const hash = createHash("sha256");
        for await (const chunk of await answerTo(request)) hash.update(chunk as Buffer);
        assert.equal(hash.digest("hex"), createHash("sha256").update(bytes).digest("hex"));
      });

      test("gets each piece of a slow body, and gives each piece of a slow answer", async () => {
        const request = ask({ path: "/echo", method: "POST" });
        request.write("one");
        const response = await answerTo(request);
        for (const piece of ["one", "two", "three"]) {
          const [chunk] = (await once(response, "data")) as [Buffer];
          assert.equal(chunk.toString(), piece);
          if (piece === "one") request.write("two");
          if (piece === "two") request.end("three");
        }
      });

      test("speaks another protocol after an upgrade, and closes it", async () => {
        const request = ask({
          path: "/socket",
          headers: { connection: "Upgrade", upgrade: "websocket", host: "web" },
        });
        request.end();
        const [response, socket] = (await once(request, "upgrade")) as [
          http.IncomingMessage,
          Duplex,
        ];
        assert.equal(response.statusCode, 101);
        socket.write("ping");
        const [echoed] = (await once(socket, "data")) as [Buffer];
        assert.equal(echoed.toString(), "ping");
        socket.end();
        socket.resume();
        await once(socket, "close");
      });

      test("that is down is a 502 that says so", async () => {
        const response = await answerTo(ask({ app: "down" }).end());
        assert.equal(response.statusCode, 502);
        assert.equal(await text(response), 'the application "down" refused the connection\n');
      });

      test("that breaks off in the middle of an answer breaks off for the client", async () => {
        const request = ask({ path: "/breaks" });
        // The end may come before, with or after the headers.
        request.on("error", () => {});
        const whole = answerTo(request.end()).then((response) => text(response));
        await assert.rejects(whole);
      });

      test("is not asked further when the client leaves", async () => {
        const request = ask({ path: "/endless" });
        request.on("error", () => {});
        request.end();
        const response = await answerTo(request);
        response.on("error", () => {});
        await once(response, "data");
        request.destroy();
        await until("the application is let go", () => app.open() === 0);
      });
    });

  test("answers at its public address too", async () => {
    const options = { servername: "web.other.test", headers: { host: "web.other.test" } };
    const response = await answerTo(direct(options).end());
    assert.equal(await text(response), "GET / for 127.0.0.1");
  });

  test("serves many requests on one connection", async () => {
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ...identity("web") });
    for (let time = 0; time < 20; time += 1) {
      const response = await answerTo(direct({ agent, path: `/${time}` }).end());
      assert.equal(await text(response), `GET /${time} for 127.0.0.1`);
    }
    agent.destroy();
  });

  test("speaks HTTP/1.1 with clients that would speak HTTP/2", async () => {
    const socket = dialDirect(cluster, "web", {
      ...identity("web"),
      ALPNProtocols: ["h2", "http/1.1"],
    });
    await once(socket, "secureConnect");
    assert.equal(socket.alpnProtocol, "http/1.1");
    socket.destroy();
  });

  test("leaves no connection open anywhere when its clients are gone", async () => {
    const requests = Array.from({ length: 50 }, (_none, index) =>
      direct({ path: `/${index}` }).end(),
    );
    await Promise.all(requests.map(async (request) => text(await answerTo(request))));
    await until("the application is let go", () => app.open() === 0);
    const { proxy } = cluster.cluster;
    await until("the proxy too", () => proxy.open.tunnelled === 0);
    await until("and its handshakes", () => proxy.open.handshakes === 0);
  });
});

function application(): http.Server {
  const server = http.createServer((request, response) => {
    if (request.url === "/echo") return void request.pipe(response);
    if (request.url === "/breaks") {
      response.writeHead(200, { "content-length": 100 });
      response.write("part");
      return void setImmediate(() => response.socket?.resetAndDestroy());
    }
    if (request.url === "/endless") {
      const pump = (): void => void (response.write("x".repeat(10_000)) && setImmediate(pump));
      response.on("drain", pump);
      return pump();
    }
    response.end(
      `${request.method} ${request.url} for ${String(request.headers["x-forwarded-for"])}`,
    );
  });
  server.on("upgrade", (_request: http.IncomingMessage, socket: net.Socket) => {
    socket.on("error", () => {});
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    );
    socket.pipe(socket);
  });
  return server;
}
