import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { afterEach, beforeEach, describe, test } from "node:test";
import tls from "node:tls";
import { CodedError, systemClock } from "#base/kernel";
import { ManualClock } from "#testing/clock";
import { until } from "#testing/wait";
import { peekClientHello, type PeekOptions } from "./peek.ts";

const refusal = (code: string) => (error: unknown) =>
  error instanceof CodedError && error.code === code;

describe("peekClientHello", () => {
  let server: net.Server;
  let port: number;
  let sockets: net.Socket[];

  beforeEach(async () => {
    sockets = [];
    server = net.createServer({ pauseOnConnect: false }).listen(0, "127.0.0.1");
    server.on("connection", (socket) => sockets.push(socket));
    await once(server, "listening");
    port = (server.address() as net.AddressInfo).port;
  });

  afterEach(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  /** Both ends of a fresh connection, with the server's end being peeked at. */
  async function peeking(options: Partial<PeekOptions> = {}): Promise<{
    client: net.Socket;
    socket: net.Socket;
    peeked: ReturnType<typeof peekClientHello>;
  }> {
    const accepted = once(server, "connection") as Promise<[net.Socket]>;
    const client = net.connect({ port, host: "127.0.0.1", noDelay: true }).on("error", () => {});
    sockets.push(client);
    const [socket] = await accepted;
    const peeked = peekClientHello(socket, { clock: systemClock, ...options });
    peeked.catch(() => {});
    return { client, socket, peeked };
  }

  /** Relays a TLS client byte by byte, so that the peek sees every fragmentation. */
  function drip(): net.Server {
    return net.createServer((near) => {
      const far = net.connect({ port, host: "127.0.0.1", noDelay: true });
      sockets.push(near, far);
      far.pipe(near).on("error", () => {});
      near
        .on("error", () => {})
        .on("data", (chunk) => {
          near.pause();
          void feed(far, chunk).then(() => near.resume());
        });
    });
  }

  async function feed(far: net.Socket, chunk: Buffer): Promise<void> {
    for (const byte of chunk) {
      far.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async function echoThroughTls(connectPort: number): Promise<void> {
    const secure = tls.createServer({ ...anonymous, ALPNProtocols: ["x"] }, (socket) =>
      socket.pipe(socket),
    );
    const accepted = once(server, "connection") as Promise<[net.Socket]>;
    const client = tls.connect({
      ...anonymous,
      port: connectPort,
      host: "127.0.0.1",
      servername: "name.example",
      ALPNProtocols: ["x"],
      checkServerIdentity: () => undefined,
    });
    sockets.push(client);
    const [socket] = await accepted;
    const hello = await peekClientHello(socket, { clock: systemClock });
    assert.equal(hello.serverName, "name.example");
    assert.deepEqual(hello.alpn, ["x"]);
    secure.emit("connection", socket);
    client.write("over the same socket");
    const [echo] = (await once(client, "data")) as [Buffer];
    assert.equal(String(echo), "over the same socket");
    assert.equal(client.alpnProtocol, "x");
  }

  test("hands the untouched bytes to a TLS server on the same handle", () => echoThroughTls(port));

  test("and also when every byte came alone", async () => {
    const relay = drip().listen(0, "127.0.0.1");
    await once(relay, "listening");
    await echoThroughTls((relay.address() as net.AddressInfo).port);
    relay.close();
  });

  test("leaves all bytes to a plain reader, also those after the hello", async () => {
    const { client, socket, peeked } = await peeking();
    const bytes = await helloBytes();
    client.write(Buffer.concat([bytes, Buffer.from("more")]));
    await peeked;
    client.end("end");
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    assert.deepEqual(Buffer.concat(chunks), Buffer.concat([bytes, Buffer.from("moreend")]));
  });

  test("refuses a client that sends half a hello and waits", async () => {
    const clock = new ManualClock();
    const { client, socket, peeked } = await peeking({ clock, timeoutMs: 3_000 });
    client.write((await helloBytes()).subarray(0, 40));
    await until("the bytes are there", () => socket.bytesRead === 40);
    await clock.advance(2_999);
    assert.equal(clock.pending, 1);
    await clock.advance(1);
    await assert.rejects(peeked, refusal("timed_out"));
  });

  test("refuses a hello that announces more than the limit", async () => {
    const { client, peeked } = await peeking({ maxBytes: 1_000 });
    client.write(Buffer.from([22, 3, 1, 0, 4, 1, 0, 0x10, 0]));
    await assert.rejects(peeked, refusal("limit_exceeded"));
  });

  test("refuses endless records", async () => {
    const { client, peeked } = await peeking({ maxBytes: 1_000 });
    client.write(Buffer.from([22, 3, 1, 0x40, 0, 1, 0, 0x10, 0]));
    await assert.rejects(peeked, refusal("limit_exceeded"));
  });

  test("refuses what is not TLS", async () => {
    const { client, peeked } = await peeking();
    client.write("GET / HTTP/1.1\r\n\r\n");
    await assert.rejects(peeked, refusal("bad_parameter"));
  });

  for (const leave of ["end", "destroy", "resetAndDestroy"] as const)
    test(`refuses a client that leaves by ${leave}`, async () => {
      const { client, socket, peeked } = await peeking();
      client.write(Buffer.from([22, 3]));
      await until("the bytes are there", () => socket.bytesRead === 2);
      client[leave]();
      await assert.rejects(peeked, refusal("unavailable"));
    });

  test("refuses a socket that is gone already", async () => {
    const socket = new net.Socket();
    socket.destroy();
    await assert.rejects(peekClientHello(socket, { clock: systemClock }), refusal("unavailable"));
  });
});

/** No certificate is needed where only the handshake's shape matters. */
const anonymous = {
  ciphers: "aNULL:@SECLEVEL=0",
  maxVersion: "TLSv1.2",
  rejectUnauthorized: false,
} as const;

async function helloBytes(): Promise<Buffer> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  const accepted = once(server, "connection") as Promise<[net.Socket]>;
  const client = tls.connect({ ...anonymous, port, host: "127.0.0.1" }).on("error", () => {});
  const [socket] = await accepted;
  const [bytes] = (await once(socket, "data")) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return bytes;
}
