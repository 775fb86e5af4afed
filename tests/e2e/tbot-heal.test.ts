// What a bot does when the world around it goes away, and comes back.
import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import { once } from "node:events";
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { closedPort, httpApplication, type TestServer } from "#testing/applications";
import { hasCommand } from "#testing/needs";
import { Yard, type Running } from "#testing/processes";
import { RealBot } from "#testing/real-bot";
import { RealCluster } from "#testing/real-cluster";
import { until } from "#testing/wait";

let yard: Yard;
let web: TestServer;
let cluster: RealCluster;
let agent: Running;

before(async () => {
  yard = await Yard.open();
  web = await httpApplication((_request, response) => void response.end("hello"));
  cluster = await RealCluster.start(yard);
  agent = await cluster.serve("web", `http://127.0.0.1:${web.port}`);
});
after(async () => {
  await yard[Symbol.asyncDispose]();
  await web[Symbol.asyncDispose]();
});

const tunnelAt = (port: number): object => ({
  type: "application-tunnel",
  app_name: "web",
  listen: `tcp://127.0.0.1:${port}`,
});
const identity = { type: "identity", destination: "{dir}/out" };

const says = async (port: number): Promise<string> => {
  const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } });
  return await answer.text();
};

const works = async (bot: RealBot, port: number): Promise<void> => {
  await bot.process.until("carries a request", () =>
    says(port)
      .then((text) => text === "hello")
      .catch(() => false),
  );
};

describe("a bot whose cluster restarts", () => {
  test("says within seconds that its tunnel is down, and heals by itself", async () => {
    const port = await closedPort();
    const bot = await RealBot.start({
      cluster,
      name: "restart",
      services: [identity, tunnelAt(port)],
    });
    await bot.ready();
    const certificate = await readFile(bot.path("out/tlscert"), "utf8");
    await cluster.stop();
    const { reason } = await bot.until("app-tunnel-1", "unhealthy", 10_000);
    assert.match(reason!, /ECONNREFUSED|cannot be reached/);
    assert.equal((await bot.readyz()).code, 503);
    assert.equal((await bot.readyz("readyz/identity-1")).code, 200);
    const { reason: silence } = await bot.until("bot-identity", "unhealthy", 30_000);
    assert.match(silence!, /nothing heard from the cluster: cannot reach 127\.0\.0\.1:\d+/);
    await assert.rejects(says(port));
    assert.equal(await readFile(bot.path("out/tlscert"), "utf8"), certificate);
    await cluster.startAgain();
    await bot.ready(20_000);
    await works(bot, port);
    assert.equal(bot.process.alive, true);
    await bot.stop();
  });

  test("is killed, is there again, and the bot is where it was", async () => {
    const port = await closedPort();
    const bot = await RealBot.start({ cluster, name: "crash", services: [tunnelAt(port)] });
    await bot.ready();
    cluster.process.kill("SIGKILL");
    await cluster.process.ended;
    await cluster.startAgain();
    await works(bot, port);
    await bot.ready();
    bot.process.kill("SIGUSR1");
    await bot.process.prints(/refreshed its identity/);
    await bot.stop();
  });
});

describe("a bot whose identity ends while the cluster is away", () => {
  test("keeps what it wrote, says so, and recovers", async () => {
    const port = await closedPort();
    const bot = await RealBot.start({
      cluster,
      name: "expired",
      services: [{ ...identity, credential_ttl: "1h" }, tunnelAt(port)],
      more: { credential_ttl: "6s", renewal_interval: "3s" },
    });
    await bot.ready();
    await works(bot, port);
    await cluster.stop();
    const [stopped, { mtimeMs }] = [Date.now(), await stat(bot.path("out/tlscert"))];
    await until("the identity has ended", () => Date.now() - stopped > 7_000);
    const { services } = await bot.readyz();
    for (const name of ["bot-identity", "app-tunnel-1"])
      assert.equal(services[name]?.status, "unhealthy", name);
    assert.equal((await stat(bot.path("out/tlscert"))).mtimeMs, mtimeMs);
    await cluster.startAgain();
    await bot.ready(45_000);
    await works(bot, port);
    await bot.process.prints(/joined the cluster .*recoveriesLeft=98/);
    await bot.stop();
  });
});

describe("a bot whose application's agent restarts", () => {
  test("reaches the application again", async () => {
    const port = await closedPort();
    const bot = await RealBot.start({ cluster, name: "agentless", services: [tunnelAt(port)] });
    await bot.ready();
    await works(bot, port);
    await agent.stop();
    await assert.rejects(says(port));
    agent = await cluster.startAgent("web", `http://127.0.0.1:${web.port}`);
    await works(bot, port);
    await bot.stop();
  });
});

describe("a service that cannot work yet", () => {
  test("does when its port is free, and meanwhile does not keep the others from theirs", async () => {
    const port = await closedPort();
    const other = createServer().listen(port, "127.0.0.1");
    await once(other, "listening");
    const bot = await RealBot.start({
      cluster,
      name: "busy",
      services: [identity, tunnelAt(port)],
    });
    const { reason } = await bot.until("app-tunnel-1", "unhealthy");
    assert.match(reason!, /"tcp:\/\/127\.0\.0\.1:\d+" is in use by another listener/);
    await bot.until("identity-1", "healthy");
    other.close();
    await bot.ready();
    await works(bot, port);
    await bot.stop();
  });

  test("does when its directory can be written, and makes it again when it is gone", async () => {
    await mkdir(yard.path("bot-blocked"));
    await writeFile(yard.path("bot-blocked/out"), "in the way");
    const bot = await RealBot.start({ cluster, name: "blocked", services: [identity] });
    const { reason } = await bot.until("identity-1", "unhealthy");
    assert.match(reason!, /cannot write to the directory ".*\/out"/);
    await rm(bot.path("out"));
    await bot.ready();
    await rm(bot.path("out"), { recursive: true });
    bot.process.kill("SIGUSR1");
    await bot.process.until("writes it again", () =>
      stat(bot.path("out/tlscert")).then(
        () => true,
        () => false,
      ),
    );
    await bot.stop();
  });

  test("does when its application exists, and names those that are near meanwhile", async () => {
    const port = await closedPort();
    const bot = await RealBot.start({
      cluster,
      name: "early",
      services: [{ ...tunnelAt(port), app_name: "webb" }],
    });
    const { reason } = await bot.until("app-tunnel-1", "unhealthy");
    assert.match(reason!, /"webb".*did you mean.*"web"/);
    const second = await cluster.serve("webb", `http://127.0.0.1:${web.port}`);
    await bot.ready(45_000);
    await works(bot, port);
    await bot.stop();
    await second.stop();
  });

  test("has failed where only another configuration can help", async () => {
    const bot = await RealBot.start({
      cluster,
      name: "hopeless",
      services: [
        { type: "application-tunnel", app_name: "web", listen: `unix:///tmp/${"x".repeat(120)}` },
      ],
    });
    const { reason } = await bot.until("app-tunnel-1", "failed");
    assert.match(reason!, /has 12\d bytes, and 107 is the most/);
    assert.equal(bot.process.alive, true);
    await bot.stop();
  });
});

describe("a bot that may open few files", () => {
  const prlimit = { skip: hasCommand("prlimit") ? false : "needs prlimit" };

  test(
    "bears more connections than it can take, and goes on when they are gone",
    prlimit,
    async () => {
      const port = await closedPort();
      const bot = await RealBot.start({
        cluster,
        name: "few",
        services: [identity, tunnelAt(port)],
      });
      await bot.ready();
      await yard.exec(["prlimit", "--pid", String(bot.process.pid), "--nofile=40:40"]);
      const sockets = Array.from({ length: 200 }, () =>
        connect(port, "127.0.0.1").on("error", () => {}),
      );
      bot.process.kill("SIGUSR1");
      await bot.process.prints(/EMFILE, this process has too many open files/);
      for (const socket of sockets) socket.destroy();
      await works(bot, port);
      await bot.ready();
      await bot.process.prints(/refreshed its identity/);
      await bot.stop();
    },
  );
});

describe("a bot whose cluster hangs", () => {
  test("ends as soon as it is asked to", async () => {
    const bot = await RealBot.start({
      cluster,
      name: "hung",
      services: [identity, tunnelAt(await closedPort())],
    });
    await bot.ready();
    cluster.process.kill("SIGSTOP");
    try {
      bot.process.kill("SIGUSR1");
      const asked = performance.now();
      assert.equal((await bot.stop()).code, 0);
      assert.ok(performance.now() - asked < 4_000, `took ${performance.now() - asked} ms`);
    } finally {
      cluster.process.kill("SIGCONT");
    }
  });
});

describe("the cluster", () => {
  test("hears soon when a service's state changes", async () => {
    const port = await closedPort();
    const other = createServer().listen(port, "127.0.0.1");
    await once(other, "listening");
    const bot = await RealBot.start({ cluster, name: "told", services: [tunnelAt(port)] });
    const health = async (): Promise<string | undefined> => {
      const found = await cluster.tctlJson<Instance[]>("get", "bot_instance");
      const instance = found.find(({ spec }) => spec.bot_name === "told");
      return instance?.status.service_health.find(({ name }) => name === "app-tunnel-1")?.status;
    };
    await until("it knows of the trouble", async () => (await health()) === "unhealthy", 30_000);
    other.close();
    await until("it knows of its end", async () => (await health()) === "healthy", 60_000);
    await bot.stop();
  });
});

interface Instance {
  readonly spec: { readonly bot_name: string };
  readonly status: {
    readonly service_health: readonly { readonly name: string; readonly status: string }[];
  };
}
