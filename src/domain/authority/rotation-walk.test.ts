// A walk at random through rotations of several authorities by two auth servers, one of which may be
// behind, against a model that knows docs/protocols/rotation.md alone.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { codeOf } from "#base/kernel";
import { rotationPhases, type AuthorityType, type RotationPhase } from "#domain/resources";
import { alice, bothKeys } from "#testing/authorities";
import {
  GRACE_MS,
  predict,
  predictDue,
  RotationWorld,
  type Predicted,
} from "#testing/rotation-model";
import type { Authorities } from "./authorities.ts";
import { verifyClientCertificate } from "./verify.ts";

const HOUR = 3_600_000;
const TYPES = ["user", "host", "join", "app"] as const;

type Event = fc.AsyncCommand<object, RotationWorld>;

const event = (name: string, run: (world: RotationWorld) => Promise<void>): Event => ({
  check: () => true,
  toString: () => name,
  run: async (_model, world) => {
    await run(world);
    await checkAlways(world);
  },
});

/** What holds after every event. */
async function checkAlways(world: RotationWorld): Promise<void> {
  const kept: string[] = [];
  for (const [type, predicted] of world.predicted) {
    const { spec, status } = await world.authority(type);
    assert.equal(status?.phase, predicted.phase, type);
    const at = status?.rotation?.next_phase_at;
    assert.equal(at && Date.parse(at), predicted.due, `${type} goes on at another time`);
    assert.equal(spec.additional_trusted.length, predicted.phase === "standby" ? 0 : 1);
    kept.push(spec.active.key_id, ...spec.additional_trusted.map(({ key_id }) => key_id));
  }
  const others = (await world.privateKeys()).filter((name) =>
    TYPES.some((type) => name.startsWith(`${type}-`)),
  );
  assert.deepEqual(others, kept.sort(), "a private key is missing, or was left behind");
  for (const server of world.servers) checkServer(server, world.clock.now());
}

/** Each server always signs, and accepts what it signs, however far behind it is. */
function checkServer(server: Authorities, now: number): void {
  const user = server.issueUser(alice, bothKeys);
  const host = server.issueHost(
    { hostId: "0b0e0000-0000-4000-8000-000000000000", roles: ["App"] },
    bothKeys,
  );
  for (const { tlsCertificate, trust } of [user, host])
    verifyClientCertificate(tlsCertificate, trust, now);
  server.verifyJoinState(server.signJoinState(joinState));
}

const joinState = {
  aud: "robot",
  sub: "robot-token",
  first_instance_id: "i",
  bot_instance_id: "i",
  recovery_sequence: 1,
  recovery_count: 1,
  recovery_limit: 2,
  recovery_mode: "standard",
} as const;

interface Wish {
  readonly types: readonly AuthorityType[];
  readonly phase: RotationPhase;
  readonly manual: boolean;
}

/** What a command makes of all that it names: of all, or of none. */
function wished(
  world: RotationWorld,
  wish: Wish,
  from = world.predicted,
): Map<AuthorityType, Predicted> | undefined {
  const made = new Map(from);
  for (const type of wish.types) {
    const next = predict(from.get(type)!, wish, world.clock.now());
    if (!next) return undefined;
    made.set(type, next);
  }
  return made;
}

const command = async (server: Authorities, world: RotationWorld, wish: Wish): Promise<string> => {
  const { types, phase, manual } = wish;
  const mode = manual ? ("manual" as const) : undefined;
  try {
    return String(await server.rotate({ types, phase, mode, graceMs: GRACE_MS }, world.by));
  } catch (error) {
    return codeOf(error);
  }
};

const take = (world: RotationWorld, next: ReadonlyMap<AuthorityType, Predicted>): number => {
  const moved = [...next].filter(([type, each]) => world.predicted.get(type) !== each);
  for (const [type, each] of next) world.predicted.set(type, each);
  return moved.length;
};

const rotation = (wish: Wish, index: number): Event =>
  event(
    `server ${index} takes ${wish.types.join()} to ${wish.phase}${wish.manual ? " by hand" : ""}`,
    async (world) => {
      const next = wished(world, wish);
      const changes =
        next !== undefined && [...next].some(([type, each]) => world.predicted.get(type) !== each);
      const { fault, moves } = world;
      const outcome = await command(world.servers[index]!, world, wish);
      if (!changes || !fault) {
        assert.equal(outcome, next ? String(changes) : "bad_parameter");
      } else assert.equal(outcome, "unavailable");
      if (!changes || fault === "before") return assert.equal(world.moves, moves);
      assert.equal(
        world.moves - moves,
        take(world, next),
        "told of more or fewer moves than there were",
      );
    },
  );

/** Two administrators at two servers: as if one had been first. */
const together = (one: Wish, other: Wish): Event =>
  event(
    `${one.types.join()} to ${one.phase} and ${other.types.join()} to ${other.phase} at once`,
    async (world) => {
      world.fault = undefined;
      const orders = [
        [one, other],
        [other, one],
      ].map(([first, second]) => {
        const between = wished(world, first!) ?? world.predicted;
        return wished(world, second!, between) ?? between;
      });
      await Promise.all(
        [one, other].map((wish, index) => command(world.servers[index]!, world, wish)),
      );
      const found = new Map<AuthorityType, string>();
      for (const type of TYPES) found.set(type, (await world.authority(type)).status!.phase);
      const as = (order: ReadonlyMap<AuthorityType, Predicted>): boolean =>
        TYPES.every((type) => order.get(type)!.phase === found.get(type));
      const order = orders.find(as);
      assert.ok(order, `neither order gives ${JSON.stringify([...found])}`);
      // Which of two equal wishes was first shows in how it goes on.
      for (const type of TYPES) {
        const { status } = await world.authority(type);
        const at = status?.rotation?.next_phase_at;
        const manual = status?.rotation?.mode === "manual";
        world.predicted.set(type, {
          phase: status!.phase,
          ...(at ? { due: Date.parse(at) } : {}),
          ...(manual ? { manual } : {}),
        });
      }
    },
  );

/** Both servers look at the clock; whoever is first goes on, and nobody goes twice. */
const lookAtClock = event("both servers look at the clock", async (world) => {
  world.fault = undefined;
  const next = new Map(
    [...world.predicted].map(([type, each]) => [type, predictDue(each, world.clock.now())]),
  );
  const { moves } = world;
  await Promise.all(world.servers.map((server) => server.rotateDue(world.by)));
  assert.equal(world.moves - moves, take(world, next));
});

/** What was signed by one server is accepted by the other, unless that one is far behind. */
const compare = event("the servers meet", async (world) => {
  for (const server of world.servers) await server.reload();
  const [one, other] = world.servers as [Authorities, Authorities];
  assert.deepEqual(one.trust(), other.trust());
  other.verifyJoinState(one.signJoinState(joinState));
  const { tlsCertificate } = one.issueUser(alice, bothKeys);
  verifyClientCertificate(tlsCertificate, other.trust(), world.clock.now());
});

const types = fc.constantFrom<readonly AuthorityType[]>(
  ["user"],
  ["host"],
  ["join"],
  ["app"],
  TYPES,
);
const wish = fc.record({ types, phase: fc.constantFrom(...rotationPhases), manual: fc.boolean() });
const sensible = fc.record({
  types,
  phase: fc.constantFrom<RotationPhase>("init", "update_clients", "update_servers", "standby"),
  manual: fc.constant(false),
});

const events: fc.Arbitrary<Event>[] = [
  fc.tuple(sensible, fc.nat({ max: 1 })).map(([each, index]) => rotation(each, index)),
  fc.tuple(wish, fc.nat({ max: 1 })).map(([each, index]) => rotation(each, index)),
  fc.tuple(wish, wish).map(([one, other]) => together(one, other)),
  fc.constant(lookAtClock),
  fc.constant(compare),
  fc
    .constantFrom(HOUR, 10 * HOUR, 100 * HOUR)
    .map((ms) => event(`${ms / HOUR} hours pass`, ({ clock }) => clock.advance(ms))),
  fc.constantFrom("before" as const, "after" as const).map((fault) =>
    event(`the disk fails ${fault} the next commit`, async (world) => {
      world.fault = fault;
    }),
  ),
  fc.nat({ max: 1 }).map((index) =>
    event(`server ${index} is killed and starts again`, async (world) => {
      world.servers[index] = await world.openServer();
    }),
  ),
];

/** A longer run: `TENON_WALKS=5000 node --test src/domain/authority/rotation-walk.test.ts`. */
const WALKS = Number(process.env["TENON_WALKS"] ?? 30);
const seed = Number(process.env["TENON_SEED"] ?? Date.now() & 0x7fffffff);

test("walks at random through rotations go where the phases lead, and nowhere else", async (context) => {
  context.diagnostic(`TENON_SEED=${seed} TENON_WALKS=${WALKS}`);
  const walk = async (commands: Iterable<Event>): Promise<void> => {
    const world = await RotationWorld.open(TYPES);
    await fc.asyncModelRun(() => ({ model: {}, real: world }), commands);
  };
  await fc.assert(fc.asyncProperty(fc.commands(events, { size: "+1", maxCommands: 40 }), walk), {
    numRuns: WALKS,
    seed,
  });
});
