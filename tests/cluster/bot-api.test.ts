// The bot's API on its socket, by the programs that would use it: curl, grpc-js, Connect.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { createClient, type Client } from "@connectrpc/connect";
import { BotApiService, SpawnServiceResponseSchema } from "@tenon/api/tenon/tbot/v1/bot_api";
import { codeOf, systemClock } from "#base/kernel";
import { connectLocal, detailOf } from "#base/local";
import { createLogger, LogRing } from "#base/observe";
import { RpcChannel } from "#base/rpc";
import { closedPort, httpApplication, type TestServer } from "#testing/applications";
import { TestBot, type TestBotOptions } from "#testing/bot";
import { startCluster, type TestCluster } from "#testing/cluster";
import { needs } from "#testing/needs";
import { until } from "#testing/wait";

const run = promisify(execFile);

let cluster: TestCluster;
let web: TestServer;

before(async () => {
  web = await httpApplication((_request, response) => void response.end("hello"));
  cluster = await startCluster();
  await cluster.role("all");
  await cluster.role("some", { team: ["blue"] });
  await cluster.serve([
    { name: "web", uri: `http://127.0.0.1:${web.port}`, labels: { team: "blue" } },
    { name: "wiki", uri: `http://127.0.0.1:${web.port}`, labels: { team: "red" } },
  ]);
});
after(async () => {
  await cluster[Symbol.asyncDispose]();
  await web[Symbol.asyncDispose]();
});

/** A bot that takes orders, and a caller. */
class Ordered implements AsyncDisposable {
  readonly bot: TestBot;
  readonly api: Client<typeof BotApiService>;
  readonly logs: LogRing;
  readonly #transport: Disposable;

  private constructor(parts: {
    bot: TestBot;
    logs: LogRing;
    transport: Parameters<typeof createClient>[1] & Disposable;
  }) {
    this.bot = parts.bot;
    this.logs = parts.logs;
    this.api = createClient(BotApiService, parts.transport);
    this.#transport = parts.transport;
  }

  static async start(
    name: string,
    api: object = {},
    options: Partial<TestBotOptions> = {},
  ): Promise<Ordered> {
    const logs = new LogRing();
    const log = createLogger({
      level: "info",
      format: "text",
      sink: { write: () => {} },
      ring: logs,
    });
    const service = { type: "bot-api", listen: "unix://{dir}/api/bot.sock", ...api };
    const bot = await TestBot.start({ cluster, name, services: [service], log, logs, ...options });
    if (!options.join) await bot.healthy("bot-identity");
    await bot.healthy("bot-api-1");
    const transport = await connectLocal(join(bot.directory, "api/bot.sock"));
    return new Ordered({ bot, logs, transport });
  }

  get socket(): string {
    return join(this.bot.directory, "api/bot.sock");
  }

  /** A list in which `{dir}` is the bot's directory. */
  list(text: string): string {
    return text.replaceAll("{dir}", this.bot.directory);
  }

  async curl(
    call: string,
    body: object,
  ): Promise<{ status: number; body: Record<string, unknown> }> {
    const socket = ["-s", "--unix-socket", this.socket, "-w", "\n%{http_code}"];
    const json = ["-H", "content-type: application/json", "-d", JSON.stringify(body)];
    const url = `http://bot/tenon.tbot.v1.BotApiService/${call}`;
    const { stdout } = await run("curl", [...socket, ...json, url]);
    const [text, status] = stdout.split("\n");
    return { status: Number(status), body: JSON.parse(text!) as Record<string, unknown> };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#transport[Symbol.dispose]();
    await this.bot[Symbol.asyncDispose]();
  }
}

describe("the bot's API", () => {
  test("spawns, tells and stops, and its socket is its owner's alone", async () => {
    await using bot = await Ordered.start("orders");
    const { services } = await bot.api.spawnService({
      configuration: bot.list(`
- {type: identity, destination: "{dir}/a"}
- {type: app-tunnel, app: web, listen: "unix://{dir}/web.sock"}
`),
    });
    assert.deepEqual(
      services.map(({ name, type, status, spawned }) => [name, type, status, spawned]),
      [
        ["identity-1", "identity", "healthy", true],
        ["app-tunnel-1", "application-tunnel", "healthy", true],
      ],
    );
    const all = (await bot.api.getServiceStatus({})).services;
    assert.deepEqual(
      all.map(({ name }) => name),
      ["bot-identity", "bot-api-1", "identity-1", "app-tunnel-1"],
    );
    await bot.api.stopService({ name: "identity-1" });
    await assert.rejects(bot.api.getServiceStatus({ name: "identity-1" }), { code: "not_found" });
    assert.equal((await stat(bot.socket)).mode & 0o777, 0o600);
    assert.equal((await stat(join(bot.socket, ".."))).mode & 0o777, 0o700);
  });

  test("speaks JSON with curl and gRPC with grpc-js", needs("curl"), async () => {
    await using bot = await Ordered.start("dialects");
    const spawned = await bot.curl("SpawnService", {
      configuration: bot.list(`[{type: identity, destination: "{dir}/a"}]`),
      timeout: "60s",
    });
    assert.equal(spawned.status, 200);
    assert.partialDeepStrictEqual(spawned.body, {
      services: [{ name: "identity-1", status: "healthy", spawned: true }],
    });
    const channel = new RpcChannel({ target: { unix: bot.socket }, clock: systemClock });
    const grpc = channel.client(BotApiService);
    assert.equal((await grpc.getServiceStatus({ name: "identity-1" })).services.length, 1);
    await grpc.stopService({ name: "identity-1" });
    assert.deepEqual(await bot.curl("StopService", { name: "identity-1" }), {
      status: 404,
      body: {
        code: "not_found",
        message: 'no service is named "identity-1"; there are: bot-identity, bot-api-1',
      },
    });
    channel.close();
  });

  test("says what was wrong, and brings the state of every service with it", async () => {
    await using bot = await Ordered.start("wrong");
    const spawn = async (text: string) =>
      await bot.api.spawnService({ configuration: bot.list(text) });
    await assert.rejects(spawn("- type: identity\n  destnation: /x"), {
      code: "bad_parameter",
      message: /services:2:3: \[0\]\.destnation: unknown field; did you mean "destination"/,
    });
    const error: unknown = await spawn(`
- {type: identity, destination: "{dir}/a"}
- {type: app-tunnel, app: wed, listen: "unix://{dir}/web.sock"}
`).catch((error: unknown) => error);
    assert.equal(codeOf(error), "compare_failed");
    assert.match(
      String(error),
      /1 of 2 services did not start well\n {2}app-tunnel-1: .*"wed".*"web"/s,
    );
    const { services } = detailOf(error, SpawnServiceResponseSchema)!;
    assert.deepEqual(
      services.map(({ name, status }) => [name, status]),
      [
        ["identity-1", "healthy"],
        ["app-tunnel-1", "unhealthy"],
      ],
    );
    await assert.rejects(
      bot.api.spawnService({ configuration: "[]", timeout: { seconds: 0n, nanos: 0 } }),
      { code: "bad_parameter", message: /timeout/ },
    );
  });

  test("tells a watcher of all that stands and of every change", async () => {
    await using bot = await Ordered.start("watched");
    const seen: string[] = [];
    const leave = new AbortController();
    const watching = (async () => {
      for await (const { event, service } of bot.api.watchServices({}, { signal: leave.signal }))
        seen.push(`${event} ${service!.name} ${service!.status}`);
    })();
    watching.catch(() => {});
    await until("it begins", () => seen.length === 2);
    await bot.api.spawnService({
      configuration: bot.list(`[{type: identity, destination: "{dir}/a"}]`),
    });
    await bot.api.stopService({ name: "identity-1" });
    await until("it ends", () => seen.length === 5);
    assert.deepEqual(seen, [
      "current bot-identity healthy",
      "current bot-api-1 healthy",
      "spawned identity-1 initializing",
      "ready identity-1 healthy",
      "stopped identity-1 healthy",
    ]);
    leave.abort();
    await assert.rejects(watching, { code: "canceled" });
  });

  test("shows the bot's log, in which each order stands with who gave it", async () => {
    await using bot = await Ordered.start("logged");
    const configuration = bot.list(`[{type: identity, destination: "{dir}/a"}]`);
    await bot.api.spawnService({ configuration });
    await bot.api.stopService({ name: "identity-1" });
    const lines: string[] = [];
    for await (const { text } of bot.api.watchLogs({ service: "identity-1" })) lines.push(text);
    const by = `uid=${process.getuid!()} pid=${process.pid} executable=${process.execPath}`;
    assert.match(lines[0]!, new RegExp(`INFO {2}spawned service=identity-1 type=identity ${by}$`));
    assert.match(
      lines.at(-1)!,
      new RegExp(`stops a service service=identity-1 type=identity ${by}$`),
    );
    assert.equal((await collected(bot.api.watchLogs({ tail: 1 }))).length, 1);
    const leave = new AbortController();
    const followed: string[] = [];
    const following = (async () => {
      const request = { tail: 1, follow: true, service: "identity-1" };
      for await (const { text } of bot.api.watchLogs(request, { signal: leave.signal }))
        followed.push(text);
    })();
    following.catch(() => {});
    await until("the last line is there", () => followed.length === 1);
    await bot.api.spawnService({ configuration });
    await until("new ones are", () => followed.length >= 3);
    assert.ok(followed.every((line) => line.includes("service=identity-1")));
    leave.abort();
    await assert.rejects(following, { code: "canceled" });
  });

  test("finds what the bot's roles open, and no more than the socket allows", async () => {
    await using bot = await Ordered.start("finding", {}, { roles: ["all", "some"] });
    const names = async (of: Ordered, kind: string, labels = {}) =>
      (await of.api.query({ kind, labels })).results.map(({ name }) => name);
    assert.deepEqual(await names(bot, "apps"), ["web", "wiki"]);
    assert.deepEqual(await names(bot, "apps", { team: "red" }), ["wiki"]);
    assert.deepEqual(await names(bot, "databases"), []);
    await assert.rejects(names(bot, "app"), { code: "bad_parameter", message: /apps/ });
    await using capped = await Ordered.start(
      "finding-less",
      { allowed_roles: ["some"] },
      { roles: ["all", "some"] },
    );
    assert.deepEqual(await names(capped, "apps"), ["web"]);
  });

  test("says why there is nothing to find before the bot has joined", async () => {
    await using bot = await Ordered.start(
      "finding-nothing",
      {},
      { join: { method: "token", token: "wrong" } },
    );
    await until("the bot has tried", () => bot.bot.state("bot-identity") === "unhealthy");
    await assert.rejects(bot.api.query({ kind: "apps" }), {
      code: "unavailable",
      message: /^the bot has not joined the cluster yet: ./,
    });
  });

  test("holds its callers to its caps, also through an API that they spawn", async () => {
    await using bot = await Ordered.start(
      "capped-api",
      { allowed_types: ["ssh", "bot-api"], allowed_roles: ["some"] },
      { roles: ["all", "some"] },
    );
    const spawn = async (text: string) =>
      await bot.api.spawnService({ configuration: bot.list(text) });
    await assert.rejects(spawn(`[{type: identity, destination: "{dir}/a", roles: [all]}]`), {
      code: "access_denied",
      message: '[0].roles: "all" is not allowed here; allowed: some',
    });
    await assert.rejects(spawn(`[{type: app, app: web, destination: "{dir}/a"}]`), {
      code: "access_denied",
      message: '[0].type: "application" is not allowed here; allowed: identity, bot-api',
    });
    await assert.rejects(
      spawn(`[{type: bot-api, listen: "unix://{dir}/api/b", allowed_types: [app]}]`),
      { code: "access_denied" },
    );
    await spawn(`[{type: bot-api, listen: "unix://{dir}/api/b", allowed_types: [id]}]`);
    await spawn(`[{type: identity, destination: "{dir}/a"}]`);
    const { configuration } = await bot.api.getConfig({});
    assert.match(
      configuration,
      /name: bot-api-2\n(.*\n)*?\s+allowed_types:\n\s+- id\n\s+allowed_roles:\n\s+- some/,
    );
    assert.match(configuration, /name: identity-1\n(.*\n)*?\s+roles:\n\s+- some/);
  });

  test("stops its own service after the answer, and the socket goes with it", async () => {
    await using bot = await Ordered.start("own-end");
    await bot.api.stopService({ name: "bot-api-1" });
    await until("it is gone", () => bot.bot.state("bot-api-1") === undefined);
    await assert.rejects(bot.api.getConfig({}), { code: "unavailable" });
    assert.equal(bot.bot.state("bot-identity"), "healthy");
  });
});

describe("a bot that cannot reach its cluster yet", () => {
  /** Nobody listens there. */
  const alone = async (name: string): Promise<Ordered> => {
    const nowhere = { address: { host: "127.0.0.1", port: await closedPort() }, caPins: [] };
    return await Ordered.start(
      name,
      {},
      { cluster: nowhere as unknown as TestCluster, join: { method: "token", token: "none" } },
    );
  };

  test("takes orders, and says at the timeout that they are not done", needs("curl"), async () => {
    await using bot = await alone("alone");
    const configuration = bot.list(`[{type: identity, destination: "{dir}/a"}]`);
    const { status, body } = await bot.curl("SpawnService", { configuration, timeout: "0.05s" });
    assert.equal(status, 504);
    assert.partialDeepStrictEqual(body, {
      code: "deadline_exceeded",
      message: "1 of 1 services did not report in time\n  identity-1: initializing",
      details: [
        { debug: { services: [{ name: "identity-1", status: "initializing", spawned: true }] } },
      ],
    });
    assert.equal(bot.bot.state("identity-1"), "initializing");
    await bot.api.stopService({ name: "identity-1" });
    assert.equal(bot.bot.state("identity-1"), undefined);
  });

  test("lets a service go on whose caller has left, and the key finds it again", async () => {
    await using bot = await alone("left");
    const configuration = bot.list(`[{type: identity, destination: "{dir}/a"}]`);
    const gone = new AbortController();
    const request = { configuration, idempotencyKey: "once" };
    const asking = bot.api.spawnService(request, { signal: gone.signal });
    await until("it is there", () => bot.bot.state("identity-1"));
    gone.abort();
    await assert.rejects(asking, { code: "canceled" });
    const again = await bot.api.spawnService({ ...request, skipWait: true });
    assert.partialDeepStrictEqual(again.services, [{ name: "identity-1" }]);
    assert.equal((await bot.api.getServiceStatus({})).services.length, 3);
  });
});

describe("a socket of a bot", () => {
  test("that another bot serves is refused, and taken over when that one ends", async () => {
    const directory = await mkdtemp(join(tmpdir(), "tenon-shared-"));
    const listen = `unix://${directory}/api.sock`;
    const services = [{ type: "bot-api", listen }];
    const first = await TestBot.start({ cluster, name: "first", services });
    await first.healthy("bot-api-1");
    await using second = await TestBot.start({ cluster, name: "second", services });
    await until("it is refused", () => second.state("bot-api-1") === "unhealthy");
    assert.match(second.reason("bot-api-1")!, /another process already serves/);
    await first[Symbol.asyncDispose]();
    await second.healthy("bot-api-1");
    await rm(directory, { recursive: true });
  });

  const impossible: readonly [what: string, listen: string, reason: RegExp][] = [
    ["with too long a path", `unix:///tmp/${"x".repeat(110)}/api.sock`, /107 is the most/],
    ["where a file is", "unix:///dev/null", /open to other users|not a socket/],
    ["in no directory", "unix:///dev/null/api.sock", /dev\/null/],
    ["in a directory that others may enter", "unix:///tmp/tenon-api.sock", /open to other users/],
  ];
  for (const [what, listen, reason] of impossible)
    test(`${what} makes the service fail in words, and no other`, async () => {
      const api = { type: "bot-api", listen };
      const identity = { type: "identity", destination: "{dir}/out" };
      await using bot = await TestBot.start({
        cluster,
        name: what.replaceAll(" ", "-"),
        services: [api, identity],
      });
      await until("it says so", () => bot.reason("bot-api-1"));
      assert.match(bot.reason("bot-api-1")!, reason);
      await bot.healthy("identity-1");
    });

  const asRoot = process.getuid?.() === 0;
  describe("and other users", { skip: asRoot ? false : "needs root to become them" }, () => {
    const asNobody = async (bot: Ordered): Promise<string> => {
      const nobody = ["--reuid", "nobody", "--regid", "nogroup", "--clear-groups"];
      const curl = ["curl", "-s", "--unix-socket", bot.socket, "-d", "{}"];
      const url = "http://bot/tenon.tbot.v1.BotApiService/GetConfig";
      const { stdout } = await run("setpriv", [...nobody, ...curl, url]).catch(
        (error: { code: number }) => ({ stdout: `curl ${error.code}` }),
      );
      return stdout;
    };

    test("keeps them out", needs("curl"), async () => {
      await using bot = await Ordered.start("closed");
      await chmod(bot.bot.directory, 0o755);
      assert.equal(await asNobody(bot), "curl 7");
      await chmod(join(bot.socket, ".."), 0o755);
      await chmod(bot.socket, 0o666);
      assert.match(await asNobody(bot), /"permission_denied"/);
    });

    test("lets its readers in", needs("curl"), async () => {
      await using bot = await Ordered.start("open", { readers: ["user:nobody"] });
      await chmod(bot.bot.directory, 0o755);
      assert.match(await asNobody(bot), /"configuration":"# The configuration/);
      const { configuration } = await bot.api.getConfig({});
      assert.match(configuration, /readers:\n\s+- user: nobody/);
    });

    test("fails where a reader is nobody of this system", async () => {
      const services = [{ type: "bot-api", listen: "unix://{dir}/api/a", readers: ["user:nemo"] }];
      await using bot = await TestBot.start({ cluster, name: "nemo", services });
      await until("it fails", () => bot.state("bot-api-1") === "failed");
      assert.match(bot.reason("bot-api-1")!, /"nemo" is no user/);
    });
  });
});

test("a thousand services, one call after another in ten programs at once", async () => {
  await using bot = await Ordered.start("thousand");
  const each = async (act: (name: string) => Promise<unknown>): Promise<void> => {
    const hundreds = Array.from({ length: 10 }, async (_, program) => {
      for (let at = 0; at < 100; at++) await act(`many-${program}-${at}`);
    });
    await Promise.all(hundreds);
  };
  await each((name) => {
    const configuration = `[{type: identity, name: ${name}, destination: "memory://"}]`;
    return bot.api.spawnService({ configuration });
  });
  const { services } = await bot.api.getServiceStatus({});
  assert.equal(services.filter(({ status }) => status === "healthy").length, 1_002);
  await each((name) => bot.api.stopService({ name }));
  assert.equal((await bot.api.getServiceStatus({})).services.length, 2);
  assert.doesNotMatch(await bot.bot.metrics.text(), /many-/);
});

async function collected(lines: AsyncIterable<{ text: string }>): Promise<string[]> {
  const found: string[] = [];
  for await (const { text } of lines) found.push(text);
  return found;
}
