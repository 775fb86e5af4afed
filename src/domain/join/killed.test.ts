// The server killed at each of its awaits, in every kind of join: the next process finds all that it
// needs, and the machine goes on.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { systemActor } from "#domain/audit";
import { checkAlways, joins } from "#testing/walk/checks";
import type { Kill } from "#testing/walk/disk";
import { WalkCluster, type Kind, type World } from "#testing/walk/world";
import { openResync, resetToken } from "./index.ts";

const DAY = 86_400_000;

/** What leads to the join in which the server is killed, of a machine that has joined. */
const arrangements: Readonly<Record<string, (world: World) => Promise<void>>> = {
  "a refresh": async () => {},
  "a recovery": ({ cluster }) => cluster.clock.advance(DAY),
  "a rotation": async ({ cluster }) => {
    await cluster.clock.advance(1_000);
    const rotate_after = new Date(cluster.clock.now()).toISOString();
    await cluster.editBound("t", (spec) => ({ ...spec, rotate_after }));
  },
  "a refresh whose reply was lost": loseResult,
  "a recovery whose reply was lost": async (world) => {
    await world.cluster.clock.advance(DAY);
    await loseResult(world);
  },
  "a join that a reset lets in": async (world) => {
    await (await world.machines[0]!.copy()).join();
    await resetToken(world.cluster, "t", { actor: systemActor, remoteAddr: "local" });
  },
  "a join after a restore": async (world) => {
    await world.backUp();
    await world.cluster.clock.advance(DAY);
    await joins(world, world.machines[0]!);
    await world.restore();
    await openResync(world.cluster);
  },
  "the first join of a token made anew": async (world) => {
    await world.cluster.remove("token", "t");
    await world.makeToken("key");
  },
};

async function loseResult(world: World): Promise<void> {
  const [machine] = world.machines;
  machine!.lose = "result";
  await joins(world, machine!);
}

/** Nothing needs more; what is not reached ends the search. */
const MAX_CALLS = 60;

suite("a server that is killed", () => {
  let on: WalkCluster;
  before(async () => {
    on = await WalkCluster.open();
  });
  after(async () => await on[Symbol.asyncDispose]());

  for (const kind of ["bot", "agent"] as const satisfies readonly Kind[])
    test(`in the first join of ${kind === "bot" ? "a bot" : "an agent"}, at any await`, async () => {
      assert.ok((await killEverywhere(on, kind, undefined)) > 3);
    });
  for (const [what, arrange] of Object.entries(arrangements))
    test(`in ${what}, at any await`, async () => {
      assert.ok((await killEverywhere(on, "bot", arrange)) > 3);
    });
  test("in a refresh of an agent, at any await", async () => {
    assert.ok((await killEverywhere(on, "agent", async () => {})) > 3);
  });
});

/** How many calls of the store there were to be killed at. */
async function killEverywhere(
  on: WalkCluster,
  kind: Kind,
  arrange: ((world: World) => Promise<void>) | undefined,
): Promise<number> {
  for (let calls = 1; calls <= MAX_CALLS; calls++) {
    const killed = [];
    for (const when of ["before", "after"] as const) {
      await using world = await on.begin(kind);
      if (arrange) {
        await joins(world, world.machines[0]!);
        await arrange(world);
      }
      killed.push(await killOnce(world, { calls, when }));
    }
    if (!killed.includes(true)) return calls - 1;
  }
  throw new Error(`a join makes more than ${MAX_CALLS} calls of the store`);
}

async function killOnce(world: World, kill: Kill): Promise<boolean> {
  const [machine] = world.machines;
  world.disk.kill = kill;
  await joins(world, machine!);
  await machine!.settled();
  world.disk.kill = undefined;
  const { killed } = world.disk;
  if (killed) await world.restart({ anew: false });
  for (let again = 0; again < 2; again++) {
    const outcome = await joins(world, machine!);
    assert.equal(outcome, "joined", `${world.refused}, after ${kill.when} call ${kill.calls}`);
    await machine!.settled();
    await checkAlways(world);
  }
  return killed;
}
