// A walk at random through what can happen to a machine, its copies and its cluster, against a model
// that predicts each join from the documents' rules alone (join.md section 8).
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { codeOf } from "#base/kernel";
import { JoinCluster } from "#testing/join";
import { type Lost, type Machine } from "#testing/join-machine";
import { claimsOf, Disk, predict, World, type Prediction } from "#testing/join-model";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

type Event = fc.AsyncCommand<object, World>;

const event = (name: string, run: (world: World) => Promise<void>): Event => ({
  check: () => true,
  toString: () => name,
  run: async (_model, world) => {
    await run(world);
    await checkAlways(world);
  },
});

/** What holds after every event. */
async function checkAlways({ cluster, disk, alone }: World): Promise<void> {
  assert.equal(new Set(disk.counted).size, disk.counted.length, "a counter was used twice");
  const status = (await cluster.resources.require("token", "t")).status?.bound_keypair;
  assert.equal(status?.recovery_count ?? 0, disk.recoveries, "recoveries are miscounted");
  assert.equal(status?.recovery_sequence ?? 0, disk.recoveries);
  const made = (await cluster.lockNames()).filter((name) => /^(join-state|generation)-/.test(name));
  if (alone) assert.deepEqual(made, [], "an honest machine was locked");
}

async function joins(world: World, machine: Machine): Promise<string> {
  try {
    await machine.join();
    return "joined";
  } catch (error) {
    return codeOf(error);
  } finally {
    world.latest = Math.max(world.latest, world.cluster.clock.now());
  }
}

const joinEvent = (who: number, lose: Lost | undefined): Event =>
  event(`machine ${who} joins${lose ? `, ${lose} is lost` : ""}`, async (world) => {
    const machine = world.machine(who);
    const predicted = await predict(world, machine);
    machine.lose = lose;
    const before = world.disk.fault;
    const outcome = await joins(world, machine);
    machine.lose = undefined;
    const faulted = before !== undefined && world.disk.fault === undefined;
    await checkOutcome(world, {
      machine,
      predicted,
      outcome,
      disturbed: lose !== undefined || faulted,
    });
  });

async function checkOutcome(
  world: World,
  seen: { machine: Machine; predicted: Prediction; outcome: string; disturbed: boolean },
): Promise<void> {
  const { machine, predicted, outcome, disturbed } = seen;
  if (predicted !== "joins") assert.notEqual(outcome, "joined", `it was to be ${predicted}`);
  if (disturbed) return;
  assert.equal(outcome, predicted === "joins" ? "joined" : "access_denied");
  if (predicted === "found") {
    const locks = await world.cluster.lockNames();
    assert.ok(
      locks.some((name) => /^(join-state|generation)-/.test(name)),
      "a copy was not found",
    );
  }
  if (outcome !== "joined") return;
  const state = claimsOf((await machine.storage.load())!.joined!.join_state);
  const status = await world.cluster.bound("t");
  assert.equal(state.instance, status.bound_bot_instance_id, "an answered join was lost");
}

const together = (a: number, b: number): Event =>
  event(`machines ${a} and ${b} join at once`, async (world) => {
    const [one, other] = [world.machine(a), world.machine(b)];
    if (one === other) return;
    await Promise.all([joins(world, one), joins(world, other)]);
  });

/** An impatient client tries again while the server still works on its first stream. */
const duplicate = (who: number): Event =>
  event(`machine ${who} joins in two streams`, async (world) => {
    const machine = world.machine(who);
    const predicted = await predict(world, machine);
    machine.lose = "patience";
    await joins(world, machine);
    machine.lose = undefined;
    const faulty = world.disk.fault !== undefined;
    const outcome = await joins(world, machine);
    if (faulty || world.disk.fault) return;
    await checkOutcome(world, { machine, predicted, outcome, disturbed: false });
  });

const edit = (what: string, change: Parameters<JoinCluster["editBound"]>[1]): Event =>
  event(what, ({ cluster }) => cluster.editBound("t", change));

const who = fc.nat({ max: 3 });
const lost = fc.option(
  fc.constantFrom<Lost>(
    "init",
    "challenge",
    "solution",
    "rotationRequest",
    "newKey",
    "result",
    "ack",
    "acknowledged",
  ),
  { nil: undefined },
);

const events: fc.Arbitrary<Event>[] = [
  fc.tuple(who, lost).map(([machine, lose]) => joinEvent(machine, lose)),
  fc.nat({ max: 3 }).map((machine) => joinEvent(machine, undefined)),
  fc.tuple(who, who).map(([a, b]) => together(a, b)),
  who.map(duplicate),
  fc.constantFrom("before" as const, "after" as const).map((fault) =>
    event(`the disk fails ${fault} the next commit`, async ({ disk }) => {
      disk.fault = fault;
    }),
  ),
  fc
    .constantFrom(MINUTE, 20 * MINUTE, 2 * HOUR, 200 * HOUR)
    .map((ms) => event(`${ms / MINUTE} minutes pass`, ({ cluster }) => cluster.clock.advance(ms))),
  fc
    .constantFrom(-24 * HOUR, -HOUR, -2 * MINUTE, -30_000, 5 * MINUTE, 24 * HOUR, 9000 * HOUR)
    .map((ms) =>
      event(`the clock jumps by ${ms / MINUTE} minutes`, async ({ cluster }) =>
        cluster.clock.jump(ms),
      ),
    ),
  who.map((machine) =>
    event(`machine ${machine} is copied`, async (world) => {
      if (world.machines.length < 3) world.machines.push(await world.machine(machine).copy());
    }),
  ),
  fc
    .constantFrom({ user: "bot-robo" }, { join_token: "t" })
    .map((target) =>
      event(`an administrator locks ${Object.keys(target).join()}`, ({ cluster }) =>
        cluster.lock(target),
      ),
    ),
  fc.constant(
    event("an administrator removes the lock", async ({ cluster }) => {
      if (await cluster.resources.get("lock", "by-admin")) await cluster.remove("lock", "by-admin");
    }),
  ),
  fc
    .integer({ min: 1, max: 6 })
    .map((limit) =>
      edit(`the limit becomes ${limit}`, (b) => ({ ...b, recovery: { ...b.recovery, limit } })),
    ),
  fc
    .constantFrom("standard" as const, "relaxed" as const)
    .map((mode) =>
      edit(`the mode becomes ${mode}`, (b) => ({ ...b, recovery: { ...b.recovery, mode } })),
    ),
  fc.constant(
    event("an administrator asks for a rotation", async ({ cluster }) => {
      const rotate_after = new Date(cluster.clock.now()).toISOString();
      await cluster.editBound("t", (b) => ({ ...b, rotate_after }));
    }),
  ),
];

/** An honest machine that nobody stands in the way of always comes back. */
async function checkEnd(world: World): Promise<void> {
  const { cluster, latest, machines, alone, disk } = world;
  if (!alone) return;
  disk.fault = undefined;
  if (await cluster.resources.get("lock", "by-admin")) await cluster.remove("lock", "by-admin");
  await cluster.editBound("t", (b) => ({ ...b, recovery: { limit: 1000, mode: "standard" } }));
  cluster.clock.jump(Math.max(0, latest - cluster.clock.now()));
  assert.equal(await joins(world, machines[0]!), "joined", "an honest machine did not come back");
}

/** A longer run: `TENON_WALKS=5000 node --test src/domain/join/walk.test.ts`. */
const WALKS = Number(process.env["TENON_WALKS"] ?? 60);
const seed = Number(process.env["TENON_SEED"] ?? Date.now() & 0x7fffffff);

test("walks at random end joined, refused by a rule, or with the copy found", async (context) => {
  context.diagnostic(`TENON_SEED=${seed} TENON_WALKS=${WALKS}`);
  const walk = async (commands: Iterable<Event>): Promise<void> => {
    const disk = new Disk();
    await using cluster = await JoinCluster.open((store) => disk.wrap(store));
    // The authorities themselves must stay valid when the clock jumps back.
    cluster.clock.jump(9000 * HOUR);
    await cluster.addBoundToken("t", {
      onboarding: { registration_secret: "s3cret" },
      recovery: { limit: 3 },
    });
    const world = new World(cluster, disk);
    await fc.asyncModelRun(() => ({ model: {}, real: world }), commands);
    await checkEnd(world);
  };
  await fc.assert(fc.asyncProperty(fc.commands(events, { size: "+1", maxCommands: 40 }), walk), {
    numRuns: WALKS,
    seed,
  });
});
