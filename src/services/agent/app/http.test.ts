import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { after, describe, test } from "node:test";
import { silentLogger, systemClock } from "#base/kernel";
import { ManualClock } from "#testing/clock";
import { until } from "#testing/wait";
import { HttpUpstream } from "./http.ts";
import { upstreamTarget, type Upstream } from "./upstream.ts";

const cleanups: (() => void)[] = [];
after(() => cleanups.forEach((clean) => clean()));

async function listen(server: net.Server): Promise<number> {
  const sockets = new Set<net.Socket>();
  server.on("connection", (socket) => sockets.add(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as net.AddressInfo).port;
}

/** A reverse proxy before the application at `port`; plain TCP stands for the tunnel. */
async function front(
  port: number,
  options: Partial<Upstream> & { clock?: ManualClock } = {},
): Promise<number> {
  const { clock = systemClock, ...rest } = options;
  const upstream: Upstream = {
    name: "web",
    target: upstreamTarget(`http://127.0.0.1:${port}`),
    insecureSkipVerify: false,
    preserveHost: false,
    responseTimeoutMs: 5_000,
    ...rest,
  };
  const proxy = new HttpUpstream({ upstream, clock, logger: silentLogger });
  cleanups.push(() => proxy[Symbol.dispose]());
  return listen(
    net.createServer({ allowHalfOpen: true }, (socket) =>
      proxy.accept(socket, { remoteAddr: "192.0.2.7" }),
    ),
  );
}

interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
  trailers: NodeJS.Dict<string>;
}

async function fetchFrom(
  port: number,
  options: http.RequestOptions = {},
  body?: string,
): Promise<Answer> {
  const request = http.request({ port, host: "127.0.0.1", agent: false, ...options });
  request.end(body);
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  return {
    status: response.statusCode!,
    headers: response.headers,
    body: await text(response),
    trailers: response.trailers,
  };
}

/** Sends bytes as they are and returns all that comes back until the end. */
async function exchange(port: number, bytes: string): Promise<string> {
  const socket = net.connect({ port, host: "127.0.0.1" });
  socket.write(bytes);
  return text(socket);
}

const app = (handler: http.RequestListener): Promise<number> => listen(http.createServer(handler));

describe("the reverse proxy of an HTTP application", () => {
  test("rewrites Host, says where the request came from, and drops what a client claims", async () => {
    const upstream = await app((request, response) =>
      response.end(JSON.stringify(request.headers)),
    );
    const port = await front(upstream);
    const { body } = await fetchFrom(port, {
      headers: {
        host: "web.example.com",
        "x-forwarded-for": "203.0.113.1",
        "x-real-ip": "203.0.113.1",
        forwarded: "for=203.0.113.1",
        "tenon-jwt-assertion": "forged",
        connection: "close, x-secret",
        "x-secret": "for this hop only",
        "keep-alive": "timeout=5",
        accept: "text/plain",
      },
    });
    const seen = JSON.parse(body) as Record<string, string>;
    assert.equal(seen["host"], `127.0.0.1:${upstream}`);
    assert.equal(seen["x-forwarded-for"], "192.0.2.7");
    assert.equal(seen["x-forwarded-host"], "web.example.com");
    assert.equal(seen["x-forwarded-proto"], "https");
    assert.equal(seen["accept"], "text/plain");
    for (const gone of ["x-real-ip", "forwarded", "tenon-jwt-assertion", "x-secret", "keep-alive"])
      assert.equal(seen[gone], undefined, gone);
  });

  test("keeps the client's Host when told to", async () => {
    const port = await front(await app((request, response) => response.end(request.headers.host)), {
      preserveHost: true,
    });
    const { body } = await fetchFrom(port, { headers: { host: "web.example.com" } });
    assert.equal(body, "web.example.com");
  });

  test("passes status, repeated headers and their spelling", async () => {
    const upstream = await app((_request, response) => {
      response.writeHead(418, "Short And Stout", [
        "Set-Cookie",
        "a=1",
        "Set-Cookie",
        "b=2",
        "X-ODD",
        "ü",
      ]);
      response.end("tea");
    });
    const answer = await exchange(
      await front(upstream),
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    );
    assert.match(answer, /^HTTP\/1\.1 418 Short And Stout\r\n/);
    assert.match(answer, /Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-ODD: /);
    assert.equal(answer.match(/^Date:/gim)?.length, 1);
  });

  test("streams a large body both ways, unchanged", async () => {
    const port = await front(await app((request, response) => request.pipe(response)));
    const bytes = randomBytes(16 * 1024 * 1024);
    const request = http.request({ port, host: "127.0.0.1", method: "POST", agent: false });
    Readable.from([bytes]).pipe(request);
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    const hash = createHash("sha256");
    for await (const chunk of response) hash.update(chunk as Buffer);
    assert.equal(hash.digest("hex"), createHash("sha256").update(bytes).digest("hex"));
  });

  test("passes on each piece of a slow answer as it comes", async () => {
    let finish = (): void => {};
    const upstream = await app((_request, response) => {
      response.write("first");
      finish = () => response.end("second");
    });
    const request = http.get({ port: await front(upstream), host: "127.0.0.1", agent: false });
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    const [first] = (await once(response, "data")) as [Buffer];
    assert.equal(first.toString(), "first");
    finish();
    assert.equal(await text(response), "second");
  });

  test("passes on each piece of a slow upload as it comes", async () => {
    const seen: string[] = [];
    const upstream = await app((request, response) => {
      request.on("data", (chunk: Buffer) => seen.push(chunk.toString()));
      request.on("end", () => response.end("done"));
    });
    const request = http.request({
      port: await front(upstream),
      host: "127.0.0.1",
      method: "PUT",
      agent: false,
    });
    request.write("one");
    await until("the first piece arrived", () => seen.join("") === "one");
    request.end("two");
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    assert.equal(await text(response), "done");
    assert.deepEqual(seen, ["one", "two"]);
  });

  test("does not buffer an upload that the application does not read", async () => {
    const upstream = await app(() => {});
    const socket = net.connect({ port: await front(upstream), host: "127.0.0.1" });
    cleanups.push(() => socket.destroy());
    socket.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n");
    const chunk = Buffer.alloc(1024 * 1024);
    let sent = 0;
    const pump = (): void => {
      while (sent < 256 && socket.write(chunk)) sent += 1;
    };
    socket.on("drain", pump);
    pump();
    let before = -1;
    await until("the upload stalled", async () => {
      const stalled = sent === before;
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return stalled;
    });
    assert.ok(sent < 64, `${sent} MiB were taken`);
  });

  test("passes trailers both ways", async () => {
    const upstream = await app((request, response) => {
      request.resume().on("end", () => {
        response.writeHead(200, { trailer: "x-sum" });
        response.write("body");
        response.addTrailers({ "x-sum": `${request.trailers["x-check"]}` });
        response.end();
      });
    });
    const request = http.request({
      port: await front(upstream),
      host: "127.0.0.1",
      method: "POST",
      agent: false,
      headers: { trailer: "x-check", "transfer-encoding": "chunked" },
    });
    request.write("x");
    request.addTrailers({ "x-check": "42" });
    request.end();
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    assert.equal(await text(response), "body");
    assert.equal(response.trailers["x-sum"], "42");
  });

  test("asks the application before the client sends a body that it offered first", async () => {
    const server = http.createServer();
    let asked = false;
    server.on("checkContinue", (request: http.IncomingMessage, response: http.ServerResponse) => {
      asked = true;
      response.writeContinue();
      request.pipe(response);
    });
    const request = http.request({
      port: await front(await listen(server)),
      host: "127.0.0.1",
      method: "POST",
      agent: false,
      headers: { expect: "100-continue", "content-length": 5 },
    });
    request.flushHeaders();
    await once(request, "continue");
    assert.ok(asked);
    request.end("hello");
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    assert.equal(await text(response), "hello");
  });

  test("answers a HEAD, a 204 and a 304 without a body", async () => {
    const upstream = await app((request, response) => {
      if (request.url === "/304") response.writeHead(304, { etag: "x" });
      else if (request.url === "/204") response.writeHead(204);
      else response.writeHead(200, { "content-length": 10 });
      response.end();
    });
    const port = await front(upstream);
    const head = await fetchFrom(port, { method: "HEAD" });
    assert.deepEqual([head.status, head.headers["content-length"], head.body], [200, "10", ""]);
    assert.equal((await fetchFrom(port, { path: "/204" })).status, 204);
    assert.equal((await fetchFrom(port, { path: "/304" })).status, 304);
  });

  test("serves several requests on one connection, each with its own answer", async () => {
    const port = await front(await app((request, response) => response.end(request.url)));
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (const path of ["/a", "/b", "/c"])
      assert.equal((await fetchFrom(port, { agent, path })).body, path);
    agent.destroy();
  });

  test("repeats a request that met an idle connection just as the application closed it", async () => {
    let connections = 0;
    const server = net.createServer((socket) => {
      connections += 1;
      let served = 0;
      socket.on("error", () => {});
      socket.on("data", () => {
        served += 1;
        if (served > 1) socket.resetAndDestroy();
        else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      });
    });
    const port = await front(await listen(server));
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    assert.equal((await fetchFrom(port, { agent })).body, "ok");
    assert.equal((await fetchFrom(port, { agent })).body, "ok");
    const post = await fetchFrom(port, { agent, method: "POST" }, "x");
    assert.equal(post.status, 502);
    assert.equal(connections, 2);
    agent.destroy();
  });

  test("takes the path of a request that names a whole URL", async () => {
    const port = await front(await app((request, response) => response.end(request.url)));
    const answer = await exchange(
      port,
      "GET http://elsewhere.example/path?q=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    );
    assert.match(answer, /\r\n\r\n(?:\w+\r\n)?\/path\?q=1/);
  });

  describe("when the application fails", () => {
    const closed = async (): Promise<number> => {
      const server = net.createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      const { port } = server.address() as net.AddressInfo;
      server.close();
      return port;
    };
    const raw = (handler: (socket: net.Socket) => void): Promise<number> =>
      listen(net.createServer((socket) => handler(socket.on("error", () => {}))));
    const cases: [string, () => Promise<number>, number, RegExp][] = [
      ["refuses: 502", closed, 502, /the application "web" refused the connection/],
      [
        "resets: 502",
        () => raw((s) => s.once("data", () => s.resetAndDestroy())),
        502,
        /closed the connection/,
      ],
      [
        "hangs up: 502",
        () => raw((s) => s.once("data", () => s.end())),
        502,
        /closed the connection/,
      ],
      [
        "speaks no HTTP: 502",
        () => raw((s) => s.end("SSH-2.0-OpenSSH\r\n")),
        502,
        /did not answer as HTTP/,
      ],
      [
        "floods its headers: 502",
        () =>
          raw((s) => s.once("data", () => s.write(`HTTP/1.1 200 OK\r\nX: ${"x".repeat(99_000)}`))),
        502,
        /headers that are too large/,
      ],
    ];
    for (const [name, start, status, message] of cases)
      test(`that ${name}`, async () => {
        const answer = await fetchFrom(await front(await start()));
        assert.equal(answer.status, status);
        assert.match(answer.body, message);
      });

    test("by never answering: 504 after the deadline", async () => {
      const clock = new ManualClock();
      let asked = false;
      const upstream = await raw((socket) => socket.on("data", () => (asked = true)));
      const answer = fetchFrom(await front(upstream, { clock, responseTimeoutMs: 60_000 }));
      await until("the application was asked", () => asked);
      await clock.advance(60_000);
      assert.equal((await answer).status, 504);
      assert.equal(clock.pending, 0);
    });

    test("in the middle of an answer: the client sees it break off", async () => {
      const upstream = await raw((socket) =>
        socket.once("data", () => {
          socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart");
          setImmediate(() => socket.resetAndDestroy());
        }),
      );
      await assert.rejects(fetchFrom(await front(upstream)), /aborted|hang up|ECONNRESET/);
    });
  });

  test("ends the request upstream when the client leaves", async () => {
    let gone = false;
    const upstream = await app((_request, response) => {
      response.write("x");
      response.once("close", () => (gone = true));
    });
    const request = http.get({ port: await front(upstream), host: "127.0.0.1", agent: false });
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    response.on("error", () => {});
    request.destroy();
    await until("the application saw the client go", () => gone);
  });

  describe("given bad input", () => {
    const cases: [string, string, RegExp][] = [
      ["no HTTP at all", "\0\0\0\0\r\n\r\n", /^HTTP\/1\.1 400 /],
      [
        "two lengths",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        /^HTTP\/1\.1 400 /,
      ],
      [
        "a length and chunks (request smuggling)",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        /^HTTP\/1\.1 400 /,
      ],
      ["no Host", "GET / HTTP/1.1\r\n\r\n", /^HTTP\/1\.1 400 /],
      [
        "headers that are too large",
        `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(40_000)}\r\n\r\n`,
        /^HTTP\/1\.1 431 /,
      ],
    ];
    for (const [name, bytes, answer] of cases)
      test(`refuses ${name}`, async () => {
        let reached = false;
        const port = await front(
          await app((_request, response) => {
            reached = true;
            response.end();
          }),
        );
        assert.match(await exchange(port, bytes), answer);
        assert.equal(reached, false);
      });
  });

  describe("switching protocols", () => {
    const echo = async (): Promise<number> => {
      const server = http.createServer((_request, response) => {
        response.writeHead(403);
        response.end("no");
      });
      server.on("upgrade", (request: http.IncomingMessage, socket: net.Socket, head: Buffer) => {
        if (request.url === "/refuse") {
          socket.end("HTTP/1.1 401 Unauthorized\r\nContent-Length: 4\r\n\r\nnope");
          return;
        }
        socket.write(
          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ok\r\n\r\nhello ",
        );
        socket.write(head);
        socket.pipe(socket);
      });
      return listen(server);
    };
    const upgrade = (path: string): string =>
      `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n`;

    test("joins both ends, with the bytes that came early", async () => {
      const socket = net.connect({ port: await front(await echo()), host: "127.0.0.1" });
      socket.write(`${upgrade("/")}early `);
      let seen = "";
      socket.on("data", (chunk: Buffer) => (seen += chunk.toString()));
      await until("the early bytes came back", () => seen.endsWith("hello early "));
      socket.end("late");
      await once(socket, "close");
      assert.match(
        seen,
        /^HTTP\/1\.1 101 Switching Protocols\r\n[^]*Upgrade: websocket\r\n\r\nhello early late$/,
      );
      assert.match(seen, /Sec-WebSocket-Accept: ok/);
    });

    test("passes on a refusal", async () => {
      const answer = await exchange(await front(await echo()), upgrade("/refuse"));
      assert.match(answer, /^HTTP\/1\.1 401 Unauthorized\r\n[^]*nope/);
    });

    test("answers 502 when the application is down", async () => {
      const port = await front(1);
      assert.match(await exchange(port, upgrade("/")), /^HTTP\/1\.1 502 /);
    });
  });
});
