// ID tokens that are shown twice, copies of machines, locks, and what members are told.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { privateKeyFromPem, spkiDer } from "#base/crypto";
import type { Store } from "#base/storage";
import { refusal } from "#testing/join";
import { OidcWorld } from "#testing/oidc-world";

const STRANGER = /^the join was refused: the token, its secret or the key is not valid here/;

/** A store whose methods can be spread. */
const bound = (store: Store): Store => ({
  get: (...key) => store.get(...key),
  list: (range) => store.list(range),
  count: (range) => store.count(range),
  tally: (query) => store.tally(query),
  commit: (writes) => store.commit(writes),
  watch: (options) => store.watch(options),
  position: () => store.position(),
  [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
});

const instances = (world: OidcWorld): Promise<number> =>
  world.cluster.store.count({ kind: "bot_instance" });

suite("joining by ID token: each is good for one machine", () => {
  test("another machine cannot show it, whatever it says of itself", async () => {
    await using world = await OidcWorld.open();
    const machine = await world.held();
    await machine.join();
    const thief = world.machine(machine.settings);
    assert.match((await refusal(thief.join())).message, STRANGER);
    assert.match((await world.cluster.reasons())[0]!, /ID token was used before, by "/);
    assert.equal(await instances(world), 1);
  });

  test("a machine that shows it again with its certificate is refreshed", async () => {
    await using world = await OidcWorld.open();
    const machine = await world.held();
    await machine.join();
    assert.equal((await machine.join()).refreshed, true);
    assert.equal(await instances(world), 1);
  });

  test("of two machines at once one gets in", async () => {
    await using world = await OidcWorld.open();
    const machine = await world.held();
    const both = [machine, world.machine(machine.settings)].map((each) => each.join());
    const settled = await Promise.allSettled(both);
    assert.deepEqual(settled.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    assert.equal(await instances(world), 1);
  });

  test("of two machines that are judged at the same moment one gets in", async () => {
    const bothHaveLooked = Promise.withResolvers<void>();
    let looks = 0;
    await using world = await OidcWorld.open((store) => ({
      ...bound(store),
      get: async (kind, name) => {
        const item = await store.get(kind, name);
        if (kind !== "used_id_token") return item;
        if (++looks === 2) bothHaveLooked.resolve();
        await bothHaveLooked.promise;
        return item;
      },
    }));
    const machine = await world.held();
    const both = [machine, world.machine(machine.settings)].map((each) => each.join());
    const settled = await Promise.allSettled(both);
    assert.deepEqual(settled.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    assert.equal(await instances(world), 1);
  });

  test("a machine cannot show one of another, whatever certificate it has itself", async () => {
    await using world = await OidcWorld.open();
    const first = await world.held();
    await first.join();
    const second = await world.held();
    await second.join();
    const thief = world.machine(first.settings);
    await thief.storage.save((await second.storage.load())!);
    assert.match((await refusal(thief.join())).message, STRANGER);
    assert.match(thief.refused[0]!.message, /the ID token was used before, by "/);
  });

  test("one that was refused is not used up", async () => {
    await using world = await OidcWorld.open();
    const machine = await world.held();
    await world.cluster.lock({ user: "bot-robo" });
    await refusal(machine.join());
    await world.cluster.remove("lock", "by-admin");
    await world.cluster.settled();
    await machine.join();
  });

  test("an answer to a challenge is none to another, nor for other keys", async () => {
    await using world = await OidcWorld.open();
    let seen = "";
    const spy = world.machine({
      idToken: {
        kind: "on_demand",
        request: async (aud) => (seen = await world.idToken({ aud })),
      },
    });
    spy.lose = "solution";
    await refusal(spy.join());
    const thief = world.machine({ idToken: { kind: "on_demand", request: async () => seen } });
    assert.match((await refusal(thief.join())).message, STRANGER);
    const holder = world.machine({ idToken: { kind: "held", read: async () => seen } });
    assert.match((await refusal(holder.join())).message, STRANGER);
    const reasons = await world.cluster.reasons();
    assert.equal(reasons.length, 2);
    for (const reason of reasons)
      assert.match(reason, /claim "aud" is "test\.example\/[0-9a-f]{64}"/);
  });

  test("an answer is none to the next challenge of the same machine", async () => {
    await using world = await OidcWorld.open();
    let first: Promise<string> | undefined;
    const request = (aud: string): Promise<string> => (first ??= world.idToken({ aud }));
    const machine = world.machine({ idToken: { kind: "on_demand", request } });
    machine.lose = "solution";
    await refusal(machine.join());
    assert.match((await refusal(machine.join())).message, STRANGER);
    assert.match((await world.cluster.reasons())[0]!, /claim "aud"/);
  });

  test("a server in between cannot have its own keys certified by an answer", async () => {
    await using world = await OidcWorld.open();
    const honest = world.onDemand();
    const other = await world.onDemand().prepared();
    const keys = other!.pending!;
    honest.tamper = (message) =>
      message.case === "init"
        ? {
            ...message,
            value: {
              ...message.value,
              tlsPublicKey: spkiDer(privateKeyFromPem(keys.tls_private_key)),
            },
          }
        : message;
    assert.match((await refusal(honest.join())).message, STRANGER);
    assert.match((await world.cluster.reasons())[0]!, /claim "aud"/);
  });
});

suite("joining by ID token: copies and locks", () => {
  test("a copy is found at its next refresh, and both stop until an administrator acts", async () => {
    await using world = await OidcWorld.open();
    const machine = world.onDemand();
    await machine.join();
    const copy = await machine.copy();
    await machine.join();
    assert.match((await refusal(copy.join())).message, /is locked/);
    assert.match((await world.cluster.reasons())[0]!, /seems to be copied: generation 1/);
    assert.match((await world.cluster.lockNames()).join(), /^generation-/);
    await world.cluster.settled();
    assert.match((await refusal(machine.join())).message, /is locked/);
    assert.equal(await instances(world), 1);
  });

  test("a lock on its instance is not left behind by joining anew", async () => {
    await using world = await OidcWorld.open();
    const machine = world.onDemand();
    await machine.join();
    await world.cluster.lock({ bot_instance_id: await machine.instanceId() });
    assert.match((await refusal(machine.join())).message, /is locked: stolen/);
    await machine.loseCertificate();
    assert.match((await refusal(machine.join())).message, /is locked: stolen/);
    assert.equal(await instances(world), 1);
  });

  const targets = [{ user: "bot-robo" }, { role: "bot-robo" }, { join_token: "t" }];
  for (const target of targets) {
    test(`a lock on ${JSON.stringify(target)} stops a join and a refresh`, async () => {
      await using world = await OidcWorld.open();
      const machine = world.onDemand();
      await machine.join();
      await world.cluster.lock(target);
      assert.match((await refusal(machine.join())).message, /is locked: stolen/);
      assert.match((await refusal(world.onDemand().join())).message, /is locked: stolen/);
    });
  }

  test("a certificate before this one that is none, or of others, is no matter", async () => {
    await using world = await OidcWorld.open();
    await world.addToken("u");
    const other = world.onDemand({}, { token: "u" });
    const { identity } = await other.join();
    await world.cluster.lock({ bot_instance_id: await other.instanceId() });
    for (const previousCertificate of [Buffer.from("junk"), identity.tlsCertificate]) {
      const machine = world.onDemand();
      machine.tamper = (message) =>
        message.case === "init" && message.value.method.case === "oidc"
          ? {
              ...message,
              value: {
                ...message.value,
                method: {
                  case: "oidc",
                  value: { ...message.value.method.value, previousCertificate },
                },
              },
            }
          : message;
      await machine.join();
    }
  });
});

suite("joining by ID token: members", () => {
  test("are told why their ID token is not taken", async () => {
    await using world = await OidcWorld.open();
    const machine = world.onDemand();
    await machine.join();
    await world.addToken("t", { github: { allow: [{ repository: "octo/other" }] } });
    machine.anonymous = false;
    await refusal(machine.join());
    assert.match(machine.refused[0]!.message, /repository is "octo\/app", not "octo\/other"/);
    assert.match(machine.refused[1]!.message, STRANGER);
  });

  test("keep their instance while the issuer is away", async () => {
    await using world = await OidcWorld.open();
    const machine = world.onDemand();
    await machine.join();
    world.cluster.published.clear();
    const error = await refusal(machine.join());
    assert.equal(error.code, "unavailable");
    assert.match(error.message, /no key to verify the ID token with: issuer .*: no answer/);
    assert.equal(machine.refused.length, 1);
    world.cluster.published.set(world.tokens.issuer, world.tokens.jwks);
    assert.equal((await machine.join()).refreshed, true);
    assert.equal(await instances(world), 1);
  });
});
