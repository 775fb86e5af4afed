// What a bot keeps on its disk: restarts, kills at any moment, damage, and copies.
import assert from "node:assert/strict";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Yard, type Ran } from "#testing/processes";
import { RealBot } from "#testing/real-bot";
import { RealCluster } from "#testing/real-cluster";
import { until } from "#testing/wait";

let yard: Yard;
let cluster: RealCluster;

before(async () => {
  yard = await Yard.open();
  cluster = await RealCluster.start(yard);
});
after(async () => {
  await yard[Symbol.asyncDispose]();
});

const identity = [{ type: "identity", destination: "{dir}/out" }];

const start = async (name: string, more: object = {}): Promise<RealBot> =>
  await RealBot.start({ cluster, name, services: identity, ...more });

/** How the cluster counts this bot's joins. */
const counted = async (name: string): Promise<Counters> => {
  const token = await cluster.tctlJson<{ status: { bound_keypair: Counters } }>(
    "get",
    `token/${name}`,
  );
  return token.status.bound_keypair;
};

const instancesOf = async (name: string): Promise<string[]> => {
  const found = await cluster.tctlJson<{ spec: { bot_name: string; instance_id: string } }[]>(
    "get",
    "bot_instance",
  );
  return found.flatMap(({ spec }) => (spec.bot_name === name ? [spec.instance_id] : []));
};

/** Why this bot is locked; that one of its instances took the place of another is no accusation. */
const accusations = async (name: string): Promise<string[]> => {
  const named = new Set<unknown>([name, ...(await instancesOf(name))]);
  const found = await cluster.tctlJson<{ spec: { target: object; message: string } }[]>(
    "get",
    "lock",
  );
  return found
    .filter(({ spec }) => Object.values(spec.target).some((value) => named.has(value)))
    .map(({ spec }) => spec.message)
    .filter((message) => !message.includes("took its place"));
};

/** One shot with this storage and no secret at hand. */
const once = async (storage: string, token: string): Promise<Ran> =>
  await yard.run("tbot", [
    "start",
    "identity",
    "--oneshot",
    `--storage=${storage}`,
    `--destination=${storage}-out`,
    `--proxy-server=${cluster.address}`,
    `--token=${token}`,
  ]);

describe("a bot that is started again", () => {
  test("refreshes with what it stored, and counts no recovery", async () => {
    const bot = await start("again");
    await bot.ready();
    assert.equal((await counted("again")).recovery_count, 1);
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      bot.process.kill(signal);
      await bot.process.ended;
      bot.startAgain();
      await bot.ready();
      await bot.process.prints(/refreshed its identity/);
    }
    assert.equal((await counted("again")).recovery_count, 1);
    assert.equal((await instancesOf("again")).length, 1);
  });

  test("recovers when its certificate has ended meanwhile, and says what it has left", async () => {
    const bot = await start("late", { more: { credential_ttl: "3s", renewal_interval: "2s" } });
    await bot.ready();
    await bot.stop();
    const stopped = Date.now();
    await until("the certificate has ended", () => Date.now() - stopped > 4_000);
    bot.startAgain();
    await bot.ready();
    await bot.process.prints(/joined the cluster .*recoveriesLeft=98/);
    assert.equal(await bot.metric(/^tbot_recoveries_remaining/), 98);
    assert.equal((await counted("late")).recovery_count, 2);
    assert.deepEqual(await accusations("late"), []);
  });

  test("joins after all when it was killed in the middle of joining, again and again", async () => {
    const bot = await start("killed", {
      uri: await cluster.addBot("killed", "--recovery-limit=2"),
    });
    for (const ms of [150, 200, 250, 300, 330, 360, 390, 420, 460, 500, 600, 700]) {
      await new Promise((resolve) => setTimeout(resolve, ms));
      bot.process.kill("SIGKILL");
      await bot.process.ended;
      bot.startAgain();
    }
    await bot.ready();
    assert.deepEqual(await accusations("killed"), []);
    assert.equal((await counted("killed")).recovery_count, 1);
  });

  test("is the same after kills in the middle of refreshing", async () => {
    const bot = await start("stormy", {
      uri: await cluster.addBot("stormy", "--recovery-limit=1"),
    });
    await bot.ready();
    for (let round = 0; round < 8; round++) {
      bot.process.kill("SIGUSR1");
      await new Promise((resolve) => setTimeout(resolve, round * 2));
      bot.process.kill("SIGKILL");
      await bot.process.ended;
      bot.startAgain();
      await bot.ready();
    }
    assert.deepEqual(await accusations("stormy"), []);
    assert.equal((await counted("stormy")).recovery_count, 1);
  });
});

describe("a storage", () => {
  test("is one bot's at a time, and the other is told whose", async () => {
    const bot = await start("owner");
    await bot.ready();
    const { code, err } = await once(bot.path("storage"), "owner");
    assert.equal(code, 1);
    assert.match(
      err,
      new RegExp(`the storage ".*" is in use by another process \\(pid ${bot.process.pid}\\)`),
    );
    await bot.stop();
    assert.equal((await once(bot.path("storage"), "owner")).code, 0);
  });

  /** A storage that is whole, and of no running bot. */
  const stored = async (name: string): Promise<string> => {
    const storage = yard.path(`storage-of-${name}`);
    const { code, err } = await yard.run("tbot", [
      "start",
      "identity",
      "--oneshot",
      `--storage=${storage}`,
      "--destination=memory://",
      await cluster.addBot(name),
    ]);
    assert.equal(code, 0, err);
    return storage;
  };

  test("that is damaged is named, and left as it is", async () => {
    const storage = await stored("damaged");
    const file = join(storage, "join-state.json");
    const whole = await readFile(file, "utf8");
    for (const damaged of [
      whole.slice(0, whole.length / 2),
      "",
      '{"version":1,"joined":{"token":7}}',
      "\u0000\u0001\u0002",
    ]) {
      await writeFile(file, damaged);
      const { code, err } = await once(storage, "damaged");
      assert.equal(code, 1);
      assert.match(err, /^tbot: ".*join-state\.json": the stored join state is damaged.*reset/m);
      assert.doesNotMatch(err, /PRIVATE KEY|"joined"/);
      assert.equal(await readFile(file, "utf8"), damaged);
    }
  });

  test("that holds the rest of a write that was interrupted is whole", async () => {
    const storage = await stored("torn");
    const torn = [".join-state.json.0123456789abcdef.tmp", "keys/.key-000001.0123456789abcdef.tmp"];
    for (const name of torn) await writeFile(join(storage, name), '{"vers');
    assert.equal((await once(storage, "torn")).code, 0);
    const left = await readdir(storage, { recursive: true });
    assert.deepEqual(
      left.filter((name) => name.endsWith(".tmp")),
      [],
    );
  });

  test("whose key is damaged is named", async () => {
    const storage = await stored("keyless");
    const key = (await readdir(join(storage, "keys"))).find((name) => name.endsWith(".pem"))!;
    await writeFile(join(storage, "keys", key), "garbage");
    const { code, err } = await once(storage, "keyless");
    assert.equal(code, 1);
    assert.match(err, /the key file ".*\.pem" is damaged/);
  });

  test("that cannot be written is an error at once, before anything is sent", async () => {
    const file = yard.path("a-file");
    await writeFile(file, "");
    const places: [path: string, message: RegExp][] = [
      [join(file, "storage"), /cannot write to the directory ".*a-file\/storage" \(.*ENOTDIR/],
      [file, /cannot write to the directory ".*a-file" \(.*(?:EEXIST|ENOTDIR)/],
      ["/proc/self/fdinfo", /cannot|permission|EACCES/],
    ];
    for (const [path, message] of places) {
      const { code, err } = await once(path, "nobody");
      assert.equal(code, 1, path);
      assert.match(err, message);
    }
  });
});

describe("a copy of a storage", () => {
  test("is found when it and the bot have both joined, and both are locked, and nobody else", async () => {
    const bot = await start("copied");
    const other = await start("bystander");
    await bot.ready();
    await other.ready();
    const copy = yard.path("copy");
    await mkdir(copy);
    await cp(bot.path("storage"), copy, { recursive: true });
    await rm(join(copy, "in-use.lock"), { force: true });
    assert.equal((await once(copy, "copied")).code, 0);
    bot.process.kill("SIGUSR1");
    const { reason } = await bot.until("bot-identity", "unhealthy");
    assert.match(reason!, /is locked/);
    const refused = await once(copy, "copied");
    assert.equal(refused.code, 1);
    assert.match(refused.err, /locked/);
    const [why, ...more] = await accusations("copied");
    assert.match(why!, /^generation 1 was presented, but 2 is current since .* from 127\.0\.0\.1/);
    assert.deepEqual([more, await accusations("bystander")], [[], []]);
    const [event] = await cluster.events("--type=bot.join.failed", "--bot=copied");
    assert.match(JSON.stringify(event), /generation 1 was presented, but 2 is current|is locked/);
    other.process.kill("SIGUSR1");
    await other.process.prints(/refreshed its identity/);
    assert.equal((await other.readyz()).code, 200);
  });

  test("that has fallen behind is found at its own next join", async () => {
    const bot = await start("ahead");
    await bot.ready();
    const copy = yard.path("behind");
    await cp(bot.path("storage"), copy, { recursive: true });
    bot.process.kill("SIGUSR1");
    await bot.process.prints(/refreshed its identity/);
    const { code, err } = await once(copy, "ahead");
    assert.equal(code, 1);
    assert.match(err, /locked/);
    await bot.until("bot-identity", "unhealthy");
  });
});

interface Counters {
  readonly recovery_count: number;
}
