import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { JoinCluster, refusal } from "#testing/join";
import { Machine, type Lost } from "#testing/join-machine";

const HOUR = 3_600_000;
const SECRET = "0123456789abcdef0123456789abcdef";
const HOST = { hostId: "11111111-2222-4333-8444-555555555555" };
const STRANGER = /^the join was refused: the token, its secret or the key is not valid here/;

const bot = (cluster: JoinCluster, token = SECRET): Machine =>
  new Machine(cluster, { token, method: "token" });

suite("method token, bots", () => {
  test("the token is consumed, and the certificate renews itself", async () => {
    await using cluster = await JoinCluster.open();
    await cluster.addToken(SECRET);
    const machine = bot(cluster);
    await machine.join();
    assert.deepEqual(machine.log, ["init", "result", "ack", "acknowledged"]);
    assert.equal(await cluster.resources.get("token", SECRET), undefined);
    assert.equal(await cluster.store.count({ kind: "join_attempt" }), 0);
    for (let i = 0; i < 3; i++) {
      await cluster.clock.advance(HOUR / 2);
      assert.equal((await machine.join()).refreshed, true);
    }
    assert.equal((await refusal(bot(cluster).join())).code, "access_denied");
  });

  test("an expired certificate needs a new token, and says so", async () => {
    await using cluster = await JoinCluster.open();
    await cluster.addToken(SECRET);
    const machine = bot(cluster);
    await machine.join();
    await machine.loseCertificate();
    const error = await refusal(machine.join());
    assert.equal(error.code, "access_denied");
    assert.match(error.message, /works only once; give a new one/);
  });

  for (const lost of ["init", "result"] satisfies Lost[]) {
    test(`first join, ${lost} lost: the same attempt gets the same instance`, async () => {
      await using cluster = await JoinCluster.open();
      await cluster.addToken(SECRET);
      const machine = bot(cluster);
      for (let i = 0; i < 2; i++) {
        machine.lose = lost;
        await refusal(machine.join());
      }
      await machine.join();
      assert.equal(await cluster.store.count({ kind: "bot_instance" }), 1);
      assert.deepEqual(await cluster.reasons(), []);
    });

    test(`refresh, ${lost} lost: the same attempt gets the same generation`, async () => {
      await using cluster = await JoinCluster.open();
      await cluster.addToken(SECRET);
      const machine = bot(cluster);
      await machine.join();
      for (let i = 0; i < 2; i++) {
        machine.lose = lost;
        await refusal(machine.join());
      }
      await machine.join();
      const name = `robo:${await machine.instanceId()}`;
      assert.equal((await cluster.resources.require("bot_instance", name)).status?.generation, 2);
      assert.deepEqual(await cluster.lockNames(), []);
    });
  }

  test("a token that was used is not given to another attempt, and after an hour to none", async () => {
    await using cluster = await JoinCluster.open();
    await cluster.addToken(SECRET);
    const machine = bot(cluster);
    machine.lose = "result";
    await refusal(machine.join());
    assert.match((await refusal(bot(cluster).join())).message, STRANGER);
    assert.match((await cluster.reasons())[0]!, /was used by attempt/);
    await cluster.clock.advance(HOUR);
    assert.match((await refusal(machine.join())).message, STRANGER);
  });

  test("a first join is not repeated once its certificate was used", async () => {
    await using cluster = await JoinCluster.open();
    await cluster.addToken(SECRET);
    const machine = bot(cluster);
    machine.lose = "result";
    await refusal(machine.join());
    const copy = await machine.copy();
    machine.lose = "ack";
    const verified = cluster.verified((await machine.join()).identity);
    assert.ok(verified?.kind === "user");
    await cluster.server.certificateUsed(verified.identity);
    assert.match((await refusal(copy.join())).message, STRANGER);
  });

  test("a copy is found at its next refresh, and both stop", async () => {
    await using cluster = await JoinCluster.open();
    await cluster.addToken(SECRET);
    const machine = bot(cluster);
    await machine.join();
    const copy = await machine.copy();
    await machine.join();
    assert.match((await refusal(copy.join())).message, /seems to be copied: generation 1/);
    assert.match((await cluster.lockNames()).join(), /^generation-/);
    assert.match((await refusal(machine.join())).message, /is locked/);
  });

  test("two machines with one token: one joins", async () => {
    await using cluster = await JoinCluster.open();
    await cluster.addToken(SECRET);
    const both = await Promise.allSettled([bot(cluster).join(), bot(cluster).join()]);
    assert.deepEqual(both.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    assert.equal(await cluster.store.count({ kind: "bot_instance" }), 1);
  });

  test("an instance that joined by bound_keypair cannot be renewed without its challenge", async () => {
    await using cluster = await JoinCluster.open();
    await cluster.addBoundToken("t");
    const honest = new Machine(cluster, { token: "t" });
    await honest.join();
    const { joined } = (await honest.storage.load())!;
    const thief = bot(cluster, "t");
    await thief.storage.save({ version: 1, bound_keys: [], joined: joined! });
    assert.match((await refusal(thief.join())).message, /joined by "bound_keypair"/);
    assert.deepEqual(await cluster.lockNames(), []);
  });

  test("the audit log never shows more of a token than its beginning", async () => {
    await using cluster = await JoinCluster.open();
    await cluster.addToken(SECRET);
    await refusal(new Machine(cluster, { token: SECRET }).join());
    await refusal(
      new Machine(cluster, { token: SECRET, method: "token", role: "App", host: HOST }).join(),
    );
    await bot(cluster).join();
    const page = await cluster.audit.search({});
    assert.ok(page.events.length >= 3);
    assert.doesNotMatch(JSON.stringify(page.events), new RegExp(SECRET));
    assert.match(JSON.stringify(page.events), /"0123…"/);
  });

  const refused: readonly {
    name: string;
    arrange: (c: JoinCluster) => Promise<void>;
    reason: RegExp;
  }[] = [
    { name: "an unknown token", arrange: async () => {}, reason: /no such token/ },
    {
      name: "an expired token",
      arrange: async (cluster) => {
        await cluster.addToken(SECRET, {}, new Date(cluster.clock.now() + 1000).toISOString());
        await cluster.clock.advance(1000);
      },
      reason: /no such token|expired/,
    },
    {
      name: "a token for agents",
      arrange: (c) => c.addToken(SECRET, { roles: ["App"] }),
      reason: /for App, not for "Bot"/,
    },
    {
      name: "a token of another method",
      arrange: (cluster) => cluster.addBoundToken(SECRET),
      reason: /for join method "bound_keypair"/,
    },
    {
      name: "a token whose bot is gone",
      arrange: async (cluster) => {
        await cluster.addToken(SECRET);
        await cluster.remove("bot", "robo");
      },
      reason: /bot "robo" does not exist/,
    },
  ];
  for (const { name, arrange, reason } of refused) {
    test(`refuses ${name} as it refuses everything`, async () => {
      await using cluster = await JoinCluster.open();
      await arrange(cluster);
      const error = await refusal(bot(cluster).join());
      assert.equal(error.code, "access_denied");
      assert.match(error.message, STRANGER);
      assert.match((await cluster.reasons())[0]!, reason);
    });
  }

  test("refuses a locked user, and keeps the token", async () => {
    await using cluster = await JoinCluster.open();
    await cluster.addToken(SECRET);
    await cluster.lock({ user: "bot-robo" });
    assert.match((await refusal(bot(cluster).join())).message, /is locked: stolen/);
    assert.ok(await cluster.resources.get("token", SECRET));
  });

  test("refuses a renewal when the bot or the instance was removed", async () => {
    await using cluster = await JoinCluster.open();
    await cluster.addToken(SECRET);
    const machine = bot(cluster);
    await machine.join();
    await cluster.remove("bot_instance", `robo:${await machine.instanceId()}`);
    assert.match((await refusal(machine.join())).message, /instance .* was removed/);
    await cluster.remove("bot", "robo");
    assert.match((await refusal(machine.join())).message, /bot "robo" was removed/);
    assert.deepEqual(await cluster.lockNames(), []);
  });
});
