// Services that start and stop while the bot runs, asked of the bot itself.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { parseYaml } from "#base/config";
import { silentLogger, type Logger } from "#base/kernel";
import { botConfiguration, type SpawnedMemory } from "#services/tbot";
import { closedPort, httpApplication, type TestServer } from "#testing/applications";
import { TestBot, type TestBotOptions } from "#testing/bot";
import { startCluster, type TestCluster } from "#testing/cluster";
import { until } from "#testing/wait";

describe("a running bot", () => {
  let cluster: TestCluster;
  let web: TestServer;

  before(async () => {
    web = await httpApplication((_request, response) => void response.end("hello"));
    cluster = await startCluster();
    await cluster.role("all");
    await cluster.serve([{ name: "web", uri: `http://127.0.0.1:${web.port}` }]);
  });
  after(async () => {
    await cluster[Symbol.asyncDispose]();
    await web[Symbol.asyncDispose]();
  });

  const start = async (
    name: string,
    options: Partial<TestBotOptions> = {},
  ): Promise<
    TestBot & { readonly spawn: (list: string) => ReturnType<TestBot["bot"]["spawn"]> }
  > => {
    const bot = await TestBot.start({ cluster, name, services: [], ...options });
    await bot.healthy("bot-identity");
    const spawn = (list: string) => bot.bot.spawn(list.replaceAll("{dir}", bot.directory));
    return Object.assign(bot, { spawn });
  };

  const names = (bot: TestBot): string[] => bot.bot.statuses().map(({ name }) => name);

  test("starts what it is asked for, and says how each is", async () => {
    await using bot = await start("asked");
    const { outcome, services } = await bot.spawn(`
- {type: identity, destination: "{dir}/a"}
- {type: ssh, destination: "{dir}/b"}
- {type: app-tunnel, app: web, listen: "unix://{dir}/web.sock", name: grafana}
`);
    assert.equal(outcome, "ready");
    assert.deepEqual(
      services.map(({ name, type, state, spawned }) => [name, type, state, spawned]),
      [
        ["identity-1", "identity", "healthy", true],
        ["identity-2", "identity", "healthy", true],
        ["grafana", "application-tunnel", "healthy", true],
      ],
    );
    assert.ok(existsSync(join(bot.directory, "a/tlscert")));
  });

  test("starts nothing when something of the list does not parse", async () => {
    await using bot = await start("misspelt");
    const list = `
- {type: identity, destination: "{dir}/a"}
- type: identity
  destinatoin: /tmp/b
- type: identity
  destination: "{dir}/c"
  renewal_interval: 2h
`;
    await assert.rejects(bot.spawn(list), {
      code: "bad_parameter",
      message: /services:4:3: \[1\]\.destinatoin: unknown field; did you mean "destination"\?/,
    });
    await assert.rejects(bot.spawn(list.replace("destinatoin", "destination")), {
      code: "bad_parameter",
      message: /services:7:21: \[2\]\.renewal_interval: is 2h, not shorter/,
    });
    for (const [text, words] of [
      ["", /is empty/],
      ["[]", /must not be empty/],
      ["services: []", /must be a list/],
      ["- {type: nonsense}", /type.*must be one of/s],
      ["- [", /services:1/],
    ] as const)
      await assert.rejects(bot.spawn(text), { code: "bad_parameter", message: words }, text);
    assert.deepEqual(names(bot), ["bot-identity"]);
  });

  test("starts the others when one is not possible, and says why", async () => {
    await using bot = await start("four-of-five");
    const { outcome, services } = await bot.spawn(`
- {type: identity, destination: "{dir}/a"}
- {type: app-tunnel, app: wed, listen: "unix://{dir}/wed.sock"}
- {type: identity, destination: "{dir}/b"}
- {type: identity, destination: "{dir}/c"}
- {type: app-tunnel, app: web, listen: "unix://{dir}/web.sock"}
`);
    assert.equal(outcome, "failed");
    assert.deepEqual(
      services.map(({ state }) => state),
      ["healthy", "unhealthy", "healthy", "healthy", "healthy"],
    );
    assert.match(services[1]!.reason!, /"wed".*web/s);
  });

  test("refuses a name, a listener or a destination that another has, of the list or of the bot", async () => {
    const port = await closedPort();
    const storage = await mkdtemp(join(tmpdir(), "tenon-storage-"));
    await using bot = await start("twice", {
      storage,
      diagAddr: `127.0.0.1:${port}`,
      services: [{ type: "identity", name: "file", destination: "{dir}/file" }],
    });
    const { outcome, services } = await bot.spawn(`
- {type: identity, destination: "{dir}/a"}
- {type: identity, destination: "{dir}/x/../a"}
- {type: identity, destination: "{dir}/file"}
- {type: identity, destination: "${storage}"}
- {type: identity, destination: "{dir}/b", name: file}
- {type: identity, destination: "{dir}/b", name: bot-identity}
- {type: app-tunnel, app: web, listen: "tcp://127.0.0.1:${port}"}
- {type: app-tunnel, app: web, listen: "unix://{dir}/web.sock"}
- {type: app-tunnel, app: web, listen: "unix://{dir}/web.sock"}
`);
    assert.equal(outcome, "failed");
    assert.deepEqual(
      services.map(({ state, reason }) => [state, reason?.replace(/.* is taken by/, "taken by")]),
      [
        ["healthy", undefined],
        ["failed", 'taken by service "identity-1"; choose another, or stop that one first'],
        ["failed", 'taken by service "file"; choose another, or stop that one first'],
        ["failed", "taken by storage; choose another, or stop that one first"],
        ["failed", 'taken by service "file"; choose another, or stop that one first'],
        ["failed", "taken by the bot's own identity; choose another, or stop that one first"],
        ["failed", "taken by diag_addr; choose another, or stop that one first"],
        ["healthy", undefined],
        ["failed", 'taken by service "app-tunnel-1"; choose another, or stop that one first'],
      ],
    );
    assert.deepEqual(names(bot), ["bot-identity", "file", "identity-1", "app-tunnel-1"]);
    await rm(storage, { recursive: true });
  });

  test("lets the next try take the place of one that never worked, as the document's session does", async () => {
    await using bot = await start("again");
    const spawn = async (app: string) =>
      await bot.spawn(`[{type: app-tunnel, app: ${app}, listen: "unix://{dir}/web.sock"}]`);
    const first = await spawn("wed");
    assert.deepEqual([first.outcome, first.services[0]!.name], ["failed", "app-tunnel-1"]);
    const second = await spawn("web");
    assert.deepEqual([second.outcome, second.services[0]!.name], ["ready", "app-tunnel-1"]);
    const third = await spawn("web");
    assert.equal(third.outcome, "failed");
    assert.match(third.services[0]!.reason!, /taken by service "app-tunnel-1"/);
    assert.equal(bot.state("app-tunnel-1"), "healthy");
  });

  test("stops one, and its name, its places and its metrics are free", async () => {
    await using bot = await start("stopping");
    const list = `
- {type: identity, destination: "{dir}/a"}
- {type: identity, destination: "{dir}/b"}
`;
    await bot.spawn(list);
    assert.match(await bot.metrics.text(), /service="identity-1"/);
    await bot.bot.stop("identity-1");
    assert.doesNotMatch(await bot.metrics.text(), /service="identity-1"/);
    assert.match(await bot.metrics.text(), /service="identity-2"/);
    await assert.rejects(bot.bot.stop("identity-1"), { code: "not_found", message: /identity-2/ });
    await assert.rejects(bot.bot.stop("bot-identity"), { code: "bad_parameter" });
    const { services } = await bot.spawn(`[{type: identity, destination: "{dir}/a"}]`);
    assert.deepEqual([services[0]!.name, services[0]!.state], ["identity-1", "healthy"]);
  });

  test("says at once when the cluster does not let the bot in any more", async () => {
    await using lonely = await startCluster();
    await lonely.role("all");
    await using bot = await start("waiting", { cluster: lonely });
    await lonely.lock({ user: "bot-waiting" });
    await until("it is refused", () => bot.state("bot-identity") === "unhealthy");
    const { services } = await bot.bot.spawn(
      `[{type: identity, destination: "${bot.directory}/x"}]`,
    );
    assert.equal(services[0]!.state, "unhealthy");
    assert.match(services[0]!.reason!, /lock/);
  });

  test("does not start twice what is asked twice with the same key", async () => {
    await using bot = await start("keys");
    const list = `[{type: identity, destination: "${bot.directory}/a"}]`;
    const options = { idempotencyKey: "k1" };
    const [first, second] = await Promise.all([
      bot.bot.spawn(list, options),
      bot.bot.spawn(list.replace("{", "{ "), options),
    ]);
    const third = await bot.bot.spawn(list, options);
    assert.deepEqual([first.outcome, first], ["ready", second]);
    assert.deepEqual(third, first);
    assert.deepEqual(names(bot), ["bot-identity", "identity-1"]);
    await assert.rejects(bot.bot.spawn(list.replace("/a", "/b"), options), {
      code: "already_exists",
      message: /"k1"/,
    });
    await assert.rejects(bot.bot.spawn("- {type: x}", { idempotencyKey: "k2" }), {
      code: "bad_parameter",
    });
    const { outcome } = await bot.bot.spawn(list.replace("/a", "/b"), { idempotencyKey: "k2" });
    assert.equal(outcome, "ready");
  });

  test("holds whoever asks to caps", async () => {
    await using bot = await start("capped", { roles: ["all"] });
    const caps = { types: ["identity"], roles: ["all"] };
    const spawn = async (list: string) =>
      await bot.bot.spawn(list.replaceAll("{dir}", bot.directory), { caps });
    await assert.rejects(
      spawn(`
- {type: identity, destination: "{dir}/a"}
- {type: identity, destination: "{dir}/b", roles: [all, editor]}
- {type: app, app: web, destination: "{dir}/c"}
`),
      {
        code: "access_denied",
        message:
          '[1].roles: "editor" is not allowed here; allowed: all\n[2].type: "application" is not allowed here; allowed: identity',
      },
    );
    assert.deepEqual(names(bot), ["bot-identity"]);
    await spawn(`[{type: identity, destination: "{dir}/a"}]`);
    assert.match(bot.bot.configuration(), /roles:\n\s+- all/);
  });

  test("does not wait for a caller that has gone", async () => {
    await using bot = await start("gone");
    const list = `[{type: identity, destination: "${bot.directory}/a"}]`;
    await bot.bot.spawn(list, { signal: AbortSignal.abort() });
    await bot.healthy("identity-1");
  });

  test("gives the configuration of now, without secrets, which parses", async () => {
    await using bot = await start("printing", {
      services: [{ type: "identity", destination: "{dir}/file" }],
    });
    await bot.spawn(`[{type: identity, destination: "{dir}/a"}]`);
    await bot.bot.stop("identity-1");
    await bot.spawn(`[{type: app-tunnel, app: web, listen: "unix://{dir}/web.sock"}]`);
    const text = bot.bot.configuration();
    const parsed = parseYaml({ text, file: "printed", schema: botConfiguration });
    assert.deepEqual(
      parsed.services.map(({ name }) => name),
      ["identity-2", "app-tunnel-1"],
    );
  });

  test("remembers what was spawned, and says at the next start what is gone", async () => {
    const warnings: string[] = [];
    const log: Logger = {
      ...silentLogger,
      warn: (message, fields) => void warnings.push(`${message} ${JSON.stringify(fields)}`),
      child: () => log,
    };
    const memory = new Memory();
    {
      await using bot = await start("remembering", { spawned: memory });
      await bot.spawn(`
- {type: identity, destination: "{dir}/a"}
- {type: identity, destination: "{dir}/b"}
- {type: identity, destination: "{dir}/c"}
`);
      assert.deepEqual(memory.names, ["identity-1", "identity-2", "identity-3"]);
      await bot.bot.stop("identity-1");
      assert.deepEqual(memory.names, ["identity-2", "identity-3"]);
    }
    assert.deepEqual(memory.names, ["identity-2", "identity-3"]);
    await using _bot = await start("remembering-too", {
      spawned: memory,
      log,
      services: [{ type: "identity", name: "identity-2", destination: "{dir}/b" }],
    });
    assert.deepEqual(warnings, [
      'services that were spawned before this start are gone: spawn them again {"services":"identity-3"}',
    ]);
    assert.deepEqual(memory.names, []);
  });
});

class Memory implements SpawnedMemory {
  names: readonly string[] = [];

  async load(): Promise<readonly string[]> {
    return this.names;
  }

  async save(names: readonly string[]): Promise<void> {
    this.names = names;
  }
}
