import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { buffer, text } from "node:stream/consumers";
import { after, afterEach, before, describe, test } from "node:test";
import tls from "node:tls";
import { silentLogger, systemClock } from "#base/kernel";
import { CurrentVerifier } from "#domain/authority";
import { ManualClock } from "#testing/clock";
import { TestIdentities, type TestIdentity } from "#testing/identities";
import { TestAuthority } from "#testing/tls";
import { until } from "#testing/wait";
import { CertificateHolder } from "./certificate.ts";
import { portLimits, type PortLimits } from "./limits.ts";
import { TlsPort, type Refusal } from "./port.ts";
import type { Route } from "./route.ts";

/** Every route answers with its name and who it takes the client for. */
function echoRoute(route: Pick<Route, "name" | "peer"> & Partial<Route>): Route {
  return {
    claims: ({ alpn }) => alpn.includes(route.name),
    alpn: { protocols: [route.name] },
    certificate: "host",
    accept: ({ socket, peer, remoteAddr }) => {
      const who = peer?.kind === "user" ? peer.identity.user : peer?.identity.hostId;
      socket.end(`${route.name} ${who ?? "nobody"} ${remoteAddr}`);
    },
    ...route,
  };
}

const routes: readonly Route[] = [
  echoRoute({ name: "optional", peer: "optional" }),
  echoRoute({ name: "user", peer: "user" }),
  echoRoute({ name: "host", peer: "host" }),
  echoRoute({ name: "polite", peer: "user", refuse: ({ socket }) => void socket.end("no") }),
  echoRoute({
    name: "web",
    peer: "none",
    claims: ({ serverName }) => /^(web\.example|other)\.test$/.test(serverName ?? ""),
    alpn: { protocols: ["web", "by-name"] },
    certificate: "web",
  }),
];

interface Started {
  readonly port: number;
  readonly tlsPort: TlsPort;
  readonly refusals: Refusal[];
  readonly host: CertificateHolder;
  readonly web: CertificateHolder;
}

describe("the TLS port", () => {
  let identities: TestIdentities;
  let web: { cert: string; key: string };
  const authority = new TestAuthority();
  const open: AsyncDisposable[] = [];

  before(async () => {
    identities = await TestIdentities.open(systemClock);
    web = authority.issue("serverAuth", { name: "web.example.test" });
  });
  after(() => identities.store[Symbol.asyncDispose]());
  afterEach(async () => {
    for (const one of open.splice(0)) await one[Symbol.asyncDispose]();
  });

  async function start(
    options: { limits?: Partial<PortLimits>; clock?: ManualClock } = {},
  ): Promise<Started> {
    const refusals: Refusal[] = [];
    const host = new CertificateHolder([identities.host({ roles: ["Proxy"] })]);
    const holder = new CertificateHolder([web]);
    const tlsPort = new TlsPort({
      routes,
      certificates: { host, web: holder },
      verifier: new CurrentVerifier(() => identities.trust),
      limits: { ...portLimits, ...options.limits },
      clock: options.clock ?? systemClock,
      logger: silentLogger,
      refused: (refusal) => refusals.push(refusal),
    });
    open.push(tlsPort);
    const { port } = await tlsPort.listen({ host: "127.0.0.1", port: 0 });
    return { port, tlsPort, refusals, host, web: holder };
  }

  function dial(port: number, options: tls.ConnectionOptions): tls.TLSSocket {
    return tls.connect({
      host: "127.0.0.1",
      port,
      servername: identities.serverName,
      ca: [...identities.hostCa, authority.ca],
      ...options,
    });
  }

  /** What the route answers; empty when the connection is closed without a word. */
  async function ask(
    port: number,
    alpn: string,
    options: tls.ConnectionOptions = {},
  ): Promise<string> {
    const socket = dial(port, { ALPNProtocols: [alpn], ...options });
    return text(socket).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNRESET") return "";
      throw error;
    });
  }

  describe("finds the route", () => {
    test("by ALPN, and says whose certificate came", async () => {
      const { port } = await start();
      assert.equal(await ask(port, "user", identities.user()), "user alice 127.0.0.1");
      const host = identities.host({ hostId: "0b0e" });
      assert.equal(await ask(port, "host", host), "host 0b0e 127.0.0.1");
      assert.equal(await ask(port, "optional"), "optional nobody 127.0.0.1");
      assert.equal(await ask(port, "optional", identities.user()), "optional alice 127.0.0.1");
    });

    test("by server name, with the certificate of that route", async () => {
      const { port } = await start();
      const socket = dial(port, { servername: "web.example.test", ALPNProtocols: ["web"] });
      assert.equal(await text(socket), "web nobody 127.0.0.1");
    });

    test("and drops a hello that none claims", async () => {
      const { port, tlsPort } = await start();
      assert.equal(await ask(port, "unknown"), "");
      await until("it is closed", () => tlsPort.open.connections === 0);
    });

    test("and takes nothing below TLS 1.3", async () => {
      const { port } = await start();
      await assert.rejects(ask(port, "optional", { maxVersion: "TLSv1.2" }), /alert|version/);
    });

    test("and uses the hybrid key exchange with a client that has it", async () => {
      const { port } = await start();
      // OpenSSL prints the group only to key loggers, so the client offers nothing else.
      const socket = dial(port, { ALPNProtocols: ["optional"], ecdhCurve: "X25519MLKEM768" });
      assert.match(await text(socket), /^optional/);
    });
  });

  describe("lets in no client certificate that", () => {
    const foreign = async (): Promise<TestIdentities> => TestIdentities.open(systemClock);
    const shifted = async (ms: number): Promise<TestIdentity> => {
      // The same authorities at another time would need their keys: a clock that jumps does it.
      const clock = new ManualClock(Date.now());
      const there = await TestIdentities.open(clock);
      clock.jump(ms);
      return there.user();
    };
    const cases: [string, string, () => Promise<tls.ConnectionOptions>, RegExp][] = [
      ["is missing", "user", async () => ({}), /no client certificate/],
      ["is a host's where a user's is needed", "user", async () => identities.host(), /host/],
      ["is a user's where a host's is needed", "host", async () => identities.user(), /user/],
      [
        "another cluster signed",
        "user",
        async () => (await foreign()).user(),
        /no trusted authority/,
      ],
      [
        "another cluster signed, for a host",
        "host",
        async () => (await foreign()).host(),
        /no trusted/,
      ],
      ["signed itself", "user", async () => selfSigned(), /no trusted authority/],
      ["another cluster signed, long ago", "user", () => shifted(-86_400_000), /no trusted/],
      ["is a server's", "user", async () => authority.issue("serverAuth"), /no trusted authority/],
    ];
    for (const [name, route, certificate, reason] of cases)
      test(name, async () => {
        const { port, refusals, tlsPort } = await start();
        assert.equal(await ask(port, route, await certificate()), "");
        assert.deepEqual(
          refusals.map(({ route, reason }) => [route, reason]),
          [[route, "certificate"]],
        );
        assert.match(refusals[0]!.detail, reason);
        assert.equal(refusals[0]!.remoteAddr, "127.0.0.1");
        await until("it is closed", () => tlsPort.open.connections === 0);
      });

    test("has expired, or is not valid yet", async () => {
      const clock = new ManualClock(Date.now());
      const { port, refusals } = await start({ clock });
      const certificate = identities.user({}, 60_000);
      clock.jump(61_000);
      assert.equal(await ask(port, "user", certificate), "");
      assert.match(refusals[0]!.detail, /expired/);
      clock.jump(-240_000);
      assert.equal(await ask(port, "user", certificate), "");
      assert.match(refusals[1]!.detail, /not valid before/);
    });

    test("does not verify, but says so where the route knows how", async () => {
      const { port } = await start();
      assert.equal(await ask(port, "polite", (await foreign()).user()), "no");
    });

    test("does not verify, as nobody where certificates are optional", async () => {
      const { port } = await start();
      const answer = await ask(port, "optional", (await foreign()).user());
      assert.equal(answer, "optional nobody 127.0.0.1");
    });
  });

  function selfSigned(): tls.ConnectionOptions {
    const own = new TestAuthority();
    return own.issue("clientAuth");
  }

  describe("resumes sessions", () => {
    async function resumable(port: number, certificate: TestIdentity): Promise<Buffer> {
      const socket = dial(port, { ALPNProtocols: ["user"], ...certificate });
      const ticket = once(socket, "session") as Promise<[Buffer]>;
      assert.match(await text(socket), /^user alice/);
      return (await ticket)[0];
    }

    async function resume(
      port: number,
      session: Buffer,
      options: tls.ConnectionOptions,
    ): Promise<{ answer: string; resumed: boolean }> {
      const socket = dial(port, { ALPNProtocols: ["user"], session, ...options });
      let resumed = false;
      socket.on("secureConnect", () => (resumed = socket.isSessionReused()));
      const bytes = await buffer(socket).catch(() => Buffer.alloc(0));
      return { answer: bytes.toString(), resumed };
    }

    test("with the certificate of the first handshake", async () => {
      const { port } = await start();
      const certificate = identities.user();
      const session = await resumable(port, certificate);
      const { answer, resumed } = await resume(port, session, certificate);
      assert.deepEqual([answer, resumed], ["user alice 127.0.0.1", true]);
    });

    test("also after the proxy has a new certificate", async () => {
      const { port, host } = await start();
      const certificate = identities.user();
      const session = await resumable(port, certificate);
      host.replace([identities.host({ roles: ["Proxy"] })]);
      const { answer, resumed } = await resume(port, session, certificate);
      assert.deepEqual([answer, resumed], ["user alice 127.0.0.1", true]);
    });

    test("but not after the authorities have changed; what is open stays", async () => {
      const { port, tlsPort } = await start();
      const certificate = identities.user();
      const session = await resumable(port, certificate);
      const open = dial(port, { ALPNProtocols: ["polite"], ...certificate });
      await once(open, "secureConnect");
      tlsPort.forgetSessions();
      const { answer, resumed } = await resume(port, session, certificate);
      assert.deepEqual([answer, resumed], ["user alice 127.0.0.1", false]);
      assert.match(await text(open), /^polite alice/);
      const next = await resume(port, await resumable(port, certificate), certificate);
      assert.equal(next.resumed, true);
    });

    test("but looks at that certificate again", async () => {
      const clock = new ManualClock(Date.now());
      const { port, refusals } = await start({ clock });
      const certificate = identities.user({}, 60_000);
      const session = await resumable(port, certificate);
      clock.jump(61_000);
      const { answer, resumed } = await resume(port, session, certificate);
      assert.deepEqual([answer, resumed], ["", true]);
      assert.match(refusals[0]!.detail, /expired/);
    });

    test("but not on another route", async () => {
      const { port } = await start();
      const certificate = identities.user();
      const session = await resumable(port, certificate);
      const { resumed } = await resume(port, session, { ALPNProtocols: ["polite"] });
      assert.equal(resumed, false);
    });

    test("but not of the day before", async () => {
      const clock = new ManualClock(Date.now());
      const { port } = await start({ clock });
      const certificate = identities.user({}, 48 * 3_600_000);
      const session = await resumable(port, certificate);
      await clock.advance(86_400_000);
      const { answer, resumed } = await resume(port, session, certificate);
      assert.deepEqual([answer, resumed], ["user alice 127.0.0.1", false]);
    });

    test("but not of another process", async () => {
      const certificate = identities.user();
      const session = await resumable((await start()).port, certificate);
      const { answer, resumed } = await resume((await start()).port, session, certificate);
      assert.deepEqual([answer, resumed], ["user alice 127.0.0.1", false]);
    });
  });

  test("shows the certificate that the server name asks for, or else the first", async () => {
    const { port, web } = await start();
    const other = authority.issue("serverAuth", { name: "other.test" });
    web.replace([...web.current(), other]);
    for (const [servername, expected] of [
      ["other.test", "DNS:other.test"],
      ["web.example.test", "DNS:web.example.test"],
    ]) {
      const socket = dial(port, {
        ...(servername ? { servername } : {}),
        ALPNProtocols: ["by-name"],
      });
      await once(socket, "secureConnect");
      assert.equal(socket.getPeerCertificate().subjectaltname, expected);
      socket.destroy();
    }
  });

  test("shows a renewed certificate to the next client, and disturbs nobody", async () => {
    const { port, host } = await start();
    const serial = async (): Promise<string> => {
      const socket = dial(port, { ALPNProtocols: ["optional"] });
      await once(socket, "secureConnect");
      const { serialNumber } = socket.getPeerCertificate();
      socket.destroy();
      return serialNumber;
    };
    const before = await serial();
    host.replace([identities.host({ roles: ["Proxy"] })]);
    assert.notEqual(await serial(), before);
  });

  describe("drops", () => {
    async function closed(port: number, bytes: Buffer): Promise<void> {
      const socket = net.connect({ port, host: "127.0.0.1" });
      socket.on("error", () => {});
      socket.write(bytes);
      await once(socket, "close");
    }

    const cases: [string, Buffer, RegExp][] = [
      ["a plain HTTP request", Buffer.from("GET / HTTP/1.1\r\n\r\n"), /TLS/],
      ["noise", Buffer.alloc(64, 0xff), /TLS/],
      ["a broken hello", Buffer.from([22, 3, 1, 0, 5, 1, 0, 0, 1, 0]), /TLS/],
      [
        "a hello that is too large",
        Buffer.concat([Buffer.from([22, 3, 1, 0x40, 0, 1, 0, 0xff, 0xff]), Buffer.alloc(64)]),
        /larger/,
      ],
    ];
    for (const [name, bytes, reason] of cases)
      test(name, async () => {
        const { port, refusals, tlsPort } = await start();
        await closed(port, bytes);
        await until("it is counted out", () => tlsPort.open.connections === 0);
        assert.equal(refusals[0]?.reason, "hello");
        assert.match(refusals[0].detail, reason);
        assert.equal(await ask(port, "optional"), "optional nobody 127.0.0.1");
      });

    test("a hello that does not come", async () => {
      const clock = new ManualClock(Date.now());
      const { port, refusals, tlsPort } = await start({ clock });
      const socket = net.connect({ port, host: "127.0.0.1" });
      socket.write(Buffer.from([22, 3, 1]));
      socket.resume();
      const closed = once(socket, "close");
      await until("it is open", () => tlsPort.open.connections === 1 && clock.pending > 1);
      await clock.advance(portLimits.helloMs);
      await closed;
      assert.match(refusals[0]!.detail, /within/);
      assert.equal(tlsPort.open.handshakes, 0);
    });

    test("a handshake that stops after its hello", async () => {
      const { port, refusals, tlsPort } = await start({ limits: { handshakeMs: 50 } });
      const hello = await recordedHello(identities.serverName);
      const socket = net.connect({ port, host: "127.0.0.1" });
      socket.write(hello);
      socket.resume();
      await once(socket, "close");
      assert.equal(refusals[0]?.reason, "handshake");
      await until("it is counted out", () => tlsPort.open.connections === 0);
    });

    test("a client that leaves in the middle", async () => {
      const { port, tlsPort } = await start({ limits: { handshakeMs: 50 } });
      for (const bytes of [Buffer.alloc(0), Buffer.from([22, 3]), await recordedHello("x.test")]) {
        const socket = net.connect({ port, host: "127.0.0.1" });
        await once(socket, "connect");
        socket.write(bytes);
        await until("it is open", () => tlsPort.open.connections === 1);
        socket.resetAndDestroy();
        await until("it is closed", () => tlsPort.open.connections === 0);
      }
      assert.deepEqual(tlsPort.open, { connections: 0, handshakes: 0, strangers: 0 });
    });
  });

  describe("limits", () => {
    test("what strangers at one address hold, but not who shows a certificate", async () => {
      const { port, refusals, tlsPort } = await start({ limits: { perAddress: 2 } });
      const idle = [1, 2].map(() => net.connect({ port, host: "127.0.0.1" }));
      await until("they are open", () => tlsPort.open.strangers === 2);
      assert.equal(await ask(port, "optional").catch(() => ""), "");
      assert.deepEqual(
        refusals.map(({ reason, detail }) => [reason, detail]),
        [["limit", "address"]],
      );
      idle[0]!.destroy();
      await until("one is gone", () => tlsPort.open.strangers === 1);
      const known = dial(port, { ALPNProtocols: ["user"], ...identities.user() });
      known.on("error", () => {});
      assert.equal(await text(known), "user alice 127.0.0.1");
      idle[1]!.destroy();
    });

    test("handshakes under way", async () => {
      const { port, refusals, tlsPort } = await start({ limits: { handshakes: 1 } });
      const idle = net.connect({ port, host: "127.0.0.1" });
      await until("it is open", () => tlsPort.open.handshakes === 1);
      assert.equal(await ask(port, "optional").catch(() => ""), "");
      assert.equal(refusals[0]?.detail, "handshakes");
      idle.destroy();
    });
  });

  test("a port that is taken is an error", async () => {
    const { port } = await start();
    const second = new TlsPort({
      routes,
      certificates: {
        host: new CertificateHolder([web]),
        web: new CertificateHolder([web]),
      },
      verifier: new CurrentVerifier(() => identities.trust),
      limits: portLimits,
      clock: systemClock,
      logger: silentLogger,
      refused: () => {},
    });
    open.push(second);
    await assert.rejects(second.listen({ host: "127.0.0.1", port }), { code: "EADDRINUSE" });
  });
});

/** A ClientHello for the route `optional`, and nothing after it. */
async function recordedHello(servername: string): Promise<Buffer> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  const client = tls.connect({ port, host: "127.0.0.1", servername, ALPNProtocols: ["optional"] });
  client.on("error", () => {});
  const [socket] = (await once(server, "connection")) as [net.Socket];
  const [hello] = (await once(socket, "data")) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return hello;
}
