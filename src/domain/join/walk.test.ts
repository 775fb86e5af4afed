// A walk at random through what can happen to a machine, its copies and its cluster, against a model
// that predicts each join from the documents' rules alone (join.md section 8).
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { parseX509, sshFingerprint, type X509 } from "#base/crypto";
import { codeOf, unavailable } from "#base/kernel";
import type { Store, Write } from "#base/storage";
import { verifyClientCertificate } from "#domain/authority";
import { JoinCluster, Machine, type Lost } from "#testing/join";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** The store, which may fail before a commit or lose the answer after it. */
class Disk {
  fault: "before" | "after" | undefined;
  /** `instance/generation` of every join that counted. */
  readonly counted: string[] = [];
  recoveries = 0;

  wrap(store: Store): Store {
    const commit = async (writes: readonly Write[]): ReturnType<Store["commit"]> => {
      const { fault } = this;
      const joining = writes.some(({ kind }) => kind === "event");
      if (joining) this.fault = undefined;
      if (joining && fault === "before") throw unavailable("the disk is gone");
      const committed = await store.commit(writes);
      this.#note(writes);
      if (joining && fault === "after") throw unavailable("the disk is gone");
      return committed;
    };
    return new Proxy(store, {
      get: (target, key) => {
        if (key === "commit") return commit;
        const value: unknown = Reflect.get(target, key);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }

  #note(writes: readonly Write[]): void {
    for (const write of writes) {
      if (write.kind !== "event" || !("value" in write) || write.value["type"] !== "bot.join")
        continue;
      const fields = write.value["fields"] as Record<string, string | number | boolean>;
      if (fields["repeated"]) continue;
      this.counted.push(`${fields["instance_id"]}/${fields["generation"]}`);
      if (fields["recovery"]) this.recoveries++;
    }
  }
}

/** What the walk holds in its hands. */
class World {
  readonly cluster: JoinCluster;
  readonly disk: Disk;
  /** The first is the honest machine; the others are copies of one before them. */
  readonly machines: Machine[];
  /** The latest time at which something was signed. */
  latest: number;

  constructor(cluster: JoinCluster, disk: Disk) {
    this.cluster = cluster;
    this.disk = disk;
    this.machines = [new Machine(cluster, { token: "t" })];
    this.latest = cluster.clock.now();
  }

  get alone(): boolean {
    return this.machines.length === 1;
  }

  machine(index: number): Machine {
    return this.machines[index % this.machines.length]!;
  }
}

type Prediction = "joins" | "refused" | "found";

/** What join.md says of the next join of a machine, from what it and the cluster hold. */
async function predict({ cluster }: World, machine: Machine): Promise<Prediction> {
  const now = cluster.clock.now();
  const token = await cluster.resources.require("token", "t");
  const { recovery } = token.spec.bound_keypair!;
  const status = token.status?.bound_keypair;
  const disk = await machine.storage.load();
  const locks = (await cluster.lockNames()).filter((name) => !name.startsWith("superseded-"));
  const lockedInstance = locks.includes(`generation-${status?.bound_bot_instance_id}`);
  if (locks.some((name) => !name.startsWith("generation-")) || lockedInstance) return "refused";
  if (!status?.bound_bot_instance_id) return "joins";

  const state = disk?.joined && claimsOf(disk.joined.join_state);
  const certificate = disk?.joined && certificateOf(cluster, disk.joined.tls_certificate);
  const valid =
    certificate && certificate.from <= now && now < certificate.to ? certificate : undefined;
  const early = state !== undefined && state.iat * 1000 > now + MINUTE;
  const last = status.last_attempt;
  const same =
    last?.attempt_id === disk?.pending?.attempt_id &&
    last?.from.sequence === (state?.sequence ?? 0) &&
    last.from.instance_id === (state?.instance ?? "") &&
    !early;
  const exactly =
    same &&
    (valid
      ? last.from.instance_id === valid.instance && last.from.generation === valid.generation
      : last.from.instance_id !== last.to.instance_id);
  if (exactly) return "joins";

  const keyId = disk?.bound_keys[0];
  const key = keyId && sshFingerprint(await machine.keys.public(keyId));
  if (key !== sshFingerprint(status.bound_public_key) && !same)
    return state && !early ? "found" : "refused";
  if (!state || early) return "refused";
  if (
    state.sequence !== status.recovery_sequence ||
    state.instance !== status.bound_bot_instance_id
  )
    return "found";
  const instance = await cluster.resources.require("bot_instance", `robo:${state.instance}`);
  if (valid) return valid.generation === instance.status?.generation ? "joins" : "found";
  const used = recovery.mode === "standard" && status.recovery_count >= recovery.limit;
  return used ? "refused" : "joins";
}

function claimsOf(jwt: string): { sequence: number; instance: string; iat: number } {
  const claims = JSON.parse(Buffer.from(jwt.split(".")[1]!, "base64url").toString()) as {
    recovery_sequence: number;
    bot_instance_id: string;
    iat: number;
  };
  const { recovery_sequence: sequence, bot_instance_id: instance, iat } = claims;
  return { sequence, instance, iat };
}

function certificateOf(cluster: JoinCluster, base64: string) {
  const der = Buffer.from(base64, "base64");
  const x509 = parsed.get(base64) ?? parseX509(der);
  parsed.set(base64, x509);
  const { identity } = verifyClientCertificate(der, cluster.authorities.trust(), x509.notBefore);
  assert.ok("generation" in identity);
  const { generation = 0, botInstanceId: instance = "" } = identity;
  return { from: x509.notBefore, to: x509.notAfter, generation, instance };
}

/** Reading a certificate costs more than the walk around it. */
const parsed = new Map<string, X509>();

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
