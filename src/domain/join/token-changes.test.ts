// A token that administrators edit, delete and make anew between two messages of a ceremony: what it is
// when the decision falls is what counts, and nobody honest is locked.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { boundKeyLine } from "#base/crypto";
import type { Store } from "#base/storage";
import { JoinCluster } from "#testing/join";
import { Machine } from "#testing/join-machine";
import { STRANGER } from "#testing/join-refusals";

interface World extends AsyncDisposable {
  readonly cluster: JoinCluster;
  readonly machine: Machine;
}

/** A machine that has joined token `t`, whose key is due for rotation where `rotates`. */
async function open(rotates = false): Promise<World> {
  const cluster = await JoinCluster.open();
  await cluster.addBoundToken("t", { recovery: { limit: 2 } });
  const machine = new Machine(cluster, { token: "t" });
  await machine.join();
  const rotate_after = new Date(cluster.clock.now()).toISOString();
  if (rotates) await cluster.editBound("t", (bound) => ({ ...bound, rotate_after }));
  return { cluster, machine, [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose]() };
}

interface Change {
  readonly name: string;
  readonly act: (world: World) => Promise<void>;
  /** What the machine is told; without it, it joins. */
  readonly told?: RegExp;
}

/** Does it in the next ceremony alone. */
function once(machine: Machine, before: "solution" | "newKey", act: () => Promise<void>): void {
  machine.meanwhile = {
    before,
    act: async () => {
      machine.meanwhile = undefined;
      await act();
    },
  };
}

const remake = async ({ cluster, machine }: World, withKey: boolean): Promise<void> => {
  await cluster.remove("token", "t");
  const [key] = await machine.keys.list();
  const initial_public_key = boundKeyLine(key!.publicKey);
  const onboarding = withKey ? { initial_public_key } : { registration_secret: "s3cret" };
  await cluster.addBoundToken("t", { onboarding, recovery: { limit: 2 } });
};

const changes: readonly Change[] = [
  {
    name: "edited",
    act: ({ cluster }) =>
      cluster.editBound("t", (bound) => ({ ...bound, recovery: { ...bound.recovery, limit: 9 } })),
  },
  {
    name: "deleted",
    act: ({ cluster }) => cluster.remove("token", "t"),
    told: STRANGER,
  },
  {
    name: "made for another bot",
    act: async ({ cluster }) => {
      await cluster.put({ kind: "bot", version: "v1", metadata: { name: "other" }, spec: {} });
      await cluster.editToken("t", (t) => ({ ...t, spec: { ...t.spec, bot_name: "other" } }));
    },
    told: /join state is not the current one.*it is of another bot/,
  },
  {
    name: "made anew with the machine's key",
    act: (world) => remake(world, true),
  },
  {
    name: "made anew with a secret",
    act: (world) => remake(world, false),
    told: STRANGER,
  },
  {
    name: "locked",
    act: ({ cluster }) => cluster.lock({ join_token: "t" }),
    told: /is locked: stolen/,
  },
  {
    name: "left without its bot",
    act: ({ cluster }) => cluster.remove("bot", "robo"),
    told: STRANGER,
  },
];

for (const before of ["solution", "newKey"] as const)
  suite(`a token that is changed before the ${before}`, () => {
    for (const { name, act, told } of changes)
      test(`is ${name}`, async () => {
        await using world = await open(before === "newKey");
        const { cluster, machine } = world;
        once(machine, before, () => act(world));
        await machine.join().catch(() => {});
        // A refusal may have been tried again as a recovery.
        const [refused] = machine.refused;
        if (told) assert.match(refused?.message ?? "", told);
        else assert.equal(refused, undefined);
        // Another bot's join state is no honest machine's: that one is locked, as it should be.
        const made = (await cluster.lockNames()).filter((lock) => lock !== "by-admin");
        assert.deepEqual(made.length > 0, name === "made for another bot", made.join());
        if (told) return;
        assert.equal((await machine.join()).refreshed, true);
      });
  });

suite("a machine whose token was deleted in the middle of its join", () => {
  test("comes back when the token is there again with its key", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    once(machine, "solution", () => cluster.remove("token", "t"));
    await assert.rejects(machine.join(), { code: "access_denied" });
    const [key] = await machine.keys.list();
    const onboarding = { initial_public_key: boundKeyLine(key!.publicKey) };
    await cluster.addBoundToken("t", { onboarding, recovery: { limit: 1 } });
    await machine.join();
    assert.equal((await machine.join()).refreshed, true);
    const { recovery_count, recovery_sequence } = await cluster.bound("t");
    assert.deepEqual([recovery_count, recovery_sequence], [1, 1]);
    assert.doesNotMatch((await cluster.lockNames()).join(), /join-state|generation/);
  });
});

/** A store in which somebody edits the token just before a join is committed, so many times. */
function busy(times: number): (store: Store) => Store {
  let left = times;
  return (store) => {
    const commit: Store["commit"] = async (writes) => {
      const joins = writes.some((write) => "value" in write && write.value["type"] === "bot.join");
      if (joins && left-- > 0) {
        const item = (await store.get("token", "t"))!;
        await store.commit([{ op: "put", kind: "token", name: "t", value: item.value }]);
      }
      return await store.commit(writes);
    };
    return new Proxy(store, {
      get: (target, key) => {
        const value: unknown = key === "commit" ? commit : Reflect.get(target, key);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  };
}

suite("a token that is written while a join is committed", () => {
  test("is decided about again, three times, and nothing of the tries is left", async () => {
    await using cluster = await JoinCluster.open(busy(2));
    await cluster.addBoundToken("t", { recovery: { limit: 1 } });
    await new Machine(cluster, { token: "t" }).join();
    assert.equal((await cluster.bound("t")).recovery_count, 1);
    assert.equal((await cluster.events("bot.join")).length, 1);
  });

  test("is given up for now when that never ends, and joined later", async () => {
    await using cluster = await JoinCluster.open(busy(3));
    await cluster.addBoundToken("t", { recovery: { limit: 1 } });
    const machine = new Machine(cluster, { token: "t" });
    await assert.rejects(machine.join(), { code: "unavailable", message: /at the same time/ });
    assert.equal((await cluster.events("bot.join")).length, 0);
    await machine.join();
    assert.equal((await cluster.bound("t")).recovery_count, 1);
  });
});
