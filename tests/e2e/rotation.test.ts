// One rotation of every authority, by an administrator's commands, while programs work through a bot.
import assert from "node:assert/strict";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { closedPort, echoApplication, type TestServer } from "#testing/applications";
import { Yard } from "#testing/processes";
import { RealBot } from "#testing/real-bot";
import { RealCluster } from "#testing/real-cluster";
import { until } from "#testing/wait";

const SERVER_NAME = "proxy.e2e.localhost.tenon.internal";

let yard: Yard;
let echo: TestServer;
let cluster: RealCluster;
let bot: RealBot;
let away: RealBot;
let tunnel: number;
let long: Socket;
let traffic: Promise<void>;
const stop = new AbortController();
const failures: unknown[] = [];
let made = 0;

before(async () => {
  yard = await Yard.open();
  echo = await echoApplication();
  cluster = await RealCluster.start(yard);
  await cluster.serve("echo", `tcp://127.0.0.1:${echo.port}`);
  tunnel = await closedPort();
  bot = await RealBot.start({
    cluster,
    name: "robot",
    uri: await cluster.addBot("robot", "--roles=access,editor"),
    services: [
      { type: "identity", destination: "{dir}/identity" },
      { type: "application-tunnel", app_name: "echo", listen: `tcp://127.0.0.1:${tunnel}` },
    ],
  });
  away = await RealBot.start({
    cluster,
    name: "traveller",
    services: [{ type: "identity", destination: "{dir}/identity" }],
  });
  await Promise.all([bot.ready(), away.ready()]);
  await away.stop();
  long = connect(tunnel, "127.0.0.1");
  await once(long, "connect");
  traffic = keepConnecting();
});

after(async () => {
  stop.abort();
  await traffic;
  long.destroy();
  await yard[Symbol.asyncDispose]();
  await echo[Symbol.asyncDispose]();
});

async function keepConnecting(): Promise<void> {
  while (!stop.signal.aborted) {
    try {
      assert.equal(await through("beat"), "beat");
      made += 1;
    } catch (error) {
      failures.push(error);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function through(words: string): Promise<string> {
  const socket = connect({ port: tunnel, host: "127.0.0.1", allowHalfOpen: true });
  socket.end(words);
  return await text(socket);
}

interface Authority {
  readonly type: string;
  readonly phase: string;
  readonly fingerprint: string;
  readonly trusted_fingerprints: readonly string[];
}

const authorities = async (): Promise<readonly Authority[]> =>
  await cluster.tctlJson<Authority[]>("auth", "rotate", "status");
const pins = async (): Promise<readonly string[]> =>
  (await cluster.tctlJson<{ ca_pins: string[] }>("status")).ca_pins;
/** How many authorities a file of the bot's output holds. */
const inFile = async (name: string): Promise<number> =>
  (await readFile(bot.path("identity", name), "utf8")).split("BEGIN CERTIFICATE").length - 1;

/** What the proxy shows: with which authorities it verifies, and who signed it. */
async function shown(caFile: string): Promise<boolean> {
  const { out } = await yard.exec([
    "sh",
    "-c",
    `openssl s_client -connect ${cluster.address} -servername ${SERVER_NAME} -alpn h2 -verify_return_error -CAfile ${caFile} < /dev/null 2>&1`,
  ]);
  return /Verify return code: 0 \(ok\)/.test(out);
}

const asBot = async (file: string, ...words: string[]) =>
  await yard.run("tctl", [...words, `--identity=${file}`, `--proxy-server=${cluster.address}`]);

describe("tctl auth rotate", () => {
  let oldCa: string;
  let oldIdentity: string;
  let oldPins: readonly string[];

  before(async () => {
    [oldCa, oldIdentity] = [yard.path("old-ca.crt"), yard.path("old-identity")];
    await copyFile(bot.path("identity/tenon-host-ca.crt"), oldCa);
    await copyFile(bot.path("identity/identity"), oldIdentity);
    oldPins = await pins();
  });

  for (const phase of ["init", "update_clients", "update_servers"])
    test(`to ${phase}: old and new work side by side`, async () => {
      const words = ["--type=all", `--phase=${phase}`, "--manual"];
      const out = await cluster.tctl("auth", "rotate", ...words);
      assert.match(out, new RegExp(`^All authorities are now in phase ${phase}\\.`));
      const all = await authorities();
      assert.deepEqual([...new Set(all.map((each) => each.phase))], [phase]);
      assert.ok(all.every((each) => each.trusted_fingerprints.length === 2));
      assert.equal((await pins()).length, 2);
      await until("the bot's files hold both", async () => {
        const counts = await Promise.all(
          ["host", "user"].map((each) => inFile(`tenon-${each}-ca.crt`)),
        );
        return counts.join() === "2,2";
      });
      assert.equal(await shown(oldCa), true, "who knows only the old authority is left out");
      const { code, err } = await asBot(oldIdentity, "get", "role/access");
      assert.equal(code, 0, err);
      assert.equal(await through(phase), phase);
    });

  test("to standby: only the new keys are left, and what is old is refused", async () => {
    const user = (await authorities()).find(({ type }) => type === "user")!;
    await until("the bot has certificates of the new keys", async () => {
      const ca = yard.path("new-user-ca.crt");
      await writeFile(ca, await cluster.tctl("auth", "export", "--type=user", "--format=x509"));
      const file = bot.path("identity/tlscert");
      const { code } = await yard.exec(["openssl", "verify", "-CAfile", ca, file]);
      return code === 0;
    });
    await cluster.tctl("auth", "rotate", "--type=all", "--phase=standby");
    const left = (await authorities()).find(({ type }) => type === "user")!;
    assert.deepEqual(left.trusted_fingerprints, [user.fingerprint]);
    assert.equal((await pins()).length, 1);
    assert.ok(!oldPins.includes((await pins())[0]!));
    await until(
      "the bot's files hold only the new",
      async () => (await inFile("tenon-host-ca.crt")) === 1,
    );
    const refused = await asBot(oldIdentity, "get", "role/access");
    assert.equal(refused.code, 1);
    const taken = await asBot(bot.path("identity/identity"), "get", "role/access");
    assert.equal(taken.code, 0, taken.err);
  });

  test("has cut nothing, and refused nothing that was new", async () => {
    long.write("still here");
    assert.equal(String((await once(long, "data"))[0]), "still here");
    assert.deepEqual(failures, []);
    assert.ok(made > 10, `only ${made} connections were made`);
  });

  test("stands in the audit log", async () => {
    const events = await cluster.events("--type=ca.rotate", "--ascending");
    const phases = events
      .map(({ fields }) => fields as { authority: string; phase: string })
      .filter(({ authority }) => authority === "host")
      .map(({ phase }) => phase);
    assert.deepEqual(phases, ["init", "update_clients", "update_servers", "standby"]);
  });
});

describe("after it", () => {
  test("a bot that was away comes back by itself", async () => {
    away.startAgain();
    await away.ready();
    const { code, err } = await asBot(away.path("identity/identity"), "get", "role/access");
    assert.equal(code, 0, err);
    await away.stop();
  });

  test("bot and agent find a cluster that starts again", async () => {
    stop.abort();
    await traffic;
    long.destroy();
    await cluster.stop();
    await cluster.startAgain();
    await until(
      "the tunnel carries again",
      async () => (await through("again").catch(() => "")) === "again",
      60_000,
    );
  });
});
