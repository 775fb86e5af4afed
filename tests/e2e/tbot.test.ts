// One bot with every kind of service, and the programs of others that use what it gives.
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { Agent, request, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { closedPort, httpApplication, type TestServer } from "#testing/applications";
import { needs } from "#testing/needs";
import { Yard } from "#testing/processes";
import { RealBot } from "#testing/real-bot";
import { CLUSTER, RealCluster } from "#testing/real-cluster";
import { until } from "#testing/wait";

let yard: Yard;
let web: TestServer;
let cluster: RealCluster;
let bot: RealBot;
let tunnel: string;

before(async () => {
  yard = await Yard.open();
  web = await httpApplication((request, response) => {
    response.end(`hello ${request.url}\n`);
  });
  cluster = await RealCluster.start(yard);
  await cluster.serve("web", `http://127.0.0.1:${web.port}`);
  tunnel = `127.0.0.1:${await closedPort()}`;
  bot = await RealBot.start({
    cluster,
    name: "robot",
    uri: await cluster.addBot("robot", "--roles=access,editor", "--logins=root,deploy"),
    services: [
      { type: "identity", destination: "{dir}/identity" },
      { type: "application", app_name: "web", destination: "{dir}/web" },
      { type: "application-tunnel", app_name: "web", listen: `tcp://${tunnel}` },
    ],
    words: [`--pid-file=${yard.path("robot.pid")}`],
  });
  await bot.ready();
});

after(async () => {
  await yard[Symbol.asyncDispose]();
  await web[Symbol.asyncDispose]();
});

describe("its readiness", () => {
  test("names the process and every service", async () => {
    const { code, status, pid, services } = await bot.readyz();
    assert.deepEqual([code, status, pid], [200, "healthy", bot.process.pid]);
    assert.deepEqual(
      Object.entries(services).map(([name, { status }]) => `${name} ${status}`),
      ["bot-identity healthy", "identity-1 healthy", "app-1 healthy", "app-tunnel-1 healthy"],
    );
  });

  test("can be asked for and waited for, of all and of one", async () => {
    for (const path of ["wait", "wait/app-1", "readyz/app-tunnel-1", "livez"])
      assert.equal((await bot.readyz(path)).code, 200, path);
    for (const path of ["wait/app-2", "readyz/nobody", "nothing"])
      assert.equal((await bot.readyz(path)).code, 404, path);
  });

  test("is what tbot wait waits for", async () => {
    for (const words of [[], ["--service=app-tunnel-1"]]) {
      const { code, out } = await yard.run("tbot", ["wait", `--diag-addr=${bot.diag}`, ...words]);
      assert.equal(code, 0);
      assert.match(out, /"status":"healthy"/);
    }
  });

  test("goes with numbers for Prometheus", async () => {
    const now = Date.now() / 1000;
    const expires = (await bot.metric(
      /^tbot_certificate_expires_seconds{service="bot-identity"} /,
    ))!;
    assert.ok(expires > now + 3_000 && expires < now + 3_700, String(expires));
    assert.equal(await bot.metric(/^tbot_recoveries_remaining{/), 99);
    for (const [service, name] of [
      ["bot-identity", "renew"],
      ["identity-1", "renew"],
      ["app-1", "renew"],
      ["app-tunnel-1", "renew"],
    ])
      assert.ok(
        (await bot.metric(
          new RegExp(`^tbot_task_iterations_successful{service="${service}",name="${name}"}`),
        ))! >= 1,
        service,
      );
  });
});

describe("its application tunnel", () => {
  test("leads any program to the application", needs("curl"), async () => {
    const { out } = await yard.exec(["curl", "-sS", `http://${tunnel}/x`]);
    assert.equal(out, "hello /x\n");
  });

  test("counts what it carries", async () => {
    const open = async (): Promise<number | undefined> =>
      await bot.metric(/^tbot_tunnel_connections_open{service="app-tunnel-1"}/);
    const socket = connect(Number(tunnel.split(":")[1]), "127.0.0.1");
    await until("the connection is counted", async () => (await open()) === 1);
    socket.destroy();
    await until("its end is counted", async () => (await open()) === 0);
  });
});

describe("its application output", () => {
  const curl = (...words: readonly string[]) =>
    yard.exec([
      "curl",
      "-sS",
      "--cacert",
      yard.path("data/web.crt"),
      ...words,
      `https://web.${CLUSTER}:${cluster.port}/y`,
    ]);

  test("opens the application at its address of the cluster", needs("curl"), async () => {
    const { out, err } = await curl(
      "--cert",
      bot.path("web/tlscert"),
      "--key",
      bot.path("web/key"),
    );
    assert.equal(out, "hello /y\n", err);
  });

  test("is what it takes: without it the application is closed", needs("curl"), async () => {
    const { out } = await curl("-w", "%{http_code}");
    assert.doesNotMatch(out, /hello/);
    assert.match(out, /401$|403$/);
  });

  test("is signed by the authority beside it, as OpenSSL says", needs("openssl"), async () => {
    const verify = async (ca: string) =>
      await yard.exec(
        ["openssl", "verify", "-purpose", "sslclient"].concat([
          "-CAfile",
          bot.path("web", ca),
          bot.path("web/tlscert"),
        ]),
      );
    const right = await verify("tenon-user-ca.crt");
    assert.equal(right.code, 0, right.err);
    assert.notEqual((await verify("tenon-host-ca.crt")).code, 0);
  });
});

describe("its identity output", () => {
  test("is an SSH certificate that ssh-keygen reads", needs("ssh-keygen"), async () => {
    const { out } = await yard.exec(["ssh-keygen", "-L", "-f", bot.path("identity/key-cert.pub")]);
    assert.match(out, /Type: ecdsa-sha2-nistp256-cert-v01@openssh\.com user certificate/);
    assert.match(out, /Key ID: "bot-robot\/[0-9a-f-]{36}"/);
    assert.match(out, /Principals: \n +deploy\n +root\n/);
    assert.doesNotMatch(out, /forever/);
  });

  test("is a key that goes with its public half", needs("ssh-keygen"), async () => {
    const derived = await yard.exec(["ssh-keygen", "-y", "-f", bot.path("identity/key")]);
    assert.equal(derived.code, 0, derived.err);
    const [type, key] = (await readFile(bot.path("identity/key.pub"), "utf8")).split(" ");
    assert.ok(derived.out.startsWith(`${type} ${key}`), derived.out);
  });

  test("is an ssh configuration that ssh accepts", needs("ssh"), async () => {
    const { code, out, err } = await yard.exec([
      "ssh",
      "-F",
      bot.path("identity/ssh_config"),
      "-G",
      `node.${CLUSTER}`,
    ]);
    assert.equal(code, 0, err);
    for (const line of [
      `identityfile ${bot.path("identity/key")}`,
      `certificatefile ${bot.path("identity/key-cert.pub")}`,
      `userknownhostsfile ${bot.path("identity/known_hosts")}`,
      "identitiesonly yes",
    ])
      assert.ok(out.includes(line), line);
  });

  test("holds the host authority where ssh looks for it", needs("ssh-keygen"), async () => {
    const { code, out } = await yard.exec([
      "ssh-keygen",
      "-F",
      `node.${CLUSTER}`,
      "-f",
      bot.path("identity/known_hosts"),
    ]);
    assert.equal(code, 0);
    assert.match(out, /@cert-authority/);
  });

  test("lets tctl do what the bot's roles allow", async () => {
    const { code, out, err } = await yard.run("tctl", [
      "get",
      "bot/robot",
      "--identity",
      bot.path("identity/identity"),
      "--proxy-server",
      cluster.address,
    ]);
    assert.equal(code, 0, err);
    assert.match(out, /robot/);
  });

  test("is secret where it must be", async () => {
    for (const [file, mode] of [
      ["identity", 0o700],
      ["identity/identity", 0o600],
      ["identity/key", 0o600],
      ["web/key", 0o600],
      ["identity/tlscert", 0o644],
      ["storage", 0o700],
      ["storage/join-state.json", 0o600],
      ["storage/keys", 0o700],
    ] as const)
      assert.equal((await stat(bot.path(file))).mode & 0o777, mode, file);
  });
});

describe("signals", () => {
  const certificates = async (): Promise<string[]> =>
    await Promise.all(
      ["identity/tlscert", "identity/key-cert.pub", "web/tlscert"].map(
        async (file) => await readFile(bot.path(file), "utf8"),
      ),
    );

  /** Whether it came over a connection that was open before. */
  const get = async (agent: Agent): Promise<boolean> => {
    const call = request(`http://${tunnel}/`, { agent }).end();
    const [response] = (await once(call, "response")) as [IncomingMessage];
    assert.match(await text(response), /^hello/);
    return call.reusedSocket;
  };

  for (const signal of ["SIGUSR1", "SIGHUP"] as const)
    test(`${signal} renews the identity and every output, and cuts nothing`, async () => {
      const agent = new Agent({ keepAlive: true });
      assert.equal(await get(agent), false);
      const before = await certificates();
      bot.process.kill(signal);
      await until("all are new", async () =>
        (await certificates()).every((text, index) => text !== before[index]),
      );
      assert.equal((await bot.readyz()).code, 200);
      assert.equal(await get(agent), true);
      agent.destroy();
    });

  test("the pid file holds the process, and SIGTERM ends it soon, even right after a renewal", async () => {
    const file = yard.path("robot.pid");
    assert.equal(await readFile(file, "utf8"), `${bot.process.pid}\n`);
    const asked = performance.now();
    const { code } = await bot.stop();
    assert.equal(code, 0);
    assert.ok(performance.now() - asked < 3_000, `took ${performance.now() - asked} ms`);
    assert.equal(existsSync(file), false);
  });
});
