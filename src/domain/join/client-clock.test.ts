// Machines whose clocks are wrong, by minutes, hours and years.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { silentLogger, type Clock } from "#base/kernel";
import { JoinCluster, refusal } from "#testing/join";
import { Machine } from "#testing/join-machine";
import { JoinClient } from "./index.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const YEAR = 365 * 24 * HOUR;

interface World extends AsyncDisposable {
  readonly cluster: JoinCluster;
  readonly machine: Machine;
  /** Its client, by a clock that is ahead by so much of the cluster's. */
  readonly join: (aheadMs: number) => ReturnType<JoinClient["join"]>;
}

async function open(limit: number): Promise<World> {
  const cluster = await JoinCluster.open();
  await cluster.addBoundToken("t", { recovery: { limit } });
  const machine = new Machine(cluster, { token: "t" });
  const { settings, storage, keys, connect } = machine;
  const join = (aheadMs: number): ReturnType<JoinClient["join"]> => {
    const clock: Clock = {
      now: () => cluster.clock.now() + aheadMs,
      monotonic: () => cluster.clock.monotonic(),
      timer: (wait, fire) => cluster.clock.timer(wait, fire),
    };
    const client = new JoinClient({ settings, storage, keys, clock, logger: silentLogger });
    return client.join(connect, new AbortController().signal);
  };
  return { cluster, machine, join, [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose]() };
}

const harmless = { "two minutes": 2 * MINUTE, "half an hour": HOUR / 2 };
const late = { minutes: -5 * MINUTE, hours: -5 * HOUR, years: -5 * YEAR };

suite("a machine whose clock is wrong", () => {
  for (const [name, ms] of [...Object.entries(harmless), ...Object.entries(late)])
    test(`by ${name} (${ms / MINUTE} minutes) joins, refreshes and recovers`, async () => {
      await using world = await open(2);
      const { cluster, machine, join } = world;
      assert.equal((await join(ms)).refreshed, false);
      assert.equal((await join(ms)).refreshed, true);
      await cluster.clock.advance(2 * HOUR);
      await join(ms);
      const { recovery_count } = await cluster.bound("t");
      assert.equal(recovery_count, 2);
      assert.doesNotMatch((await cluster.lockNames()).join(), /join-state|generation/);
      assert.deepEqual((await join(ms)).refreshed, true);
      assert.ok(await machine.storage.load());
    });

  for (const [name, ms] of Object.entries({ hours: 2 * HOUR, years: 5 * YEAR }))
    test(`ahead by ${name} takes its certificate for an old one, and is not locked for it`, async () => {
      await using world = await open(2);
      const { cluster, join } = world;
      await join(ms);
      assert.equal((await join(ms)).refreshed, false);
      assert.match((await refusal(join(ms))).message, /has used 2 of 2 recoveries/);
      assert.doesNotMatch((await cluster.lockNames()).join(), /join-state|generation/);
      // Once its clock is right again, its certificate is good, and no recovery is needed.
      assert.equal((await join(0)).refreshed, true);
      assert.equal((await cluster.bound("t")).recovery_count, 2);
    });
});
