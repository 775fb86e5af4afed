import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { systemActor } from "#domain/audit";
import { backUp } from "#testing/join-backup";
import { JoinCluster, refusal, textOf } from "#testing/join";
import { Machine, type Lost } from "#testing/join-machine";
import { endResync, openResync, readResync } from "./index.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const STRANGER = /^the join was refused: the token, its secret or the key is not valid here/;

interface World extends AsyncDisposable {
  readonly cluster: JoinCluster;
  readonly machine: Machine;
  /** Puts the store back to when the world was opened: one join, one refresh. */
  readonly restore: () => Promise<void>;
}

async function open(recovery: { limit?: number; mode?: "insecure" } = {}): Promise<World> {
  const cluster = await JoinCluster.open();
  const onboarding = { registration_secret: "s3cret" };
  await cluster.addBoundToken("t", { onboarding, recovery: { limit: 9, ...recovery } });
  const machine = new Machine(cluster, { token: "t" });
  await machine.join();
  await machine.join();
  const restore = await backUp(cluster);
  return { cluster, machine, restore, [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose]() };
}

async function recover(machine: Machine, times = 1): Promise<void> {
  machine.anonymous = true;
  for (let i = 0; i < times; i++) await machine.join();
  machine.anonymous = false;
}

async function rotate({ cluster, machine }: World): Promise<void> {
  await cluster.clock.advance(1_000);
  const rotate_after = new Date(cluster.clock.now()).toISOString();
  await cluster.editBound("t", (spec) => ({ ...spec, rotate_after }));
  await machine.join();
}

/** Sequence, generation of the bound instance, and recoveries. */
async function counters(cluster: JoinCluster): Promise<number[]> {
  const status = await cluster.bound("t");
  const name = `robo:${status.bound_bot_instance_id}`;
  const instance = await cluster.resources.require("bot_instance", name);
  return [status.recovery_sequence, instance.status!.generation, status.recovery_count];
}

const madeLocks = async (cluster: JoinCluster): Promise<string[]> =>
  (await cluster.lockNames()).filter((name) => !name.startsWith("superseded-"));

suite("after a restore, with the window open", () => {
  test("a machine that has refreshed since goes on with its instance", async () => {
    await using world = await open();
    const { cluster, machine, restore } = world;
    for (let i = 0; i < 3; i++) await machine.join();
    await restore();
    await openResync(cluster);
    assert.equal((await machine.join()).refreshed, true);
    assert.deepEqual(await counters(cluster), [1, 6, 1]);
    await machine.join();
    assert.deepEqual(await cluster.lockNames(), []);
  });

  test("a machine that has recovered since goes on with the instance that the store lost", async () => {
    await using world = await open();
    const { cluster, machine, restore } = world;
    const before = await machine.instanceId();
    await recover(machine, 2);
    await machine.join();
    const current = await machine.instanceId();
    await restore();
    await openResync(cluster);
    assert.equal((await machine.join()).refreshed, true);
    assert.equal(await machine.instanceId(), current);
    assert.deepEqual(await counters(cluster), [3, 3, 3]);
    const instance = await cluster.resources.require("bot_instance", `robo:${current}`);
    assert.equal(instance.spec.previous_instance_id, before);
    assert.deepEqual(await cluster.lockNames(), [`superseded-${before}`]);
    await machine.join();
  });

  test("a machine whose certificate has expired recovers from where it proves to be", async () => {
    await using world = await open();
    const { cluster, machine, restore } = world;
    const before = await machine.instanceId();
    await recover(machine, 2);
    const lost = await machine.instanceId();
    await restore();
    await openResync(cluster);
    await recover(machine);
    assert.deepEqual(await counters(cluster), [4, 1, 4]);
    const names = [`superseded-${before}`, `superseded-${lost}`];
    assert.deepEqual(await cluster.lockNames(), names.toSorted());
    const name = `robo:${await machine.instanceId()}`;
    const instance = await cluster.resources.require("bot_instance", name);
    assert.equal(instance.spec.previous_instance_id, lost);
    await machine.join();
  });

  test("the limit still counts what the machine has used since", async () => {
    await using world = await open({ limit: 3 });
    const { cluster, machine, restore } = world;
    await recover(machine, 2);
    await restore();
    await openResync(cluster);
    machine.anonymous = true;
    assert.match((await refusal(machine.join())).message, /has used 3 of 3 recoveries/);
    assert.deepEqual(await madeLocks(cluster), []);
  });

  test("a machine that has rotated since comes with the key that the store knows", async () => {
    await using world = await open();
    const { cluster, machine, restore } = world;
    await rotate(world);
    await rotate(world);
    assert.equal((await machine.storage.load())?.bound_keys.length, 3);
    await restore();
    await openResync(cluster);
    assert.equal((await machine.join()).refreshed, true);
    assert.deepEqual(await madeLocks(cluster), []);
    const { bound_keys } = (await machine.storage.load())!;
    assert.equal(bound_keys.length, 3);
    await machine.join();
    await recover(machine);
    await rotate(world);
    assert.deepEqual(await madeLocks(cluster), []);
  });

  test("a machine that has rotated and recovered since comes back too", async () => {
    await using world = await open();
    const { cluster, machine, restore } = world;
    await recover(machine);
    await rotate(world);
    await restore();
    await openResync(cluster);
    await machine.join();
    assert.deepEqual((await counters(cluster)).slice(0, 2), [2, 3]);
    assert.deepEqual(await madeLocks(cluster), []);
  });

  test("a rotation between backup and restore is asked for again where the token says so", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    const rotate_after = new Date(cluster.clock.now()).toISOString();
    await cluster.editBound("t", (spec) => ({ ...spec, rotate_after }));
    const restore = await backUp(cluster);
    await machine.join();
    await restore();
    await openResync(cluster);
    machine.log.length = 0;
    await machine.join();
    assert.ok(machine.log.includes("newKey"));
    assert.equal((await machine.storage.load())?.bound_keys.length, 3);
    await machine.join();
    assert.deepEqual(await madeLocks(cluster), []);
  });

  test("a machine whose first join is not in the backup joins by its secret, and counts on", async () => {
    await using cluster = await JoinCluster.open();
    await cluster.addBoundToken("t", {
      onboarding: { registration_secret: "s3cret" },
      recovery: { limit: 9 },
    });
    const restore = await backUp(cluster);
    const machine = new Machine(cluster, { token: "t" });
    await recover(machine, 2);
    await machine.join();
    await restore();
    await openResync(cluster);
    await machine.join();
    assert.deepEqual(await counters(cluster), [2, 3, 2]);
    await machine.join();
  });

  test("a token is moved forward once in a window, and again in the next", async () => {
    await using world = await open();
    const { cluster, machine, restore } = world;
    await recover(machine);
    const copy = await machine.copy();
    await recover(copy, 2);
    await restore();
    await openResync(cluster);
    await machine.join();
    await refusal(copy.join());
    assert.match((await madeLocks(cluster)).join(), /^join-state-t-/);
    await cluster.remove("lock", (await madeLocks(cluster))[0]!);
    await openResync(cluster);
    await copy.join();
    await refusal(machine.join());
    assert.match((await madeLocks(cluster)).join(), /^join-state-t-/);
  });

  test("a machine that is not ahead does not use the token's chance up", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    await openResync(cluster);
    await machine.join();
    await recover(machine);
    assert.equal((await cluster.bound("t")).resynced_in, undefined);
    const restore = await backUp(cluster);
    await recover(machine);
    await restore();
    await machine.join();
    assert.ok((await cluster.bound("t")).resynced_in);
  });

  test("a machine that is behind is locked like at any time", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    const copy = await machine.copy();
    await recover(machine);
    await openResync(cluster);
    copy.anonymous = true;
    await refusal(copy.join());
    assert.match((await cluster.reasons())[0]!, /not the current one/);
    assert.match((await madeLocks(cluster)).join(), /^join-state-t-/);
  });

  test("a certificate that is behind is locked like at any time", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    const copy = await machine.copy();
    await machine.join();
    await openResync(cluster);
    await refusal(copy.join());
    assert.match((await madeLocks(cluster)).join(), /^generation-/);
  });

  test("another instance at the stored sequence is not ahead", async () => {
    await using world = await open();
    const { cluster, machine, restore } = world;
    const copy = await machine.copy();
    await recover(machine);
    for (let i = 0; i < 3; i++) await machine.join();
    await restore();
    await recover(copy);
    await openResync(cluster);
    await refusal(machine.join());
    assert.match((await cluster.reasons())[0]!, /not the current one/);
    assert.match((await madeLocks(cluster)).join(), /^join-state-t-/);
  });

  test("a join state of another token is none, however far ahead", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    await cluster.addBoundToken("other", {
      onboarding: { registration_secret: "s3cret" },
      recovery: { limit: 9 },
    });
    const other = new Machine(cluster, { token: "other" });
    await recover(other, 5);
    const { join_state } = (await other.storage.load())!.joined!;
    await machine.edit((state) => ({ ...state, joined: { ...state.joined!, join_state } }));
    await openResync(cluster);
    machine.anonymous = true;
    assert.match((await refusal(machine.join())).message, /it is of another token/);
  });

  test("a key that was rotated away does not come back by a state that is behind", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    const copy = await machine.copy();
    await rotate(world);
    await recover(machine);
    await openResync(cluster);
    copy.anonymous = true;
    assert.match((await refusal(copy.join())).message, /is no longer bound since/);
    assert.match((await madeLocks(cluster)).join(), /^join-state-t-/);
  });

  test("a key that was rotated away is a stranger's otherwise, and locks nothing", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    const copy = await machine.copy();
    await rotate(world);
    await openResync(cluster);
    copy.anonymous = true;
    assert.match((await refusal(copy.join())).message, STRANGER);
    assert.deepEqual(await madeLocks(cluster), []);
  });

  test("an older key signs nothing once the window has ended", async () => {
    await using world = await open();
    const { cluster, machine, restore } = world;
    await rotate(world);
    await restore();
    await openResync(cluster);
    const { connect } = machine;
    let streams = 0;
    Object.assign(machine, {
      connect: async (...options: Parameters<typeof connect>) => {
        // The refused refresh, the recovery after it, and then the older key.
        if (++streams === 3) await endResync(cluster, { actor: systemActor });
        return await connect(...options);
      },
    });
    machine.log.length = 0;
    assert.match((await refusal(machine.join())).message, /no longer takes older keys/);
    assert.deepEqual(machine.log.slice(-3), ["init", "challenge", "givingUp"]);
    assert.deepEqual(await madeLocks(cluster), []);
  });

  test("an honest machine that a rule refuses tries its older keys without harm", async () => {
    await using world = await open({ limit: 1 });
    const { cluster, machine } = world;
    await rotate(world);
    await openResync(cluster);
    machine.anonymous = true;
    assert.match((await refusal(machine.join())).message, /has used 1 of 1 recoveries/);
    assert.deepEqual(await madeLocks(cluster), []);
    machine.anonymous = false;
    await machine.join();
  });

  test("a token of mode insecure goes on as well", async () => {
    await using world = await open({ mode: "insecure" });
    const { cluster, machine, restore } = world;
    await recover(machine);
    await machine.join();
    await restore();
    await openResync(cluster);
    await machine.join();
    await machine.join();
    assert.deepEqual(await madeLocks(cluster), []);
  });

  test("a lock on the instance that the store lost still holds", async () => {
    await using world = await open();
    const { cluster, machine, restore } = world;
    await recover(machine);
    await restore();
    await cluster.lock({ bot_instance_id: await machine.instanceId() });
    await openResync(cluster);
    assert.match((await refusal(machine.join())).message, /is locked: stolen/);
  });

  test("the join is audited as one that the window let in", async () => {
    await using world = await open();
    const { cluster, machine, restore } = world;
    await recover(machine);
    await restore();
    await openResync(cluster);
    await machine.join();
    await machine.join();
    const joins = (await cluster.events("bot.join")).slice(-2);
    assert.deepEqual(
      joins.map(({ fields }) => fields["allowed_by"]),
      ["resync", undefined],
    );
  });

  const lost: readonly Lost[] = ["init", "challenge", "solution", "result", "ack", "acknowledged"];
  for (const message of lost)
    for (const change of ["recovery", "refresh", "rotation"] as const)
      test(`a lost ${message} after a ${change} is made good`, async () => {
        await using world = await open();
        const { cluster, machine, restore } = world;
        if (change === "recovery") await recover(machine);
        else if (change === "refresh") await machine.join();
        else await rotate(world);
        await restore();
        await openResync(cluster);
        machine.lose = message;
        await machine.join().catch(() => {});
        assert.equal((await machine.join()).refreshed, true);
        await machine.join();
        assert.deepEqual(await madeLocks(cluster), []);
      });
});

suite("after a restore, without a window", () => {
  for (const change of ["recovery", "refresh"] as const)
    test(`a machine that is ahead by a ${change} is taken for a copy`, async () => {
      await using world = await open();
      const { cluster, machine, restore } = world;
      if (change === "recovery") await recover(machine);
      else await machine.join();
      await restore();
      await refusal(machine.join());
      assert.equal((await madeLocks(cluster)).length, 1);
    });

  test("a machine never offers an older key", async () => {
    await using world = await open();
    const { machine, restore } = world;
    await rotate(world);
    await restore();
    machine.log.length = 0;
    assert.match((await refusal(machine.join())).message, STRANGER);
    // The refused refresh, and the recovery after it.
    assert.equal(machine.log.filter((message) => message === "init").length, 2);
  });
});

suite("a resync window", () => {
  test("ends by itself after a week", async () => {
    await using world = await open();
    const { cluster, machine, restore } = world;
    await machine.join();
    await restore();
    const { until } = await openResync(cluster);
    assert.equal(until, cluster.clock.now() + 7 * DAY);
    await cluster.clock.advance(7 * DAY - 1);
    assert.ok(await readResync(cluster));
    await cluster.clock.advance(1);
    assert.equal(await readResync(cluster), undefined);
  });

  test("is ended by an administrator, once", async () => {
    await using world = await open();
    const { cluster, machine, restore } = world;
    await recover(machine);
    await restore();
    await openResync(cluster);
    const by = { actor: systemActor };
    assert.equal(await endResync(cluster, by), true);
    assert.equal(await endResync(cluster, by), false);
    await refusal(machine.join());
    assert.match((await madeLocks(cluster)).join(), /^join-state-t-/);
    const [opened] = await cluster.events("cluster.resync.open");
    assert.match(textOf(opened, "until"), /^\d{4}-/);
    assert.equal((await cluster.events("cluster.resync.end")).length, 1);
  });
});
