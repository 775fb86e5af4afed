import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Store } from "#base/storage";
import { JoinCluster, refusal, textOf } from "#testing/join";
import { Machine, type Lost } from "#testing/join-machine";

const HOUR = 3_600_000;

async function open(): Promise<{ cluster: JoinCluster; machine: Machine } & AsyncDisposable> {
  const cluster = await JoinCluster.open();
  const onboarding = { registration_secret: "s3cret" };
  await cluster.addBoundToken("t", { onboarding, recovery: { limit: 2 } });
  const machine = new Machine(cluster, { token: "t" });
  return { cluster, machine, [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose]() };
}

/** How a machine comes to the join whose messages get lost. */
const kinds: readonly {
  kind: string;
  arrange: (machine: Machine) => Promise<unknown>;
  recoveries: number;
}[] = [
  { kind: "first join", arrange: async () => {}, recoveries: 1 },
  { kind: "refresh", arrange: (machine) => machine.join(), recoveries: 1 },
  {
    kind: "recovery",
    arrange: async (machine) => {
      await machine.join();
      await machine.loseCertificate();
    },
    recoveries: 2,
  },
];

const places: readonly Lost[] = ["init", "challenge", "solution", "result"];

suite("a lost reply", () => {
  for (const { kind, arrange, recoveries } of kinds) {
    for (const lost of places) {
      test(`${kind}, ${lost} lost three times: the attempt is repeated and counted once`, async () => {
        await using world = await open();
        const { cluster, machine } = world;
        await arrange(machine);
        for (let i = 0; i < 3; i++) {
          machine.lose = lost;
          assert.equal((await refusal(machine.join())).code, "unavailable");
        }
        await machine.join();
        const status = await cluster.bound("t");
        assert.equal(status.recovery_count, recoveries);
        assert.equal(status.recovery_sequence, recoveries);
        assert.equal(status.last_attempt, undefined);
        assert.deepEqual(await cluster.reasons(), []);
        await machine.join();
        const counted = (await cluster.events("bot.join")).filter((e) => !e.fields["repeated"]);
        assert.equal(counted.length, kind === "first join" ? 2 : 3);
      });
    }
    for (const lost of ["ack", "acknowledged"] as const) {
      test(`${kind}, ${lost} lost: the join counts, and the next one is a new one`, async () => {
        await using world = await open();
        const { cluster, machine } = world;
        await arrange(machine);
        machine.lose = lost;
        await machine.join();
        assert.equal((await cluster.bound("t")).last_attempt !== undefined, lost === "ack");
        await machine.join();
        assert.equal((await cluster.bound("t")).recovery_count, recoveries);
        assert.deepEqual(await cluster.reasons(), []);
      });
    }
  }

  test("the repeated attempt gets the same instance, generation and sequence, and new times", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    await machine.join();
    machine.lose = "result";
    await refusal(machine.join());
    await cluster.clock.advance(HOUR / 2);
    const { identity } = await machine.join();
    assert.equal(identity.expires, cluster.clock.now() + HOUR);
    const [, lost, repeated] = await cluster.events("bot.join");
    assert.equal(repeated?.fields["repeated"], true);
    for (const field of ["instance_id", "attempt_id", "key_fingerprint"])
      assert.equal(textOf(repeated, field), textOf(lost, field));
    assert.equal(repeated.fields["generation"], 2);
  });

  test("a refresh whose reply was lost until its certificate expired becomes a recovery", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    await machine.join();
    machine.lose = "result";
    await refusal(machine.join());
    await machine.loseCertificate();
    await machine.join();
    assert.equal((await cluster.bound("t")).recovery_count, 2);
    assert.deepEqual(await cluster.reasons(), []);
  });

  test("a lost refresh that became a lost recovery is repeated when its certificate is valid again", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    await machine.join();
    machine.lose = "result";
    await refusal(machine.join());
    machine.anonymous = true;
    machine.lose = "result";
    await refusal(machine.join());
    machine.anonymous = false;
    await machine.join();
    assert.equal((await cluster.bound("t")).recovery_count, 2);
    assert.deepEqual(await cluster.reasons(), []);
    await machine.join();
  });

  test("a repeat is refused once the new certificate was used", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    await machine.join();
    machine.lose = "result";
    await refusal(machine.join());
    const copy = await machine.copy();
    machine.lose = "ack";
    const { identity } = await machine.join();
    const verified = cluster.verified(identity);
    assert.ok(verified?.kind === "user");
    assert.ok((await cluster.bound("t")).last_attempt);
    await cluster.server.certificateUsed(verified.identity);
    assert.equal((await cluster.bound("t")).last_attempt, undefined);
    assert.equal((await refusal(copy.join())).code, "access_denied");
    assert.match((await cluster.lockNames()).join(), /^generation-/);
  });

  test("the use of another certificate leaves the record", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    await machine.join();
    const before = cluster.verified(await machine.identity());
    machine.lose = "result";
    await refusal(machine.join());
    assert.ok(before?.kind === "user");
    await cluster.server.certificateUsed(before.identity);
    assert.ok((await cluster.bound("t")).last_attempt);
  });

  const changes: readonly { what: string; change: (machine: Machine) => Promise<void> | void }[] = [
    {
      what: "another attempt_id",
      change: (machine) =>
        machine.edit((state) => ({
          ...state,
          pending: { ...state.pending!, attempt_id: "00000000-0000-4000-8000-000000000000" },
        })),
    },
    {
      what: "another TLS key",
      change: async (machine) => {
        const { pending } = (await new Machine(machine.cluster, machine.settings).prepared())!;
        await machine.edit((state) => ({
          ...state,
          pending: { ...state.pending!, tls_private_key: pending!.tls_private_key },
        }));
      },
    },
    {
      what: "another SSH key",
      change: async (machine) => {
        const { pending } = (await new Machine(machine.cluster, machine.settings).prepared())!;
        await machine.edit((state) => ({
          ...state,
          pending: { ...state.pending!, ssh_private_key: pending!.ssh_private_key },
        }));
      },
    },
  ];
  for (const { what, change } of changes) {
    test(`old state with ${what} is a copy, and locks the instance`, async () => {
      await using world = await open();
      const { cluster, machine } = world;
      await machine.join();
      machine.lose = "result";
      await refusal(machine.join());
      await change(machine);
      assert.equal((await refusal(machine.join())).code, "access_denied");
      assert.match((await cluster.lockNames()).join(), /^generation-/);
    });

    test(`an old join state with ${what} is a copy, and locks the token`, async () => {
      await using world = await open();
      const { cluster, machine } = world;
      await machine.join();
      await machine.loseCertificate();
      machine.lose = "result";
      await refusal(machine.join());
      await change(machine);
      assert.equal((await refusal(machine.join())).code, "access_denied");
      assert.match((await cluster.lockNames()).join(), /^join-state-t-/);
    });
  }

  test("the same attempt with an older join state is a copy, and locks the token", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    await machine.join();
    const { joined: older } = (await machine.storage.load())!;
    await machine.loseCertificate();
    await machine.join();
    machine.lose = "result";
    await refusal(machine.join());
    await machine.edit((state) => ({
      ...state,
      joined: { ...state.joined!, join_state: older!.join_state },
    }));
    assert.equal((await refusal(machine.join())).code, "access_denied");
    assert.match((await cluster.lockNames()).join(), /^join-state-t-/);
  });

  test("the same attempt with the certificate of another generation is a copy", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    await machine.join();
    const { joined: older } = (await machine.storage.load())!;
    await machine.join();
    machine.lose = "result";
    await refusal(machine.join());
    await machine.edit((state) => ({ ...state, joined: older! }));
    assert.equal((await refusal(machine.join())).code, "access_denied");
    assert.match((await cluster.lockNames()).join(), /^generation-/);
  });

  test("the same attempt with a key that was rotated away before it is a copy", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    await machine.join();
    const rotate_after = new Date(cluster.clock.now()).toISOString();
    await cluster.editBound("t", (bound) => ({ ...bound, rotate_after }));
    await machine.join();
    machine.lose = "result";
    await refusal(machine.join());
    await machine.edit((state) => ({ ...state, bound_keys: state.bound_keys.toReversed() }));
    assert.match((await refusal(machine.join())).message, /is locked|no longer bound/);
    assert.match((await cluster.lockNames()).join(), /^join-state-t-/);
  });

  test("what changed while it was judged is judged again, and makes no lock", async () => {
    // The first stream commits between the second one's looks at the token and at the instance.
    const gate = {
      hold: false,
      reached: Promise.withResolvers<void>(),
      open: Promise.withResolvers<void>(),
    };
    const wrap = (store: Store): Store =>
      new Proxy(store, {
        get: (target, key) => {
          const value: unknown = Reflect.get(target, key);
          if (typeof value !== "function") return value;
          if (key !== "get") return value.bind(target);
          return async (kind: string, name: string) => {
            if (kind === "bot_instance" && gate.hold) {
              gate.hold = false;
              gate.reached.resolve();
              await gate.open.promise;
            }
            return await target.get(kind, name);
          };
        },
      });
    await using cluster = await JoinCluster.open(wrap);
    await cluster.addBoundToken("t");
    const machine = new Machine(cluster, { token: "t" });
    await machine.join();
    await machine.prepared();
    const twin = await machine.copy();
    gate.hold = true;
    const slow = twin.join();
    await gate.reached.promise;
    machine.lose = "ack";
    await machine.join();
    gate.open.resolve();
    await slow;
    assert.deepEqual(await cluster.lockNames(), []);
    assert.deepEqual(await cluster.reasons(), []);
  });

  test("a lock stops a repeat, and its removal lets it through", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    machine.lose = "result";
    await refusal(machine.join());
    await cluster.lock({ join_token: "t" });
    assert.equal((await refusal(machine.join())).code, "access_denied");
    await cluster.remove("lock", "by-admin");
    await machine.join();
    assert.equal((await cluster.bound("t")).recovery_count, 1);
  });

  test("two streams with the same attempt at the same time count once, and get the same", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    await machine.join();
    machine.lose = "init";
    await refusal(machine.join());
    const twin = await machine.copy();
    await Promise.all([machine.join(), twin.join()]);
    const instance = await cluster.resources.require(
      "bot_instance",
      `robo:${await machine.instanceId()}`,
    );
    assert.equal(instance.status?.generation, 2);
    assert.deepEqual(await cluster.lockNames(), []);
  });
});
