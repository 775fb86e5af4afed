import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { parseX509 } from "#base/crypto";
import { unavailable } from "#base/kernel";
import type { Store, Write } from "#base/storage";
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
    assert.equal(status.registration_secret, undefined, "the secret is spent");
    assert.deepEqual(await cluster.lockNames(), [
      `superseded-${textOf((await cluster.events("bot.join"))[0], "instance_id")}`,
    ]);
    await cluster.clock.advance(2 * HOUR);
    const error = await refusal(machine.join());
    assert.equal(error.code, "access_denied");
    assert.match(error.message, /used 2 of 2 recoveries/);
  });

  test("nothing is signed before the commit that records it", async () => {
    const order: string[] = [];
    let broken = true;
    const wrap = (store: Store): Store =>
      new Proxy(store, {
        get: (target, key) => {
          const value: unknown = Reflect.get(target, key);
          if (key !== "commit") return typeof value === "function" ? value.bind(target) : value;
          return async (writes: readonly Write[]) => {
            const joins = writes.some((write) => write.kind === "bot_instance");
            if (joins) order.push("commit");
            if (joins && broken) throw unavailable("the disk is gone");
            return await target.commit(writes);
          };
        },
      });
    await using cluster = await JoinCluster.open(wrap);
    await cluster.addBoundToken("t");
    for (const name of ["issueUser", "signJoinState"] as const) {
      const sign = cluster.authorities[name].bind(cluster.authorities) as (
        ...about: unknown[]
      ) => unknown;
      const noted = (...about: unknown[]): unknown => {
        order.push(name);
        return sign(...about);
      };
      Object.assign(cluster.authorities, { [name]: noted });
    }
    const machine = new Machine(cluster, { token: "t" });
    assert.equal((await refusal(machine.join())).code, "unavailable");
    assert.deepEqual(order, ["commit"]);
    broken = false;
    await machine.join();
    assert.deepEqual(order, ["commit", "commit", "signJoinState", "issueUser"]);
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
