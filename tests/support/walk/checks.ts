// What must hold in every walk, whatever the model says.
import assert from "node:assert/strict";
import { codeOf, messageOf } from "#base/kernel";
import type { Machine } from "../join-machine.ts";
import { stateIn, type State } from "./disks.ts";
import type { BoundStatus, Joined } from "./ledger.ts";
import type { Prediction } from "./model.ts";
import type { World } from "./world.ts";

const madeByJoining = (name: string): boolean => /^(join-state|generation)-/.test(name);

/** One call of a machine's client, to its end. */
export async function joins(world: World, machine: Machine): Promise<string> {
  try {
    await machine.join();
    world.joinedIn.set(machine, world.timeline);
    if (machine === world.machines[0]) world.behind = false;
    return "joined";
  } catch (error) {
    world.refused = messageOf(error);
    return codeOf(error);
  } finally {
    world.latest = Math.max(world.latest, world.cluster.clock.now());
  }
}

/** After every event. */
export async function checkAlways(world: World): Promise<void> {
  const { ledger, cluster, honest, machines } = world;
  if (ledger.broken) throw ledger.broken;
  const locks = honest ? (await cluster.lockNames()).filter(madeByJoining) : [];
  assert.deepEqual(locks, [], "an honest machine was locked");
  const token = await cluster.resources.get("token", "t");
  const status = token?.status?.bound_keypair;
  for (const machine of machines) if (status) await checkKept(world, machine, status);
}

/** "nothing acknowledged is lost": what a machine holds is what the store holds, or came before it. */
async function checkKept(
  { timeline, joinedIn }: World,
  machine: Machine,
  status: BoundStatus,
): Promise<void> {
  const state = joinedIn.get(machine) === timeline ? await stateIn(machine) : undefined;
  if (state?.life !== status.first_instance_id) return;
  assert.ok(status.recovery_sequence >= state.sequence, "an answered join was lost");
  if (status.recovery_sequence === state.sequence)
    assert.equal(status.bound_bot_instance_id, state.instance, "an answered join was lost");
}

export async function checkOutcome(
  world: World,
  seen: {
    readonly machine: Machine;
    readonly predicted: Prediction;
    /** What it held before. */
    readonly held: State | undefined;
    readonly outcome: string;
    /** A message was lost, the disk failed or the server was killed. */
    readonly disturbed: boolean;
  },
): Promise<void> {
  const { machine, predicted, outcome, disturbed } = seen;
  if (predicted !== "joins") assert.notEqual(outcome, "joined", `it was to be ${predicted}`);
  if (disturbed) return;
  assert.equal(outcome, predicted === "joins" ? "joined" : "access_denied");
  if (predicted === "found") {
    const locks = await world.cluster.lockNames();
    assert.ok(locks.some(madeByJoining), "a copy was not found");
  }
  if (outcome !== "joined") return;
  const state = (await stateIn(machine))!;
  const status = await world.cluster.bound("t");
  assert.equal(state.instance, status.bound_bot_instance_id, "an answered join was lost");
  const { last } = world.ledger;
  if (last?.allowed_by === "resync" && seen.held) checkMoved(seen.held, state, last);
}

/** Of what it was moved forward to, nothing is left out. */
function checkMoved(held: State, now: State, { recovery }: Joined): void {
  assert.equal(now.life, held.life, "moved into another life");
  assert.equal(now.sequence, held.sequence + (recovery ? 1 : 0), "moved to another sequence");
  assert.ok(now.recoveries >= held.recoveries + (recovery ? 1 : 0), "recoveries were forgotten");
}

/** At the end: who is honest comes back, and of several with one identity at most one goes on. */
export async function checkEnd(world: World): Promise<void> {
  await clearTheWay(world);
  await world.noticeForgotten();
  const { machines, honest } = world;
  if (honest) {
    const outcome = await joins(world, machines[0]!);
    assert.equal(outcome, "joined", `an honest machine did not come back: ${world.refused}`);
    await checkAlways(world);
  }
  if (machines.length > 1) await checkOneGoesOn(world);
}

async function checkOneGoesOn(world: World): Promise<void> {
  const { machines, ledger } = world;
  for (const machine of machines) await joins(world, machine);
  let going = 0;
  for (const machine of machines) if ((await joins(world, machine)) === "joined") going++;
  assert.ok(going <= 1, "a machine and its copy both go on");
  if (ledger.broken) throw ledger.broken;
}

/** No rule of an administrator stands in the way, nothing fails, and the clock is right. */
async function clearTheWay(world: World): Promise<void> {
  const { cluster, disk, latest } = world;
  disk.fault = undefined;
  disk.kill = undefined;
  for (const machine of world.machines) machine.anonymous = false;
  if (await cluster.resources.get("lock", "by-admin")) await cluster.remove("lock", "by-admin");
  cluster.clock.jump(Math.max(0, latest - cluster.clock.now()));
  const token = await cluster.resources.get("token", "t");
  if (token && !token.status?.bound_keypair?.bound_public_key) await cluster.remove("token", "t");
  if (!token?.status?.bound_keypair?.bound_public_key) await world.makeToken("key");
  await cluster.editBound("t", (b) => ({ ...b, recovery: { limit: 1000, mode: "standard" } }));
}
