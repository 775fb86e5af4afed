import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { JoinCluster, refusal } from "#testing/join";
import { Machine } from "#testing/join-machine";

async function open(
  limit = 5,
): Promise<{ cluster: JoinCluster; machine: Machine } & AsyncDisposable> {
  const cluster = await JoinCluster.open();
  const onboarding = { registration_secret: "s3cret" };
  await cluster.addBoundToken("t", { onboarding, recovery: { limit } });
  const machine = new Machine(cluster, { token: "t" });
  await machine.join();
  return { cluster, machine, [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose]() };
}

suite("a copy of a machine", () => {
  test("that refreshes is found when the original does, and both stop", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    const copy = await machine.copy();
    await copy.join();
    await refusal(machine.join());
    assert.match((await cluster.lockNames()).join(), /^generation-[^,]*$/);
    assert.match((await refusal(copy.join())).message, /is locked/);
    await copy.loseCertificate();
    assert.match((await refusal(copy.join())).message, /is locked/);
  });

  test("cannot slip into a new instance in the moment before its lock is known everywhere", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    const copy = await machine.copy();
    await machine.join();
    cluster.lagging = true;
    // The copy's client recovers right after its refused refresh.
    await refusal(copy.join());
    assert.equal((await cluster.bound("t")).recovery_count, 1);
    assert.deepEqual(copy.log.filter((message) => message === "init").length, 2);
  });

  test("that recovers is found when the original does anything, and both stop", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    const copy = await machine.copy();
    copy.anonymous = true;
    await copy.join();
    await refusal(machine.join());
    assert.match((await cluster.lockNames()).join(), /^join-state-t-[^,]*,superseded-[^,]*$/);
    copy.anonymous = false;
    assert.match((await refusal(copy.join())).message, /join_token "t" is locked/);
  });

  test("two recoveries at once: one wins, the other is found, and both stop", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    await machine.loseCertificate();
    const copy = await machine.copy();
    const both = await Promise.allSettled([machine.join(), copy.join()]);
    assert.deepEqual(both.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    assert.equal((await cluster.bound("t")).recovery_count, 2);
    await refusal(machine.join());
    await refusal(copy.join());
  });

  test("two refreshes at once: one wins, the other is found, and both stop", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    const copy = await machine.copy();
    const both = await Promise.allSettled([machine.join(), copy.join()]);
    assert.deepEqual(both.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    assert.match((await cluster.lockNames()).join(), /^generation-[^,]*$/);
    await refusal(machine.join());
    await refusal(copy.join());
  });

  test("a machine restored from yesterday is a copy of itself", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    const yesterday = await machine.copy();
    await machine.join();
    await machine.join();
    await refusal(yesterday.join());
    assert.match((await cluster.lockNames()).join(), /^generation-/);
  });

  test("in mode relaxed the limit does not count, and a copy is found all the same", async () => {
    await using world = await open(1);
    const { cluster, machine } = world;
    await cluster.editBound("t", (b) => ({ ...b, recovery: { ...b.recovery, mode: "relaxed" } }));
    await machine.loseCertificate();
    await machine.join();
    const copy = await machine.copy();
    await machine.loseCertificate();
    await machine.join();
    await refusal(copy.join());
    assert.match((await cluster.lockNames()).join(), /join-state-t-/);
  });

  test("in mode insecure neither limit nor join state counts; the instance before is locked", async () => {
    await using world = await open(1);
    const { cluster, machine } = world;
    await cluster.editBound("t", (b) => ({ ...b, recovery: { ...b.recovery, mode: "insecure" } }));
    const copy = await machine.copy();
    copy.anonymous = true;
    await copy.join();
    await copy.edit((state) => ({ ...state, joined: { ...state.joined!, join_state: "" } }));
    await copy.join();
    assert.equal((await cluster.bound("t")).recovery_count, 3);
    assert.equal((await cluster.lockNames()).length, 2);
  });

  test("the limit may be raised and lowered at any time", async () => {
    await using world = await open(1);
    const { cluster, machine } = world;
    await machine.loseCertificate();
    await refusal(machine.join());
    await cluster.editBound("t", (b) => ({ ...b, recovery: { ...b.recovery, limit: 2 } }));
    const { notices } = await machine.join();
    assert.match(notices.join(), /no recovery left \(2 of 2 used\)/);
    assert.deepEqual((await machine.join()).notices, []);
    await cluster.editBound("t", (b) => ({ ...b, recovery: { ...b.recovery, limit: 1 } }));
    await machine.join();
    assert.deepEqual(await cluster.bound("t").then((status) => status.recovery_count), 2);
  });

  test("a token that was deleted and made anew with the machine's key is joined afresh", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    const { bound_public_key } = await cluster.bound("t");
    await cluster.remove("token", "t");
    await refusal(machine.join());
    await cluster.addBoundToken("t", { onboarding: { initial_public_key: bound_public_key } });
    await machine.join();
    await machine.join();
    assert.equal((await cluster.bound("t")).recovery_count, 1);
    assert.deepEqual(await cluster.lockNames(), []);
  });

  test("a recovery links the instance to the one before, and locks that one for a week", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    const before = await machine.instanceId();
    await machine.loseCertificate();
    await machine.join();
    const name = `robo:${await machine.instanceId()}`;
    const instance = await cluster.resources.require("bot_instance", name);
    assert.equal(instance.spec.previous_instance_id, before);
    const lock = await cluster.resources.require("lock", `superseded-${before}`);
    const ends = Date.parse(lock.spec.expires!);
    assert.equal(ends - cluster.clock.now(), 168 * 3_600_000 + 60_000);
    assert.equal((await cluster.events("lock.create")).length, 1);
  });
});
