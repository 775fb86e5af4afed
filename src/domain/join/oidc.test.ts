// Bots whose platform vouches for them: joining, refreshing, lost replies.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { generateKeyPair, sshPublicKeyLine } from "#base/crypto";
import { refusal } from "#testing/join";
import type { Lost } from "#testing/join-machine";
import { OidcWorld } from "#testing/oidc-world";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const STRANGER = /^the join was refused: the token, its secret or the key is not valid here/;

const instances = (world: OidcWorld): Promise<number> =>
  world.cluster.store.count({ kind: "bot_instance" });

suite("joining by ID token", () => {
  test("with one that lies there, in two messages", async () => {
    await using world = await OidcWorld.open();
    const machine = await world.held();
    const { refreshed } = await machine.join();
    assert.equal(refreshed, false);
    assert.deepEqual(machine.log, ["init", "result", "ack", "acknowledged"]);
    assert.equal(await world.cluster.store.count({ kind: "join_attempt" }), 0);
  });

  test("with one that answers a challenge", async () => {
    await using world = await OidcWorld.open();
    const machine = world.onDemand();
    await machine.join();
    const order = ["init", "challenge", "solution", "result", "ack", "acknowledged"];
    assert.deepEqual(machine.log, order);
  });

  test("the instance remembers what the ID token said, and goes a day after its certificate", async () => {
    await using world = await OidcWorld.open();
    const machine = await world.held();
    const { identity } = await machine.join();
    const name = `robo:${await machine.instanceId()}`;
    const { metadata, status } = await world.cluster.resources.require("bot_instance", name);
    assert.equal(Date.parse(metadata.expires!), identity.expires + DAY);
    const { join_method, attributes } = status!.initial_authentication!;
    assert.equal(join_method, "github");
    assert.equal(attributes["repository"], "octo/app");
    assert.equal(attributes["run_id"], "30");
    assert.equal(attributes["iss"], "https://token.actions.githubusercontent.com");
    const [event] = await world.cluster.events("bot.join");
    assert.ok(JSON.stringify(event?.fields["claims"]).includes('"actor=octocat"'));
    await world.cluster.clock.advance(DAY + HOUR);
    assert.equal(await instances(world), 0);
  });

  test("a certificate keeps the instance and counts its generation, with a new proof each time", async () => {
    await using world = await OidcWorld.open();
    const machine = world.onDemand();
    await machine.join();
    for (let i = 0; i < 3; i++) {
      await world.cluster.clock.advance(HOUR / 2);
      assert.equal((await machine.join()).refreshed, true);
    }
    assert.equal(await instances(world), 1);
    const name = `robo:${await machine.instanceId()}`;
    const { status } = await world.cluster.resources.require("bot_instance", name);
    assert.equal(status?.generation, 4);
    assert.equal((await world.cluster.events("bot.join")).length, 4);
  });

  test("without a certificate each join makes an instance, linked to the one before", async () => {
    await using world = await OidcWorld.open();
    const machine = world.onDemand();
    await machine.join();
    const first = await machine.instanceId();
    await machine.loseCertificate();
    await machine.join();
    const name = `robo:${await machine.instanceId()}`;
    const { spec } = await world.cluster.resources.require("bot_instance", name);
    assert.notEqual(spec.instance_id, first);
    assert.equal(spec.previous_instance_id, first);
    assert.deepEqual(await world.cluster.lockNames(), []);
  });

  test("an instance of another method or bot is not kept", async () => {
    await using world = await OidcWorld.open();
    const machine = world.onDemand();
    await machine.join();
    await world.cluster.remove("token", "t");
    await world.addToken("t", {
      join_method: "oidc",
      github: undefined,
      oidc: { issuer: world.tokens.issuer, allow: [{ repository: "octo/app" }] },
    });
    await machine.join();
    assert.equal(await instances(world), 2);
    await world.cluster.put({ kind: "bot", version: "v1", metadata: { name: "other" }, spec: {} });
    await world.cluster.remove("token", "t");
    await world.addToken("t", { bot_name: "other" });
    await machine.join();
    assert.equal(await instances(world), 3);
  });

  test("an instance that was removed is followed by another", async () => {
    await using world = await OidcWorld.open();
    const machine = world.onDemand();
    await machine.join();
    await world.cluster.remove("bot_instance", `robo:${await machine.instanceId()}`);
    await machine.join();
    assert.equal(await instances(world), 1);
  });
});

suite("joining by ID token: lost replies", () => {
  for (const kind of ["held", "on demand"] as const) {
    const start = async (world: OidcWorld) =>
      kind === "held" ? await world.held() : world.onDemand();

    for (const lost of ["init", "result"] satisfies Lost[]) {
      test(`${kind}: first join, ${lost} lost: the same attempt gets the same instance`, async () => {
        await using world = await OidcWorld.open();
        const machine = await start(world);
        for (let i = 0; i < 2; i++) {
          machine.lose = lost;
          await refusal(machine.join());
        }
        await machine.join();
        assert.equal(await instances(world), 1);
        assert.deepEqual(await world.cluster.reasons(), []);
      });

      test(`${kind}: refresh, ${lost} lost: the same attempt gets the same generation`, async () => {
        await using world = await OidcWorld.open();
        const machine = await start(world);
        await machine.join();
        for (let i = 0; i < 2; i++) {
          machine.lose = lost;
          await refusal(machine.join());
        }
        await machine.join();
        const name = `robo:${await machine.instanceId()}`;
        const { status } = await world.cluster.resources.require("bot_instance", name);
        assert.equal(status?.generation, 2);
        assert.deepEqual(await world.cluster.lockNames(), []);
      });
    }
  }

  test("a first join is not repeated once its certificate was used", async () => {
    await using world = await OidcWorld.open();
    const machine = await world.held();
    machine.lose = "result";
    await refusal(machine.join());
    const copy = await machine.copy();
    machine.lose = "ack";
    const verified = world.cluster.verified((await machine.join()).identity);
    assert.ok(verified?.kind === "user");
    await world.cluster.server.certificateUsed(verified.identity);
    assert.equal(await world.cluster.store.count({ kind: "join_attempt" }), 0);
    assert.match((await refusal(copy.join())).message, STRANGER);
    assert.match((await world.cluster.reasons())[0]!, /ID token was used before, by "/);
  });

  const others = {
    attemptId: "99999999-9999-4999-8999-999999999999",
    sshPublicKey: sshPublicKeyLine(generateKeyPair("ed25519").publicKey),
  };
  for (const [field, value] of Object.entries(others)) {
    test(`an attempt with another ${field} is another attempt, whatever its other key`, async () => {
      await using world = await OidcWorld.open();
      await world.addToken("t", { github: { allow: [{ sub: "**" }], require_challenge: false } });
      const machine = world.machine({
        idToken: { kind: "held", read: () => world.idToken() },
      });
      machine.lose = "result";
      await refusal(machine.join());
      machine.tamper = (message) =>
        message.case === "init"
          ? { ...message, value: { ...message.value, [field]: value } }
          : message;
      await machine.join();
      assert.equal(await instances(world), 2);
    });
  }

  test("an attempt that is made again after its answer arrived is a new one", async () => {
    await using world = await OidcWorld.open();
    const machine = world.onDemand();
    const before = await machine.prepared();
    await machine.join();
    await machine.storage.save(before!);
    await machine.join();
    assert.equal(await instances(world), 2);
  });
});
