// The join state of machines while the authorities of the cluster are rotated, and after.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { authorityTypes, type AuthorityType, type RotationPhase } from "#domain/resources";
import { caPins } from "#domain/authority";
import { newAuthorities, rotate } from "#testing/authorities";
import { JoinCluster, refusal } from "#testing/join";
import { Machine } from "#testing/join-machine";
import { resetToken } from "./reset.ts";

const HOUR = 3_600_000;
const GRACE_MS = 30 * HOUR;

interface World extends AsyncDisposable {
  readonly cluster: JoinCluster;
  readonly machine: Machine;
  readonly to: (phase: RotationPhase, types?: readonly AuthorityType[]) => Promise<void>;
}

/** A machine that has joined. */
async function start(): Promise<World> {
  const cluster = await JoinCluster.open();
  await cluster.addBoundToken("t", { recovery: { limit: 100 } });
  const machine = new Machine(cluster, { token: "t" });
  await machine.join();
  return {
    cluster,
    machine,
    to: async (phase, types = ["join"]) => {
      const request = { types, phase, mode: "manual" as const, graceMs: GRACE_MS };
      await rotate(cluster.authorities, request, cluster.clock);
    },
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  };
}

/** Names of locks that joining makes, but not those on instances that a recovery has replaced. */
const locksOf = async ({ cluster }: World): Promise<string[]> =>
  (await cluster.lockNames()).filter((name) => !name.startsWith("superseded-"));

/** The bound keypair alone: no certificate is shown. */
async function recovers({ machine }: World): Promise<void> {
  machine.anonymous = true;
  await machine.join();
  machine.anonymous = false;
}

const FORWARD = ["init", "update_clients", "update_servers", "standby"] as const;
const ROLLBACKS: readonly (readonly RotationPhase[])[] = [
  ["init", "rollback", "standby"],
  ["init", "update_clients", "rollback", "standby"],
  ["init", "update_clients", "update_servers", "rollback", "standby"],
];

describe("a machine", () => {
  for (const types of [["join"], authorityTypes] as const)
    for (const way of [FORWARD, ...ROLLBACKS])
      it(`refreshes and recovers in every phase of ${types.length > 1 ? "all" : "join"}: ${way.join(" → ")}`, async () => {
        await using world = await start();
        for (const phase of way) {
          await world.to(phase, types);
          await world.machine.join();
          await recovers(world);
        }
        assert.deepEqual(await locksOf(world), []);
      });

  for (const way of [FORWARD, ...ROLLBACKS.slice(1)])
    for (const away of way.keys())
      it(`comes back by its key that was away from before "${way[away]}" to the end of ${way.join(" → ")}`, async () => {
        await using world = await start();
        for (const [index, phase] of way.entries()) {
          if (index === away) await world.machine.join();
          await world.to(phase);
          await world.cluster.clock.advance(HOUR);
        }
        await world.cluster.clock.advance(GRACE_MS - 6 * HOUR);
        await world.machine.join();
        assert.deepEqual(await locksOf(world), []);
      });

  it("that was away for longer is refused without a lock, told why, and let back by a reset", async () => {
    await using world = await start();
    const { cluster, machine } = world;
    for (const phase of FORWARD) await world.to(phase);
    await cluster.clock.advance(GRACE_MS + 1);
    const error = await refusal(machine.join());
    assert.equal(error.code, "access_denied");
    assert.match(error.message, /count no more since 2026-01-02T06:00:00.000Z.*reset the token/);
    assert.deepEqual(await locksOf(world), []);
    assert.match((await cluster.reasons()).at(-1)!, /count no more since/);
    await resetToken(cluster, "t", { actor: { kind: "admin", name: "" }, remoteAddr: "local" });
    await machine.join();
    await machine.join();
  });

  it("whose copy went on meanwhile is found, however long it was away", async () => {
    await using world = await start();
    const { cluster, machine } = world;
    const copy = await machine.copy();
    await cluster.clock.advance(2 * HOUR);
    await machine.join();
    for (const phase of FORWARD) await world.to(phase);
    await machine.join();
    await cluster.clock.advance(GRACE_MS + 1);
    const error = await refusal(copy.join());
    assert.match(error.message, /is not the current one of token "t": sequence 1 /);
    assert.match((await locksOf(world)).join(), /^join-state-t-[0-9a-f]+$/);
  });

  it("that forges a join state with a key of another cluster is locked as ever", async () => {
    await using world = await start();
    await using other = await start();
    const forged = (await other.machine.storage.load())!.joined!.join_state;
    const state = (await world.machine.storage.load())!;
    await world.machine.storage.save({
      ...state,
      joined: { ...state.joined!, join_state: forged },
    });
    for (const phase of FORWARD) await world.to(phase);
    await refusal(world.machine.join());
    assert.match((await locksOf(world)).join(), /^join-state-t-[0-9a-f]+$/);
  });
});

it("a machine with a token that works once is told when its certificate means nothing any more", async () => {
  await using world = await start();
  await world.cluster.addToken("once");
  const machine = new Machine(world.cluster, { token: "once", method: "token" });
  await machine.join();
  for (const phase of FORWARD) await world.to(phase, ["user"]);
  const error = await refusal(machine.join());
  assert.equal(error.code, "access_denied");
  assert.match(error.message, /rotated while it was away\?.*give it a new token/);
});

it("what a machine trusts grows, turns and shrinks with each join of a rotation", async () => {
  await using world = await start();
  const counts: number[] = [];
  for (const phase of FORWARD) {
    await world.to(phase, ["host", "user"]);
    const { identity } = await world.machine.join();
    assert.deepEqual(identity.trust, world.cluster.authorities.trust());
    counts.push(identity.trust.hostX509.length);
  }
  assert.deepEqual(counts, [2, 2, 2, 1]);
  const { left_pins } = (await world.machine.storage.load())!;
  assert.equal(left_pins?.length, 1);
});

describe("the authorities that a machine is told of", () => {
  it("are on its disk when that is done, and other starts know them", async () => {
    await using world = await start();
    const { cluster, machine } = world;
    await world.to("init", ["host", "user"]);
    const told = await machine.client.keepTrust(cluster.authorities.trust());
    assert.deepEqual(told?.trust, cluster.authorities.trust());
    const again = new Machine(cluster, machine.settings, machine);
    assert.deepEqual((await again.client.current())?.trust, cluster.authorities.trust());
    await machine.join();
  });

  it("wait for a join under way, whose result may be older", async () => {
    await using world = await start();
    const { cluster, machine } = world;
    const joining = machine.join();
    await world.to("init", ["host"]);
    await Promise.all([joining, machine.client.keepTrust(cluster.authorities.trust())]);
    assert.deepEqual((await machine.client.current())?.trust, cluster.authorities.trust());
    await machine.join();
  });

  it("are remembered as left, once the cluster has left them", async () => {
    await using world = await start();
    const { cluster, machine } = world;
    const [old] = caPins(cluster.authorities.trust());
    for (const phase of FORWARD) {
      await world.to(phase, ["host"]);
      await machine.client.keepTrust(cluster.authorities.trust());
    }
    assert.deepEqual((await machine.storage.load())?.left_pins, [old]);
    await machine.join();
    assert.deepEqual((await machine.storage.load())?.left_pins, [old]);
  });

  it("are not kept when they are another cluster's, and nothing is before the first join", async () => {
    await using world = await start();
    const other = await newAuthorities("other.example");
    await assert.rejects(world.machine.client.keepTrust(other.authorities.trust()), {
      code: "bad_parameter",
    });
    const stranger = new Machine(world.cluster, { token: "t" });
    assert.equal(await stranger.client.keepTrust(other.authorities.trust()), undefined);
    assert.equal(await stranger.storage.load(), undefined);
  });
});
