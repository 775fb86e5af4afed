// What Node programs do with `import … from "tenon"`.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { connect, createServer, type Server, type TLSSocket } from "node:tls";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { x509Pem } from "#base/crypto";
import { silentLogger } from "#base/kernel";
import { verifyClientCertificate, type UserIdentity } from "#domain/authority";
import { KeptIdentity } from "#services/bot-client";
import { Bot, BotClient, keepIdentity, type CredentialSource, type GeneratedIdentity } from "tenon";
import { httpApplication, type TestServer } from "#testing/applications";
import { TestBot } from "#testing/bot";
import { ManualClock } from "#testing/clock";
import { startCluster, type TestCluster } from "#testing/cluster";
import { TestAuthority } from "#testing/tls";
import { until } from "#testing/wait";

const run = promisify(execFile);
const authority = new TestAuthority();

describe("the library", () => {
  let cluster: TestCluster;
  let app: TestServer;
  let bot: TestBot;
  let server: Server;
  let directory: string;
  const shown: Buffer[] = [];

  const socket = (): string => join(bot.directory, "s.sock");
  const port = (): number => (server.address() as AddressInfo).port;
  const identityOf = (der: Buffer): UserIdentity => {
    const verified = verifyClientCertificate(der, cluster.trust, Date.now());
    assert.equal(verified.kind, "user");
    return verified.identity;
  };
  const example = async (name: string, words: readonly string[], env = {}): Promise<string> => {
    const script = new URL(`../../examples/${name}.ts`, import.meta.url).pathname;
    const options = { env: { ...process.env, ...env }, timeout: 60_000 };
    return (await run(process.execPath, [script, ...words], options)).stdout;
  };

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "tenon-library-"));
    app = await httpApplication((asked, response) => response.end(`served ${asked.url}\n`));
    cluster = await startCluster();
    await cluster.role("all");
    await cluster.serve([{ name: "web", uri: `http://127.0.0.1:${app.port}` }]);
    bot = await TestBot.start({ cluster, services: [], sockets: [{ path: "{dir}/s.sock" }] });
    await bot.healthy("credential-api-1");
    // Somebody's own server, which lets in whom the cluster certifies.
    const options = {
      ...authority.issue("serverAuth", { name: "localhost" }),
      ca: cluster.trust.userX509.map((der) => x509Pem(der)),
      requestCert: true,
    };
    server = createServer(options, (connection: TLSSocket) => {
      shown.push(connection.getPeerX509Certificate()!.raw);
      connection.once("data", (said: Buffer) => connection.end(`heard ${said.toString()}`));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    await writeFile(join(directory, "ca.pem"), authority.ca);
  });
  after(async () => {
    server.close();
    await bot[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
    await app[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  const proxyServer = (): string => `${cluster.address.host}:${cluster.address.port}`;
  const addToken = async (name: string): Promise<void> => {
    const spec = { roles: ["Bot"], bot_name: "robot", join_method: "token" };
    const token = { kind: "token", version: "v2", metadata: { name }, spec };
    await cluster.admin.resources.create({ documents: [{ json: JSON.stringify(token) }] });
  };

  /** What a program has in either case; the same tests are for both. */
  const sources: Record<string, () => Promise<CredentialSource & (Disposable | AsyncDisposable)>> =
    {
      "through the socket": async () => await BotClient.connect(socket()),
      "embedded in the program": async () => {
        await addToken("embedded");
        const configuration = {
          proxy_server: proxyServer(),
          onboarding: { token: "embedded", join_method: "token", ca_pins: cluster.caPins },
        };
        const embedded = await Bot.start({ configuration });
        await embedded.ready();
        return embedded;
      },
    };

  for (const [how, open] of Object.entries(sources))
    describe(how, () => {
      let source: Awaited<ReturnType<typeof open>>;
      before(async () => {
        source = await open();
      });
      after(async () => {
        if (Symbol.asyncDispose in source) await source[Symbol.asyncDispose]();
        else source[Symbol.dispose]();
      });

      test("gives identities: with or without a route, for as long as asked", async () => {
        const plain = await source.generateIdentity();
        assert.deepEqual(identityOf(plain.tlsCertificate).roles, ["all"]);
        assert.match(plain.sshCertificate, /^ecdsa-sha2-nistp256-cert/);
        const routed = await source.generateIdentity({ application: "web", ttl: "30s" });
        assert.equal(identityOf(routed.tlsCertificate).appName, "web");
        assert.equal(routed.sshCertificate, "");
        assert.ok(routed.expires - Date.now() <= 30_000);
        assert.deepEqual(routed.trust.hostX509, cluster.trust.hostX509);
      });

      test("refuses in the cluster's words", async () => {
        await assert.rejects(source.generateIdentity({ roles: ["editor"] }), {
          code: "access_denied",
          message: /role "editor"/,
        });
        await assert.rejects(source.generateIdentity({ application: "web", kubernetes: "x" }), {
          code: "bad_parameter",
          message: /a certificate opens one/,
        });
        await assert.rejects(source.generateIdentity({ ttl: "soon" }), { code: "bad_parameter" });
      });

      test("calls the cluster as an identity", async () => {
        using client = source.clientForIdentity(await source.generateIdentity());
        assert.equal((await client.auth.ping({})).clusterName, "example.test");
        const open = await client.auth.listOpen({ kind: "app" });
        assert.deepEqual(
          open.resources.map(({ name }) => name),
          ["web"],
        );
      });

      test("keeps an identity, and asks for another at a rotation", async () => {
        await using kept = await keepIdentity(source, { application: "web" });
        const first = kept.current;
        if (source instanceof Bot) source.renewNow();
        else bot.bot.renewNow();
        await until("it was renewed", () => kept.current !== first);
        assert.notDeepEqual(kept.current.tlsCertificate, first.tlsCertificate);
      });

      test("fetches from the application by its name alone, also after a renewal", async () => {
        await using kept = await keepIdentity(source, { application: "web", ttl: "1m" });
        const dispatcher = await kept.dispatcher();
        const get = async (path: string): Promise<string> =>
          await (await fetch(`http://web${path}`, { dispatcher })).text();
        assert.equal(await get("/one"), "served /one\n");
        const many = await Promise.all(Array.from({ length: 50 }, () => get("/many")));
        assert.ok(many.every((answer) => answer === "served /many\n"));
        await dispatcher.close();
      });

      test("connects to TLS servers that trust the cluster", async () => {
        await using kept = await keepIdentity(source);
        const tls = kept.tlsOptions({ ca: authority.ca });
        const connection = connect({
          ...tls,
          host: "127.0.0.1",
          port: port(),
          servername: "localhost",
        });
        connection.write("me\n");
        assert.equal(await text(connection), "heard me\n");
        assert.equal(identityOf(shown.at(-1)!).botName, "robot");
      });
    });

  test("fetches from https addresses with the certificate, and trusts only what it should", async () => {
    using source = await BotClient.connect(socket());
    await using kept = await keepIdentity(source, { application: "web" });
    const port = cluster.address.port;
    const url = `https://localhost:${port}/`;
    const strict = await kept.dispatcher();
    await assert.rejects(fetch(url, { dispatcher: strict }), (error: Error) => {
      assert.match((error.cause as Error).message, /self-signed|unable to/);
      return true;
    });
    await strict.close();
    const answered = httpsRequest({
      ...kept.tlsOptions({ ca: "" }),
      host: "127.0.0.1",
      port,
      servername: "web.example.test",
      headers: { host: "web.example.test" },
      rejectUnauthorized: false,
    }).end();
    const [response] = (await once(answered, "response")) as [NodeJS.ReadableStream];
    assert.equal(await text(response), "served /\n");
  });

  test("explains why a plain address cannot be reached", async () => {
    using source = await BotClient.connect(socket());
    await using kept = await keepIdentity(source);
    const dispatcher = await kept.dispatcher();
    await assert.rejects(fetch("http://web/", { dispatcher }), (error: Error) => {
      assert.match((error.cause as Error).message, /the certificate is for none/);
      return true;
    });
    await dispatcher.close();
  });

  test("examples/fetch-application.ts does what it says", async () => {
    assert.equal(await example("fetch-application", [socket(), "web"]), "200 served /\n");
  });

  test("examples/embedded-bot.ts does what it says", async () => {
    await addToken("example");
    const pins = cluster.caPins.map((pin) => `ca_pin=${pin}`).join("&");
    const env = { TBOT_JOIN_URI: `tbot+proxy+token://example@${proxyServer()}?${pins}` };
    assert.equal(await example("embedded-bot", ["web"], env), "200 served /\n");
  });

  test("examples/tls-client.ts does what it says", async () => {
    const file = join(directory, "ca.pem");
    const said = await example("tls-client", [socket(), "localhost", String(port()), file]);
    assert.equal(said, "heard first\nheard second\n");
  });

  test("says what is missing when there is no bot", async () => {
    using nobody = await BotClient.connect(join(directory, "none.sock"));
    const message = /none\.sock": there is no such socket/;
    await assert.rejects(nobody.generateIdentity(), { code: "unavailable", message });
    await assert.rejects(keepIdentity(nobody), { code: "unavailable", message });
    await assert.rejects(Bot.start({ configuration: "servces: []" }), {
      code: "bad_parameter",
      message: /unknown field.*services/,
    });
    await assert.rejects(Bot.start({}), { code: "bad_parameter", message: /no address/ });
  });
});

describe("a kept identity", () => {
  const HOUR_MS = 3_600_000;

  /** A source whose certificates live an hour of the test's clock. */
  function sourceOf(clock: ManualClock) {
    const state = { given: 0, failing: false, rotate: () => {} };
    const source = {
      logger: silentLogger,
      generateIdentity: async () => {
        if (state.failing) throw new Error("the bot is away");
        state.given += 1;
        return { expires: clock.now() + HOUR_MS } as GeneratedIdentity;
      },
      listenForRotation: async (listener: () => void) => {
        state.rotate = listener;
        return { [Symbol.dispose]: () => {} };
      },
    } as unknown as CredentialSource;
    return { state, source };
  }

  test("is renewed at half of its life and at a rotation, and served while renewing fails", async () => {
    const clock = new ManualClock();
    const { state, source } = sourceOf(clock);
    const kept = await KeptIdentity.open({ source, request: {}, clock, random: () => 1 });
    let renewals = 0;
    kept.onRenewed(() => (renewals += 1));
    await until("it waits", () => clock.pending > 0);
    await clock.advance(HOUR_MS / 2 + 1);
    await until("it was renewed", () => state.given === 2);
    state.rotate();
    await until("it was renewed at the rotation", () => state.given === 3);
    assert.equal(renewals, 2);
    const held = kept.current;
    state.failing = true;
    await until("it waits again", () => clock.pending > 0);
    await clock.advance(HOUR_MS / 2 + 1);
    assert.equal(kept.current, held);
    await clock.advance(HOUR_MS / 2);
    assert.throws(() => kept.current, {
      code: "unavailable",
      message: /ended at .* could not be renewed: the bot is away/,
    });
    assert.throws(() => ({ ...kept.tlsOptions() }), { code: "unavailable" });
    state.failing = false;
    await clock.advance(60_000);
    await until("it is there again", () => state.given === 4);
    assert.ok(kept.current.expires > clock.now());
    await kept[Symbol.asyncDispose]();
    assert.equal(clock.pending, 0);
  });
});
