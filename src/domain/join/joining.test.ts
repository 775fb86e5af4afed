import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { parseX509 } from "#base/crypto";
import { JoinCluster, refusal, textOf } from "#testing/join";
import { Machine } from "#testing/join-machine";

const HOUR = 3_600_000;

suite("bound_keypair, both halves", () => {
  test("a machine joins with its secret, refreshes, and recovers when its limit allows", async () => {
    await using cluster = await JoinCluster.open();
    await cluster.addBoundToken("t", {
      onboarding: { registration_secret: "s3cret" },
      recovery: { limit: 2 },
    });
    const machine = new Machine(cluster, { token: "t" });
    const first = await machine.join();
    assert.equal(first.refreshed, false);
    assert.deepEqual(machine.log, [
      "init",
      "challenge",
      "solution",
      "result",
      "ack",
      "acknowledged",
    ]);
    assert.equal(first.identity.expires - cluster.clock.now(), HOUR);
    assert.equal(parseX509(first.identity.tlsCertificate).subject.commonName, "bot-robo");
    await cluster.clock.advance(HOUR / 2);
    const second = await machine.join();
    assert.equal(second.refreshed, true);
    await cluster.clock.advance(2 * HOUR);
    const third = await machine.join();
    assert.equal(third.refreshed, false);
    const status = await cluster.bound("t");
    assert.equal(status.recovery_count, 2);
    assert.equal(status.recovery_sequence, 2);
    assert.equal(status.last_attempt, undefined);
    assert.deepEqual(await cluster.lockNames(), [
      `superseded-${textOf((await cluster.events("bot.join"))[0], "instance_id")}`,
    ]);
    await cluster.clock.advance(2 * HOUR);
    const error = await refusal(machine.join());
    assert.equal(error.code, "access_denied");
    assert.match(error.message, /used 2 of 2 recoveries/);
  });

  test("token", async () => {
    await using cluster = await JoinCluster.open();
    await cluster.addToken("0123456789abcdef0123456789abcdef");
    const machine = new Machine(cluster, {
      token: "0123456789abcdef0123456789abcdef",
      method: "token",
    });
    await machine.join();
    await cluster.clock.advance(HOUR / 2);
    assert.equal((await machine.join()).refreshed, true);
  });
});
