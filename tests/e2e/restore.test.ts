// A cluster is restored from a backup while its machines run: they have moved on since, each in its
// own way, and every one of them comes back by itself.
import assert from "node:assert/strict";
import { copyFile, mkdir, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { closedPort, echoApplication, type TestServer } from "#testing/applications";
import { Yard, type Running } from "#testing/processes";
import { RealBot } from "#testing/real-bot";
import { CLUSTER, RealCluster } from "#testing/real-cluster";
import { until } from "#testing/wait";

interface BoundKey {
  readonly token: string;
  readonly state: string;
  readonly fingerprint: string;
  readonly instance_id: string;
  readonly recoveries_used: number;
  readonly last_rotated_at: string;
}

let yard: Yard;
let echo: TestServer;
let cluster: RealCluster;
let agent: Running;
let backup: string;
let port: number;
const bots = new Map<string, RealBot>();
/** As it was when the backup was made, and just before the restore. */
let then: ReadonlyMap<string, BoundKey>;
let last: ReadonlyMap<string, BoundKey>;

before(async () => {
  yard = await Yard.open();
  echo = await echoApplication();
  cluster = await RealCluster.start(yard);
  backup = yard.path("backup.db");
  port = await closedPort();
});

after(async () => {
  await yard[Symbol.asyncDispose]();
  await echo[Symbol.asyncDispose]();
});

async function keys(): Promise<ReadonlyMap<string, BoundKey>> {
  const rows = await cluster.tctlJson<BoundKey[]>("bound-keypair", "ls");
  return new Map(rows.map((row) => [row.token, row]));
}

const joins = async (bot: string): Promise<readonly Record<string, unknown>[]> =>
  await cluster.events("--type=bot.join", `--bot=${bot}`, "--limit=1000");

/** Has a bot renew at once, and waits until it has. */
async function renew(name: string): Promise<void> {
  const before = (await joins(name)).length;
  bots.get(name)!.process.kill("SIGUSR1");
  await until(`${name} renews`, async () => (await joins(name)).length > before, 30_000);
}

function speaks(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {}).on("close", () => resolve(false));
    socket.once("data", () => {
      resolve(true);
      socket.destroy();
    });
    socket.write("x");
  });
}

/** Also with a data directory that holds the backup and nothing else. */
async function startCluster(...words: readonly string[]): Promise<void> {
  cluster.process = yard.start("tenon", [
    "start",
    `--cluster-name=${CLUSTER}`,
    `--data-dir=${cluster.dataDir}`,
    `--listen=${cluster.address}`,
    `--public-addr=${cluster.address}`,
    ...words,
  ]);
  await cluster.process.prints(/ ready /);
}

describe("a cluster", () => {
  test("has machines that join, and an agent, all by their own keys", async () => {
    const listen = `tcp://127.0.0.1:${port}`;
    const tunnel = { type: "application-tunnel", app_name: "echo", listen };
    const short = { credential_ttl: "8s", renewal_interval: "3s" };
    for (const [name, services, more] of [
      ["refreshes", [tunnel], {}],
      ["rotates", [], {}],
      ["recovers", [], short],
    ] as const)
      bots.set(name, await RealBot.start({ cluster, name, services, more }));
    const { join_uri: uri } = await cluster.tctlJson<{ join_uri: string }>(
      "tokens",
      "add",
      "--type=app",
      "--join-method=bound_keypair",
      "--name=agent",
    );
    agent = yard.start("tenon", [
      "app",
      "start",
      "--name=echo",
      `--uri=tcp://127.0.0.1:${echo.port}`,
      `--data-dir=${yard.path("agent")}`,
      `--join-uri=${uri}`,
    ]);
    await Promise.all([...bots.values()].map((bot) => bot.ready()));
    await until("the tunnel leads to the application", speaks, 30_000);
  });

  test("is backed up while it runs, into a file for its owner alone", async () => {
    const said = await cluster.tctl("backup", `--out=${backup}`);
    assert.match(said, /backup.db holds the whole cluster \(\d+ bytes\)/);
    assert.equal((await stat(backup)).mode & 0o777, 0o600);
    then = await keys();
    const again = await yard.run("tctl", [
      "backup",
      `--out=${backup}`,
      `--data-dir=${cluster.dataDir}`,
    ]);
    assert.equal(again.code, 1);
    assert.match(again.err, /exists already/);
  });

  test("goes on: one machine refreshes, one replaces its key, one recovers", async () => {
    await renew("refreshes");
    await cluster.tctl("bound-keypair", "rotate", "rotates");
    await renew("rotates");
    const recovering = bots.get("recovers")!;
    await recovering.stop();
    const expired = Date.now() + 9_000;
    await until("its certificate has expired", () => Date.now() > expired, 15_000);
    recovering.startAgain();
    await recovering.ready();
    last = await keys();
    assert.notEqual(last.get("rotates")?.fingerprint, then.get("rotates")?.fingerprint);
    assert.notEqual(last.get("recovers")?.instance_id, then.get("recovers")?.instance_id);
  });

  test("is not started as restored where nothing was put", async () => {
    const ran = await yard.run("tenon", [
      "start",
      "--restored",
      `--data-dir=${yard.path("nothing")}`,
      "--listen=127.0.0.1:0",
    ]);
    assert.equal(ran.code, 1);
    assert.match(ran.err, /nothing was restored there/);
  });

  test("is restored: every machine goes on from where it is, and none is locked", async () => {
    await cluster.stop();
    await rename(cluster.dataDir, `${cluster.dataDir}-lost`);
    await mkdir(join(cluster.dataDir, "store"), { recursive: true, mode: 0o700 });
    await copyFile(backup, join(cluster.dataDir, "store", "store.db"));
    await startCluster("--restored");
    assert.match(await cluster.tctl("status"), /^Resync until: +20\d\d-/m);
    for (const name of bots.keys()) await renew(name);
    await Promise.all([...bots.values()].map((bot) => bot.ready()));
    await until("the tunnel leads to the application", speaks, 60_000);
    const now = await keys();
    assert.deepEqual(
      [...now.values()].map(({ token, state }) => [token, state]),
      ["agent", "recovers", "refreshes", "rotates"].map((token) => [token, "bound"]),
    );
    const locks = await cluster.tctlJson<{ metadata: { name: string } }[]>("get", "lock");
    assert.deepEqual(
      locks.filter(({ metadata }) => !metadata.name.startsWith("superseded-")),
      [],
    );
    for (const name of ["refreshes", "rotates"])
      assert.equal(now.get(name)?.instance_id, last.get(name)?.instance_id, name);
    // Its certificate may have expired meanwhile, and then it recovers once more.
    assert.ok(now.get("recovers")!.recoveries_used >= last.get("recovers")!.recoveries_used);
  });

  test("says of each how it was let in", async () => {
    for (const name of bots.keys()) {
      const allowed = (await joins(name)).filter((event) => {
        const fields = event["fields"] as Record<string, unknown>;
        return fields["allowed_by"] === "resync";
      });
      assert.equal(allowed.length, 1, name);
    }
    const [opened] = await cluster.events("--type=cluster.resync.open");
    assert.ok(opened);
  });

  test("has the machine's older key again, until that is replaced once more", async () => {
    assert.equal((await keys()).get("rotates")?.fingerprint, then.get("rotates")?.fingerprint);
    await cluster.tctl("bound-keypair", "rotate", "rotates");
    await renew("rotates");
    assert.notEqual((await keys()).get("rotates")?.fingerprint, then.get("rotates")?.fingerprint);
    await renew("rotates");
  });

  test("ends the window, and is strict again", async () => {
    assert.match(await cluster.tctl("cluster", "restored", "--end"), /has ended/);
    assert.doesNotMatch(await cluster.tctl("status"), /Resync/);
    for (const name of bots.keys()) await renew(name);
    assert.ok(agent.alive);
  });
});
