// What can happen in a walk.
import * as fc from "fast-check";
import { systemActor } from "#domain/audit";
import { endResync, openResync } from "#domain/join";
import type { Lost, Machine } from "../join-machine.ts";
import { checkAlways, checkOutcome, joins } from "./checks.ts";
import { stateIn } from "./disks.ts";
import { predict } from "./model.ts";
import { orders, type Act } from "./orders.ts";
import type { World } from "./world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

export type Event = fc.AsyncCommand<object, World>;

const event = (name: string, run: (world: World) => Promise<void>): Event => ({
  check: () => true,
  toString: () => name,
  run: async (_model, world) => {
    await world.noticeForgotten();
    await run(world);
    await Promise.all(world.machines.map((machine) => machine.settled()));
    if (world.disk.killed) await world.restart({ anew: false });
    await checkAlways(world);
  },
});

interface Disturbance {
  readonly lose?: Lost;
  readonly kill?: { readonly calls: number; readonly when: "before" | "after" };
  readonly anonymous?: boolean;
}

const joinEvent = (who: number, what: string, { lose, kill, anonymous }: Disturbance): Event =>
  event(`machine ${who} joins${what}`, async (world) => {
    const machine = world.machine(who);
    machine.anonymous = anonymous ?? false;
    const predicted = await predict(world, machine);
    const held = await stateIn(machine);
    machine.lose = lose;
    world.disk.kill = kill && { ...kill };
    const before = world.disk.fault;
    const outcome = await joins(world, machine);
    machine.lose = undefined;
    machine.anonymous = false;
    const faulted = before !== undefined && world.disk.fault === undefined;
    const disturbed = lose !== undefined || faulted || world.disk.killed;
    world.disk.kill = undefined;
    if (world.disk.killed) await world.restart({ anew: kill!.calls % 4 === 0 });
    await checkOutcome(world, { machine, predicted, held, outcome, disturbed });
  });

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
    const held = await stateIn(machine);
    machine.lose = "patience";
    await joins(world, machine);
    machine.lose = undefined;
    const faulty = world.disk.fault !== undefined;
    const outcome = await joins(world, machine);
    if (faulty || world.disk.fault) return;
    await checkOutcome(world, { machine, predicted, held, outcome, disturbed: false });
  });

const interrupted = (
  who: number,
  before: "init" | "solution" | "newKey" | "ack",
  [what, act]: readonly [string, Act],
): Event =>
  event(`machine ${who} joins; before ${before} ${what}`, async (world) => {
    const machine = world.machine(who);
    machine.meanwhile = { before, act: () => act(world) };
    await joins(world, machine);
    machine.meanwhile = undefined;
  });

/** Its owner puts an older disk back, and so makes a copy of it. */
async function rollBack(world: World, machine: Machine): Promise<void> {
  const kept = world.keptDisks.get(machine);
  if (!kept) return;
  await machine.storage.save(kept);
  world.honest = false;
}

const who = fc.nat({ max: 3 });
const when = fc.constantFrom("before" as const, "after" as const);
const steps = fc.constantFrom("init", "solution", "newKey", "ack");
const messages = fc.constantFrom<Lost>(
  "init",
  "challenge",
  "solution",
  "rotationRequest",
  "newKey",
  "result",
  "ack",
  "acknowledged",
);

export const events: fc.Arbitrary<Event>[] = [
  who.map((machine) => joinEvent(machine, "", {})),
  who.map((machine) => joinEvent(machine, "", {})),
  who.map((machine) => joinEvent(machine, " without its certificate", { anonymous: true })),
  fc.tuple(who, messages).map(([m, lose]) => joinEvent(m, `, ${lose} is lost`, { lose })),
  fc
    .tuple(who, fc.integer({ min: 1, max: 14 }), when)
    .map(([m, calls, when]) =>
      joinEvent(m, `, the server is killed ${when} its call ${calls}`, { kill: { calls, when } }),
    ),
  fc.tuple(who, who).map(([a, b]) => together(a, b)),
  who.map(duplicate),
  fc.tuple(who, steps, orders).map(([machine, step, order]) => interrupted(machine, step, order)),
  orders.map(([what, act]) => event(what, act)),
  fc.constant(
    event("an administrator removes his lock", async ({ cluster }) => {
      if (await cluster.resources.get("lock", "by-admin")) await cluster.remove("lock", "by-admin");
    }),
  ),
  when.map((fault) =>
    event(`the disk fails ${fault} the next commit`, async ({ disk }) => {
      disk.fault = fault;
    }),
  ),
  fc
    .constantFrom(1, MINUTE, 20 * MINUTE, 2 * HOUR, 200 * HOUR)
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
      if (world.machines.length >= 3) return;
      world.machines.push(await world.copy(world.machine(machine)));
      world.honest = false;
    }),
  ),
  fc.constant(
    event("another machine is set up with the secret", async (world) => {
      if (world.machines.length >= 3) return;
      world.addMachine();
      world.honest = false;
    }),
  ),
  who.map((machine) =>
    event(`the disk of machine ${machine} is kept`, async (world) => {
      const state = await world.machine(machine).storage.load();
      if (state) world.keptDisks.set(world.machine(machine), state);
    }),
  ),
  who.map((machine) =>
    event(`machine ${machine} gets its kept disk back`, (world) =>
      rollBack(world, world.machine(machine)),
    ),
  ),
  who.map((machine) =>
    event(`machine ${machine} wishes another key`, async (world) => {
      world.machine(machine).wished = true;
    }),
  ),
  who.map((machine) =>
    event(`machine ${machine} uses its certificate`, async (world) => {
      const identity = await world.machine(machine).client.current();
      const verified = identity && world.cluster.verified(identity);
      if (verified) await world.cluster.server.certificateUsed(verified.identity);
    }),
  ),
  fc.constant(event("the store is backed up", (world) => world.backUp())),
  fc.constantFrom("", ", and says so" as const, ", and says so" as const).map((said) =>
    event(`the store is restored${said}`, async (world) => {
      if (!world.backup) return;
      await world.restore();
      if (said) await openResync(world.cluster);
      // A window that is open from before may have been used by the token already.
      else world.honest = false;
    }),
  ),
  fc.constant(
    event("a resync window is opened", async ({ cluster }) => {
      await openResync(cluster);
    }),
  ),
  fc.constant(
    event("the resync window is ended", async ({ cluster }) => {
      await endResync(cluster, { actor: systemActor });
    }),
  ),
];
