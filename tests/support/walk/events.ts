// What can happen in a walk.
import * as fc from "fast-check";
import { sshFingerprint } from "#base/crypto";
import { systemActor } from "#domain/audit";
import { endResync, openResync, resetToken } from "#domain/join";
import type { LockTarget } from "#domain/resources";
import type { BoundKeypairSpec } from "../join.ts";
import type { Lost, Machine } from "../join-machine.ts";
import { checkAlways, checkOutcome, joins } from "./checks.ts";
import { predict } from "./model.ts";
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
    await checkOutcome(world, { machine, predicted, outcome, disturbed });
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
    machine.lose = "patience";
    await joins(world, machine);
    machine.lose = undefined;
    const faulty = world.disk.fault !== undefined;
    const outcome = await joins(world, machine);
    if (faulty || world.disk.fault) return;
    await checkOutcome(world, { machine, predicted, outcome, disturbed: false });
  });

type Act = (world: World) => Promise<void>;

const edit =
  (change: (spec: BoundKeypairSpec) => BoundKeypairSpec): Act =>
  async ({ cluster }) => {
    if (await cluster.resources.get("token", "t")) await cluster.editBound("t", change);
  };

/** Whoever held the token before may still hold its key: a later life is the first machine's. */
const recreate =
  (first: "secret" | "key"): Act =>
  async (world) => {
    await removeToken(world);
    await world.makeToken(first);
  };

const removeToken: Act = async ({ cluster }) => {
  if (await cluster.resources.get("token", "t")) await cluster.remove("token", "t");
};

const rotation: Act = async (world) => {
  const rotate_after = new Date(world.cluster.clock.now()).toISOString();
  await edit((b) => ({ ...b, rotate_after }))(world);
};

/** What the first machine is, or what the token is bound to. */
async function lock(world: World, target: LockTarget): Promise<void> {
  const token = await world.cluster.resources.get("token", "t");
  const { bound_public_key: key, bound_bot_instance_id: instance } =
    token?.status?.bound_keypair ?? {};
  const values: Readonly<Record<string, string | undefined>> = {
    user: "bot-robo",
    role: "bot-robo",
    join_token: "t",
    server_id: world.machines[0]!.settings.host.hostId,
    public_key: key && sshFingerprint(key),
    bot_instance_id: instance,
  };
  const value = values[target];
  if (value) await world.cluster.lock({ [target]: value });
}

/** What an administrator does to the token, also while a machine joins. */
const orders: fc.Arbitrary<readonly [string, Act]> = fc.oneof(
  fc
    .integer({ min: 1, max: 6 })
    .map((limit): [string, Act] => [
      `the limit becomes ${limit}`,
      edit((b) => ({ ...b, recovery: { ...b.recovery, limit } })),
    ]),
  fc
    .constantFrom("standard" as const, "relaxed" as const, "insecure" as const)
    .map((mode): [string, Act] => [
      `the mode becomes ${mode}`,
      edit((b) => ({ ...b, recovery: { ...b.recovery, mode } })),
    ]),
  fc.constant<[string, Act]>(["a rotation is asked for", rotation]),
  fc.constant<[string, Act]>(["the token is deleted", removeToken]),
  fc
    .constantFrom("secret" as const, "key" as const)
    .map((first): [string, Act] => [
      `the token is deleted and made anew for a ${first}`,
      recreate(first),
    ]),
  fc.constant<[string, Act]>([
    "the token is reset",
    async ({ cluster }) => {
      if (!(await cluster.resources.get("token", "t"))) return;
      await resetToken(cluster, "t", { actor: systemActor, remoteAddr: "local" });
    },
  ]),
  fc
    .constantFrom("user", "role", "join_token", "server_id", "public_key", "bot_instance_id")
    .map((target): [string, Act] => [`a ${target} is locked`, (world) => lock(world, target)]),
);

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
  fc.boolean().map((announced) =>
    event(`the store is restored${announced ? ", and says so" : ""}`, async (world) => {
      if (!world.backup) return;
      await world.restore();
      if (announced) await openResync(world.cluster);
    }),
  ),
  fc.constant(
    event("the store is restored, and says so", async (world) => {
      if (!world.backup) return;
      await world.restore();
      await openResync(world.cluster);
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
