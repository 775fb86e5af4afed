import assert from "node:assert/strict";
import { suite, test } from "node:test";
import {
  boundKeyFingerprint,
  boundKeyLine,
  boundKeySuites,
  generateKeyPair,
  MemoryKeyStore,
  StaticKeyStore,
} from "#base/crypto";
import { JoinCluster, refusal } from "#testing/join";
import { Machine, type Lost } from "#testing/join-machine";

const HOUR = 3_600_000;

async function open(): Promise<{ cluster: JoinCluster; machine: Machine } & AsyncDisposable> {
  const cluster = await JoinCluster.open();
  const onboarding = { registration_secret: "s3cret" };
  await cluster.addBoundToken("t", { onboarding, recovery: { limit: 3 } });
  const machine = new Machine(cluster, { token: "t" });
  await machine.join();
  return { cluster, machine, [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose]() };
}

async function demand(cluster: JoinCluster): Promise<void> {
  await cluster.clock.advance(1000);
  const rotate_after = new Date(cluster.clock.now()).toISOString();
  await cluster.editBound("t", (bound) => ({ ...bound, rotate_after }));
}

const fingerprint = async ({ keys }: Machine, index: number): Promise<string> =>
  boundKeyFingerprint((await keys.list()).at(index)!.publicKey);

suite("rotation of the bound key", () => {
  test("two challenges, the old key first; the generation moves on as in any refresh", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    const instance = await machine.instanceId();
    await demand(cluster);
    machine.log.length = 0;
    await machine.join();
    assert.deepEqual(machine.log, [
      "init",
      "challenge",
      "solution",
      "rotationRequest",
      "newKey",
      "challenge",
      "solution",
      "result",
      "ack",
      "acknowledged",
    ]);
    const status = await cluster.bound("t");
    assert.equal(boundKeyFingerprint(status.bound_public_key), await fingerprint(machine, 1));
    assert.equal(Date.parse(status.last_rotated_at!), cluster.clock.now());
    assert.equal(await machine.instanceId(), instance);
    machine.log.length = 0;
    await machine.join();
    assert.ok(!machine.log.includes("rotationRequest"));
    assert.equal(status.recovery_count, 1);
  });

  test("a time in the future does not rotate, and one before the last rotation neither", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    await demand(cluster);
    await machine.join();
    for (const offset of [-HOUR, HOUR]) {
      const rotate_after = new Date(cluster.clock.now() + offset).toISOString();
      await cluster.editBound("t", (bound) => ({ ...bound, rotate_after }));
      machine.log.length = 0;
      await machine.join();
      assert.ok(!machine.log.includes("rotationRequest"));
    }
  });

  const places: readonly Lost[] = [
    "init",
    "challenge",
    "rotationRequest",
    "newKey",
    "solution",
    "result",
  ];
  for (const recovering of [false, true]) {
    for (const lost of places) {
      test(`${lost} lost in a ${recovering ? "recovery" : "refresh"}: the rotation is completed once`, async () => {
        await using world = await open();
        const { cluster, machine } = world;
        await demand(cluster);
        if (recovering) await machine.loseCertificate();
        for (let i = 0; i < 2; i++) {
          machine.lose = lost;
          await refusal(machine.join());
        }
        await machine.join();
        await machine.join();
        const status = await cluster.bound("t");
        assert.equal(boundKeyFingerprint(status.bound_public_key), await fingerprint(machine, 1));
        assert.equal((await machine.keys.list()).length, 2);
        assert.equal(status.recovery_count, recovering ? 2 : 1);
        assert.deepEqual(await cluster.reasons(), []);
        assert.deepEqual((await machine.storage.load())!.bound_keys.length, 2);
      });
    }
  }

  test("the old key stays bound until the new one has solved its challenge", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    await demand(cluster);
    let solutions = 0;
    machine.tamper = (message) => {
      if (message.case !== "solution" || ++solutions < 2) return message;
      return { case: "solution", value: { ...message.value, jws: "wrong" } };
    };
    await refusal(machine.join());
    assert.match(machine.refused[0]!.message, /new key did not solve/);
    const { bound_public_key } = await cluster.bound("t");
    assert.equal(boundKeyFingerprint(bound_public_key), await fingerprint(machine, 0));
    assert.deepEqual(await cluster.lockNames(), []);
  });

  test("a copy with the old key is found, even with the old attempt's id, and both stop", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    await demand(cluster);
    machine.lose = "result";
    await refusal(machine.join());
    const copy = await machine.copy();
    await machine.join();
    assert.match((await refusal(copy.join())).message, /is no longer bound|is locked/);
    assert.match((await cluster.reasons())[0]!, /is no longer bound since 2026/);
    assert.match((await cluster.lockNames()).join(), /^join-state-t-/);
    assert.match((await refusal(machine.join())).message, /is locked/);
  });

  test("the old key alone, without a join state, is a stranger's", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    const copy = await machine.copy();
    await demand(cluster);
    await machine.join();
    await copy.edit(({ bound_keys }) => ({ version: 1, bound_keys }));
    assert.match((await refusal(copy.join())).message, /^the join was refused/);
    assert.match((await cluster.reasons())[0]!, /is no longer bound/);
    assert.deepEqual(await cluster.lockNames(), []);
  });

  test("a refresh that rotated, lost its reply and its certificate, goes on as a recovery", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    await demand(cluster);
    machine.lose = "result";
    await refusal(machine.join());
    await machine.loseCertificate();
    await demand(cluster);
    await machine.join();
    const status = await cluster.bound("t");
    assert.equal(status.recovery_count, 2);
    assert.equal(boundKeyFingerprint(status.bound_public_key), await fingerprint(machine, 1));
    machine.log.length = 0;
    await machine.join();
    assert.ok(machine.log.includes("rotationRequest"), "the second demand waits for the next join");
    assert.deepEqual(await cluster.reasons(), []);
  });

  test("a lock on the new key stops it from being bound", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    await demand(cluster);
    const next = await machine.keys.create("ed25519");
    machine.keys.create = async () => next;
    await cluster.lock({ public_key: boundKeyFingerprint(next.publicKey) });
    assert.match((await refusal(machine.join())).message, /is locked: stolen/);
    const { bound_public_key } = await cluster.bound("t");
    assert.equal(boundKeyFingerprint(bound_public_key), await fingerprint(machine, 0));
  });

  test("a rotation that was withdrawn is forgotten, with the key that was made for it", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    await demand(cluster);
    machine.lose = "newKey";
    await refusal(machine.join());
    await cluster.editBound("t", ({ onboarding, recovery }) => ({ onboarding, recovery }));
    await machine.join();
    const status = await cluster.bound("t");
    assert.equal(boundKeyFingerprint(status.bound_public_key), await fingerprint(machine, 0));
    assert.equal((await machine.keys.list()).length, 1);
  });

  test("a copy is found however often the other has rotated since", async () => {
    await using cluster = await JoinCluster.open();
    await cluster.addBoundToken("t");
    const { privateKey, publicKey } = generateKeyPair("ed25519");
    const honest = new Machine(cluster, { token: "t" }, { keys: new MemoryKeyStore([privateKey]) });
    await honest.join();
    const { storage } = await honest.copy();
    const thief = new Machine(
      cluster,
      { token: "t" },
      { storage, keys: new MemoryKeyStore([privateKey]) },
    );
    for (let i = 0; i < 12; i++) {
      thief.wished = true;
      await thief.join();
    }
    const { former_public_keys: known = [] } = await cluster.bound("t");
    assert.ok(known.length > 0 && !known.includes(boundKeyLine(publicKey)));
    await refusal(honest.join());
    assert.match((await cluster.reasons())[0]!, /is no longer bound since 2026/);
    assert.match((await cluster.lockNames()).join(), /^join-state-t-/);
    assert.match((await refusal(thief.join())).message, /is locked/);
  });

  test("the machine of a token's former life does not lock its next one", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    await demand(cluster);
    await machine.join();
    await cluster.remove("token", "t");
    const onboarding = { registration_secret: "s3cret" };
    await cluster.addBoundToken("t", { onboarding, recovery: { limit: 3 } });
    await cluster.clock.advance(1000);
    const next = new Machine(cluster, { token: "t" });
    await next.join();
    await demand(cluster);
    await next.join();
    assert.match((await refusal(machine.join())).message, /^the join was refused/);
    assert.deepEqual(await cluster.lockNames(), []);
  });

  test("eleven rotations leave ten keys", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    for (let i = 0; i < 11; i++) {
      await demand(cluster);
      await machine.join();
    }
    assert.equal((await machine.keys.list()).length, 10);
    assert.equal((await machine.storage.load())!.bound_keys.length, 10);
  });
});

suite("a rotation that the machine itself asks for", () => {
  test("goes as the administrator's, once for each wish", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    machine.wished = true;
    machine.log.length = 0;
    await machine.join();
    assert.ok(machine.log.includes("rotationRequest"));
    const status = await cluster.bound("t");
    assert.equal(boundKeyFingerprint(status.bound_public_key), await fingerprint(machine, 1));
    assert.equal(Date.parse(status.last_rotated_at!), cluster.clock.now());
    machine.log.length = 0;
    await machine.join();
    assert.ok(!machine.log.includes("rotationRequest"));
  });

  test("answers the administrator's wish as well", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    await demand(cluster);
    machine.wished = true;
    await machine.join();
    machine.log.length = 0;
    await machine.join();
    assert.ok(!machine.log.includes("rotationRequest"));
    assert.equal((await machine.keys.list()).length, 2);
  });

  const places: readonly Lost[] = ["init", "challenge", "rotationRequest", "newKey", "result"];
  for (const lost of places)
    test(`${lost} lost: the rotation is completed once`, async () => {
      await using world = await open();
      const { cluster, machine } = world;
      machine.wished = true;
      for (let i = 0; i < 2; i++) {
        machine.lose = lost;
        await refusal(machine.join());
      }
      await machine.join();
      await machine.join();
      const status = await cluster.bound("t");
      assert.equal(boundKeyFingerprint(status.bound_public_key), await fingerprint(machine, 1));
      assert.equal((await machine.keys.list()).length, 2);
      assert.deepEqual(await cluster.reasons(), []);
    });

  test("waits for the next join when this one repeats another", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    machine.lose = "result";
    await refusal(machine.join());
    machine.wished = true;
    await machine.join();
    const before = await cluster.bound("t");
    assert.equal(boundKeyFingerprint(before.bound_public_key), await fingerprint(machine, 0));
    await machine.join();
    const after = await cluster.bound("t");
    assert.notEqual(after.bound_public_key, before.bound_public_key);
    assert.equal((await machine.keys.list()).length, 2);
  });

  test("a static key stays, and the machine joins all the same", async () => {
    await using cluster = await JoinCluster.open();
    const { privateKey, publicKey } = generateKeyPair("ed25519");
    const onboarding = { initial_public_key: boundKeyLine(publicKey) };
    await cluster.addBoundToken("t", { onboarding });
    const keys = new StaticKeyStore(privateKey);
    const machine = new Machine(cluster, { token: "t" }, { keys });
    machine.wished = true;
    await machine.join();
    await machine.join();
    assert.equal((await cluster.bound("t")).bound_public_key, boundKeyLine(publicKey));
    await demand(cluster);
    assert.match((await refusal(machine.join())).message, /a static key cannot be rotated/);
  });
});

suite("the suite of a bound key", () => {
  for (const suite of boundKeySuites)
    test(`${suite}: joins, and its successor is of the same suite`, async () => {
      await using cluster = await JoinCluster.open();
      await cluster.addBoundToken("t");
      const machine = new Machine(cluster, { token: "t", keySuite: suite });
      await machine.join();
      const again = new Machine(cluster, { token: "t" }, machine);
      await demand(cluster);
      await again.join();
      const keys = await machine.keys.list();
      assert.deepEqual(
        keys.map((key) => key.suite),
        [suite, suite],
      );
      const status = await cluster.bound("t");
      assert.equal(boundKeyFingerprint(status.bound_public_key), await fingerprint(machine, 1));
    });

  test("can be changed by a rotation, when the machine is configured for another", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    const other = new Machine(cluster, { token: "t", keySuite: "ml-dsa-65" }, machine);
    other.wished = true;
    await other.join();
    assert.match((await cluster.bound("t")).bound_public_key, /^ssh-mldsa-65 /);
    await other.join();
    await other.loseCertificate();
    await other.join();
    assert.deepEqual(await cluster.reasons(), []);
  });
});
