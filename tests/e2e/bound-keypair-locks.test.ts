// Two machines of one bot: a lock, a copy and a reset concern the one that they are about, at once.
import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import { closedPort, echoApplication, type TestServer } from "#testing/applications";
import { Yard } from "#testing/processes";
import { RealBot } from "#testing/real-bot";
import { RealCluster } from "#testing/real-cluster";
import { until } from "#testing/wait";

interface BoundKey {
  readonly token: string;
  readonly state: string;
  readonly fingerprint: string;
  readonly instance_id: string;
  readonly recoveries_used: number;
}

/** One machine, and where its tunnel listens. */
interface Machine {
  readonly bot: RealBot;
  readonly port: number;
}

let yard: Yard;
let echo: TestServer;
let cluster: RealCluster;
let one: Machine;
let two: Machine;

before(async () => {
  yard = await Yard.open();
  echo = await echoApplication();
  cluster = await RealCluster.start(yard);
  await cluster.serve("echo", `tcp://127.0.0.1:${echo.port}`);
  one = await machine("one", await cluster.addBot("robot"));
  const { join_uri: uri } = await cluster.tctlJson<{ join_uri: string }>(
    "bots",
    "instances",
    "add",
    "robot",
    "--recovery-limit=100",
  );
  two = await machine("two", uri);
  await Promise.all([one.bot.ready(), two.bot.ready()]);
});

after(async () => {
  await yard[Symbol.asyncDispose]();
  await echo[Symbol.asyncDispose]();
});

async function machine(name: string, uri: string, more: object = {}): Promise<Machine> {
  const port = await closedPort();
  const listen = `tcp://127.0.0.1:${port}`;
  const services = [{ type: "application-tunnel", app_name: "echo", listen }];
  return { bot: await RealBot.start({ cluster, name, uri, services, more: { ...more } }), port };
}

/** The disk of a machine, in another one. */
async function clone({ bot }: Machine, name: string, uri: string, more = {}): Promise<Machine> {
  await cp(bot.path("storage"), yard.path(`bot-${name}`, "storage"), { recursive: true });
  return await machine(name, uri, more);
}

/** Resolves once the application has answered, or the connection is refused. */
async function through({ port }: Machine): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await new Promise((resolve) => {
    socket.on("error", resolve).once("data", resolve).once("close", resolve);
    socket.write("x");
  });
  return socket;
}

async function works(machine: Machine): Promise<boolean> {
  const socket = await through(machine);
  const open = !socket.closed && socket.bytesRead > 0;
  socket.destroy();
  return open;
}

const keys = async (): Promise<ReadonlyMap<string, BoundKey>> => {
  const rows = await cluster.tctlJson<BoundKey[]>("bound-keypair", "ls");
  return new Map(rows.map((row) => [row.token, row]));
};
const keyOf = async (token: string): Promise<BoundKey> => (await keys()).get(token)!;

/** Names of the locks that stop someone who is in use. */
async function lockNames(): Promise<string[]> {
  const locks = await cluster.tctlJson<{ metadata: { name: string } }[]>("get", "lock");
  const names = locks.map(({ metadata }) => metadata.name);
  return names.filter((name) => !name.startsWith("superseded-"));
}

const reasonOf = async ({ bot }: Machine): Promise<string> =>
  (await bot.until("bot-identity", "unhealthy")).reason ?? "";

describe("a lock on", () => {
  const targets: Readonly<Record<string, (key: BoundKey) => string>> = {
    "bot-instance-id": (key) => key.instance_id,
    "join-token": (key) => key.token,
    "public-key": (key) => key.fingerprint,
  };
  for (const [target, valueOf] of Object.entries(targets))
    test(`the ${target} cuts that machine and refuses it, and no other of the bot`, async () => {
      const value = valueOf(await keyOf("robot"));
      const [cut, kept] = [await through(one), await through(two)];
      const said = await cluster.tctl("lock", `--${target}=${value}`, "--message=stolen");
      const name = /rm lock\/(\S+)/.exec(said)![1]!;
      await until("the tunnel is cut", () => cut.closed, 5_000);
      assert.match(await reasonOf(one), /is locked: stolen/);
      assert.equal(await works(one), false);
      assert.equal((await keyOf("robot")).state, "locked");
      assert.equal(kept.closed, false);
      assert.equal(await works(two), true);
      assert.equal((await two.bot.readyz()).code, 200);
      kept.destroy();
      await cluster.tctl("rm", `lock/${name}`);
      await one.bot.ready();
      await until("the tunnel is back", async () => await works(one));
    });
});

describe("a copy of a machine", () => {
  test("that refreshes is found by its generation: both are stopped, the other machine is not", async () => {
    const { instance_id: instance } = await keyOf("robot");
    await one.bot.stop();
    const uri = "tbot+proxy+bound-keypair://robot@" + cluster.address;
    const copy = await clone(one, "copy", uri);
    await copy.bot.ready();
    one.bot.startAgain();
    assert.match(await reasonOf(one), /is locked/);
    assert.match(await reasonOf(copy), /is locked/);
    assert.deepEqual(await lockNames(), [`generation-${instance}`]);
    assert.equal(await works(one), false);
    assert.equal(await works(copy), false);
    assert.equal(await works(two), true);
    assert.equal((await two.bot.readyz()).code, 200);
    await copy.bot.stop();
  });

  test("leaves the machine to a reset, after which it is another instance", async () => {
    const before = await keyOf("robot");
    const said = await cluster.tctl("bound-keypair", "reset", "robot");
    assert.match(said, /^lock\/generation-\S+ removed\n/);
    await one.bot.ready();
    await until("the tunnel is back", async () => await works(one));
    const after = await keyOf("robot");
    assert.notEqual(after.instance_id, before.instance_id);
    assert.equal(after.recoveries_used, before.recoveries_used + 1);
    assert.equal(after.state, "bound");
    const [reset] = await cluster.events("--type=token.reset");
    assert.deepEqual(reset?.["fields"], {
      name: "robot",
      bot: "robot",
      locks: [`generation-${before.instance_id}`],
    });
  });

  test("that recovers is found by its join state: the token is locked, and only that", async () => {
    const { join_uri: uri } = await cluster.tctlJson<{ join_uri: string }>(
      "bots",
      "instances",
      "add",
      "robot",
      "--recovery-limit=100",
    );
    const short = { credential_ttl: "8s", renewal_interval: "3s" };
    const three = await machine("three", uri, short);
    await three.bot.ready();
    await three.bot.stop();
    const copy = await clone(three, "late-copy", uri, short);
    // Both come without a certificate that is still good: the copy first.
    await copy.bot.stop();
    const expires = Date.now() + 9_000;
    await until("the certificates have expired", () => Date.now() > expires, 15_000);
    copy.bot.startAgain();
    await copy.bot.ready();
    three.bot.startAgain();
    await three.bot.process.until("is refused", async () => (await lockNames()).length > 0);
    const names = await lockNames();
    assert.equal(names.length, 1);
    assert.match(names[0]!, /^join-state-robot-3-/);
    assert.match(await reasonOf(three), /is locked|is not the current one/);
    assert.match(await reasonOf(copy), /is locked/);
    assert.equal(await works(one), true);
    assert.equal(await works(two), true);
  });
});
