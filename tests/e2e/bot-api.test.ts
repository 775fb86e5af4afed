// A bot that takes orders, as a process: killed, cut off, locked, and started from what it printed.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { BotApiClient, type SpawnOutcome } from "#services/bot-client";
import { closedPort, httpApplication, type TestServer } from "#testing/applications";
import { Yard, type Running } from "#testing/processes";
import { RealBot } from "#testing/real-bot";
import { RealCluster } from "#testing/real-cluster";
import { until } from "#testing/wait";

let yard: Yard;
let web: TestServer;
let cluster: RealCluster;

before(async () => {
  yard = await Yard.open();
  web = await httpApplication((_request, response) => void response.end("hello"));
  cluster = await RealCluster.start(yard);
  await cluster.serve("web", `http://127.0.0.1:${web.port}`);
});
after(async () => {
  await yard[Symbol.asyncDispose]();
  await web[Symbol.asyncDispose]();
});

const api = { type: "bot-api", listen: "unix://{dir}/api/bot.sock" };
const fileIdentity = { type: "identity", name: "of-the-file", destination: "{dir}/file" };

interface Lock {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly message: string };
}

/** A bot whose file has an identity and the API. */
const start = async (name: string): Promise<RealBot> => {
  const bot = await RealBot.start({ cluster, name, services: [api, fileIdentity] });
  await bot.ready();
  return bot;
};

const spawn = async (bot: RealBot, service: object): Promise<SpawnOutcome> => {
  using client = await BotApiClient.open(bot.path("api/bot.sock"));
  const text = JSON.stringify([service]).replaceAll("{dir}", bot.directory);
  return await client.spawn({ configuration: text });
};

const configuration = async (bot: RealBot): Promise<string> => {
  using client = await BotApiClient.open(bot.path("api/bot.sock"));
  return await client.configuration();
};

const names = async (bot: RealBot): Promise<string[]> =>
  Object.keys((await bot.readyz()).services).sort();

const says = async (port: number): Promise<string> => {
  const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } });
  return await answer.text();
};

describe("a bot that is killed in the middle of its work", () => {
  test("comes back with the services of its file, and says which spawned ones are gone", async () => {
    const bot = await start("killed");
    await spawn(bot, { type: "identity", destination: "{dir}/one" });
    await spawn(bot, { type: "identity", destination: "{dir}/two" });
    bot.process.kill("SIGKILL");
    await bot.process.ended;
    bot.startAgain();
    await bot.ready();
    assert.deepEqual(await names(bot), ["bot-api-1", "bot-identity", "of-the-file"]);
    await bot.process.prints(/WARN .*are gone: spawn them again services="identity-1, identity-2"/);
    const { outcome, services } = await spawn(bot, {
      type: "identity",
      destination: "{dir}/one",
    });
    assert.deepEqual([outcome, services[0]!.name], ["started", "identity-1"]);
    await bot.stop();
  });

  test("resumes all of them from the configuration that it printed, from wherever it is started", async () => {
    const port = await closedPort();
    const bot = await start("printed");
    const listen = `tcp://127.0.0.1:${port}`;
    await spawn(bot, { type: "application-tunnel", app_name: "web", listen });
    await spawn(bot, { type: "identity", destination: "{dir}/one" });
    const text = await configuration(bot);
    assert.doesNotMatch(text, /join_uri|registration_secret:|hidden/);
    await writeFile(bot.file, text);
    bot.process.kill("SIGKILL");
    await bot.process.ended;
    bot.startAgain();
    await bot.ready();
    assert.deepEqual(await names(bot), [
      "app-tunnel-1",
      "bot-api-1",
      "bot-identity",
      "identity-1",
      "of-the-file",
    ]);
    assert.equal(await says(port), "hello");
    assert.doesNotMatch(bot.process.printed, /are gone/);
    assert.equal(await configuration(bot), text.replace(/^# (Left|They).*\n/gm, ""));
    await bot.stop();
  });
});

describe("a bot that is cut off", () => {
  test("until its identity ends: says so of what it is asked for, and does it when it can", async () => {
    const configured = [api, { ...fileIdentity, credential_ttl: "1h" }];
    const more = { credential_ttl: "6s", renewal_interval: "3s" };
    const bot = await RealBot.start({ cluster, name: "cut-off", services: configured, more });
    await bot.ready();
    await cluster.stop();
    const end = /^tbot_certificate_expires_seconds{service="bot-identity"} /;
    await until("its identity has ended", async () => {
      return (await bot.metric(end))! < Date.now() / 1_000;
    });
    const { outcome, services } = await spawn(bot, {
      type: "identity",
      destination: "{dir}/late",
    });
    assert.equal(outcome, "failed");
    assert.equal(services[0]!.status, "unhealthy");
    await cluster.startAgain();
    await bot.until("identity-1", "healthy", 45_000);
    await bot.stop();
  });

  test("by a lock: says which, keeps its services, and heals when it is lifted", async () => {
    const bot = await start("locked");
    await cluster.tctl("lock", "--user=bot-locked", "--message=who is this");
    const locks = await cluster.tctlJson<Lock[]>("get", "lock");
    const lock = locks.find(({ spec }) => spec.message === "who is this")!;
    await bot.until("bot-identity", "unhealthy");
    const { outcome, services } = await spawn(bot, {
      type: "identity",
      destination: "{dir}/late",
    });
    assert.equal(outcome, "failed");
    assert.match(services[0]!.reason!, /who is this/);
    assert.deepEqual(await names(bot), ["bot-api-1", "bot-identity", "identity-1", "of-the-file"]);
    await cluster.tctl("rm", `lock/${lock.metadata.name}`);
    await bot.until("identity-1", "healthy");
    await bot.ready();
    await bot.stop();
  });
});

describe("the diagnostics of a bot that takes orders", () => {
  test("wait for services that come, and let go of those that were stopped", async () => {
    const bot = await start("gates");
    using client = await BotApiClient.open(bot.path("api/bot.sock"));
    await cluster.stop();
    const identity = { type: "identity", destination: bot.path("late") };
    const asked = JSON.stringify([identity]);
    await client.spawn({ configuration: asked });
    assert.equal((await bot.readyz("readyz/identity-1")).code, 503);
    assert.equal((await bot.readyz("readyz")).code, 503);
    const waiting: Running = yard.start("tbot", [
      "wait",
      `--diag-addr=${bot.diag}`,
      "--service=identity-1",
    ]);
    await until("it asks", () => waiting.alive);
    await client.stop("identity-1");
    const { code, err } = await waiting.within(20_000);
    assert.equal(code, 1);
    assert.match(err, /no service is named .*identity-1/);
    assert.equal((await bot.readyz("wait/identity-1")).code, 404);
    assert.equal(await bot.metric(/service="identity-1"/), undefined);
    await cluster.startAgain();
    await bot.ready();
    await bot.stop();
  });
});

test("tbot start bot-api listens where tbot api looks, and not unless it is asked to", async () => {
  const env = { TBOT_API_SOCKET: `unix://${yard.path("by-variable/api.sock")}` };
  const uri = await cluster.addBot("by-variable");
  const storage = `--storage=${yard.path("by-variable-storage")}`;
  const bot = yard.start("tbot", ["start", "bot-api", uri, storage], { env });
  await bot.prints(/takes orders .*by-variable\/api\.sock/);
  const status = await yard.run("tbot", ["api", "status", "--format=json"], { env });
  assert.equal(status.code, 0, status.err);
  assert.match(status.out, /"bot-api-1"/);
  await bot.stop();
  const gone = await yard.run("tbot", ["api", "status"], { env });
  assert.equal(gone.code, 1);
});
