import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { JoinResponseSchema, type JoinResponse } from "@tenon/api/tenon/join/v1/join";
import { generateKeyPair, MemoryKeyStore, sshFingerprint, sshPublicKeyLine } from "#base/crypto";
import { badParameter, codeOf, messageOf, unavailable } from "#base/kernel";
import { JoinCluster, refusal } from "#testing/join";
import { Machine } from "#testing/join-machine";
import { until } from "#testing/wait";
import {
  decodeJoinState,
  encodeJoinState,
  MemoryJoinStorage,
  type JoinState,
} from "./client-state.ts";
import type { ConnectToJoin } from "./client.ts";
import { CEREMONY_MS } from "./protocol.ts";

/** A disk that fails its nth write. */
class FailingStorage extends MemoryJoinStorage {
  failAt = 0;
  writes = 0;

  override async save(state: JoinState): Promise<void> {
    if (++this.writes === this.failAt) throw unavailable("no space left on device");
    await super.save(state);
  }
}

async function open(storage = new FailingStorage()) {
  const cluster = await JoinCluster.open();
  await cluster.addBoundToken("t");
  const machine = new Machine(cluster, { token: "t" }, { storage });
  return { cluster, storage, machine, [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose]() };
}

/** A server that says what it is told to. */
function scripted(
  ...script: readonly MessageInitShape<typeof JoinResponseSchema>[]
): ConnectToJoin {
  const responses: (JoinResponse | undefined)[] = script.map((message) =>
    create(JoinResponseSchema, message),
  );
  return async () => ({
    send: () => {},
    receive: async () => responses.shift(),
    [Symbol.asyncDispose]: async () => {},
  });
}

suite("the client", () => {
  test("sends nothing when its storage cannot be written", async () => {
    await using world = await open();
    world.storage.failAt = 1;
    assert.match((await refusal(world.machine.join())).message, /no space left/);
    assert.deepEqual(world.machine.log, []);
    await world.machine.join();
  });

  test("acknowledges nothing that is not stored, and repeats the attempt", async () => {
    await using world = await open();
    const { cluster, storage, machine } = world;
    storage.failAt = 2;
    await refusal(machine.join());
    assert.deepEqual(machine.log, ["init", "challenge", "solution", "result", "givingUp"]);
    assert.ok((await cluster.bound("t")).last_attempt);
    assert.equal(await machine.client.current(), undefined);
    await machine.join();
    assert.equal((await cluster.bound("t")).recovery_count, 1);
  });

  test("joins one at a time, however often it is asked", async () => {
    await using world = await open();
    const { machine, cluster } = world;
    await Promise.all([machine.join(), machine.join(), machine.join()]);
    const instance = `robo:${await machine.instanceId()}`;
    const { status } = await cluster.resources.require("bot_instance", instance);
    assert.equal(status?.generation, 3);
    assert.deepEqual(await cluster.reasons(), []);
  });

  test("a failure does not stand in the way of the next join", async () => {
    await using world = await open();
    const { machine } = world;
    machine.lose = "init";
    const [first, second] = await Promise.allSettled([machine.join(), machine.join()]);
    assert.deepEqual([first.status, second.status], ["rejected", "fulfilled"]);
  });

  test("keeps its identity until it expires, and shows it to no other token", async () => {
    await using world = await open();
    const { cluster, machine, storage } = world;
    await machine.join();
    assert.ok(await machine.client.current());
    await cluster.addBoundToken("other");
    const moved = new Machine(cluster, { token: "other" }, { storage, keys: machine.keys });
    assert.equal(await moved.client.current(), undefined);
    assert.equal((await moved.join()).refreshed, false);
    await moved.loseCertificate();
    assert.equal(await moved.client.current(), undefined);
  });

  test("uses the newest key that its store already has", async () => {
    await using cluster = await JoinCluster.open();
    const keys = new MemoryKeyStore();
    await keys.create("ed25519");
    const { publicKey } = await keys.create("ecdsa-p256");
    const initial_public_key = sshPublicKeyLine(publicKey, "made before");
    await cluster.addBoundToken("t", { onboarding: { initial_public_key } });
    await new Machine(cluster, { token: "t", registrationSecret: "" }, { keys }).join();
    const { bound_public_key } = await cluster.bound("t");
    assert.equal(sshFingerprint(bound_public_key), sshFingerprint(publicKey));
  });

  test("sends its secret only before its first join", async () => {
    await using world = await open();
    const { machine } = world;
    const secrets: string[] = [];
    machine.tamper = (message) => {
      if (message.case === "init" && message.value.method.case === "boundKeypair")
        secrets.push(message.value.method.value.registrationSecret);
      return message;
    };
    await machine.join();
    await machine.join();
    assert.deepEqual(secrets, ["s3cret", ""]);
  });

  test("recovers when its refresh is refused, if the limit allows", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    await cluster.editBound("t", (b) => ({ ...b, recovery: { ...b.recovery, limit: 2 } }));
    await machine.join();
    await cluster.remove("bot_instance", `robo:${await machine.instanceId()}`);
    assert.equal((await machine.join()).refreshed, false);
    assert.equal((await cluster.bound("t")).recovery_count, 2);
  });

  test("does not recover when the server is merely away", async () => {
    await using world = await open();
    const { machine } = world;
    await machine.join();
    machine.log.length = 0;
    machine.lose = "challenge";
    assert.equal((await refusal(machine.join())).code, "unavailable");
    assert.deepEqual(machine.log, ["init"]);
  });

  test("gives up when its key cannot be rotated, and says why", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    await machine.join();
    await cluster.editBound("t", (b) => ({ ...b, rotate_after: "2025-01-01T00:00:00Z" }));
    machine.keys.create = () => Promise.reject(badParameter("a static key cannot be replaced"));
    assert.match((await refusal(machine.join())).message, /static key cannot be replaced/);
    assert.equal(machine.log.at(-1), "givingUp");
  });

  test("is told that the server does not answer in time", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    const silent: ConnectToJoin = async () => ({
      send: () => {},
      receive: () => new Promise(() => {}),
      [Symbol.asyncDispose]: async () => {},
    });
    const { signal } = new AbortController();
    const timers = cluster.clock.pending;
    const join = refusal(machine.client.join(silent, signal));
    await until("the deadline is armed", () => cluster.clock.pending > timers);
    await new Promise((resolve) => setImmediate(resolve));
    await cluster.clock.advance(CEREMONY_MS);
    assert.equal((await join).code, "timed_out");
  });

  test("can be called off", async () => {
    await using world = await open();
    const stop = new AbortController();
    const connect: ConnectToJoin = async () => ({
      send: () => stop.abort(),
      receive: () => new Promise(() => {}),
      [Symbol.asyncDispose]: async () => {},
    });
    assert.equal((await refusal(world.machine.client.join(connect, stop.signal))).code, "canceled");
    await world.machine.join();
  });

  const strangeServers: readonly { name: string; connect: ConnectToJoin; message: RegExp }[] = [
    { name: "ends at once", connect: scripted(), message: /ended the join without an answer/ },
    { name: "sends an empty message", connect: scripted({}), message: /empty message/ },
    {
      name: "acknowledges what was not sent",
      connect: scripted({ message: { case: "acknowledged", value: {} } }),
      message: /sent "acknowledged" while/,
    },
    {
      name: "asks for a rotation before a solution",
      connect: scripted({ message: { case: "rotationRequest", value: { algorithmSuite: "x" } } }),
      message: /sent "rotationRequest" while/,
    },
    {
      name: "asks to sign something else",
      connect: scripted({ message: { case: "challenge", value: { document: "pay me" } } }),
      message: /challenge that is none; not signed/,
    },
    {
      name: "sends a result without credentials",
      connect: scripted({ message: { case: "result", value: {} } }),
      message: /holds no credentials/,
    },
  ];
  for (const { name, connect, message } of strangeServers) {
    test(`gives up on a server that ${name}, and can join elsewhere`, async () => {
      await using world = await open();
      const error = await refusal(world.machine.client.join(connect, new AbortController().signal));
      assert.match(error.message, message);
      await world.machine.join();
    });
  }

  test("does not keep a certificate for another key", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    const { tlsCertificate, trust } = (await new Machine(cluster, { token: "t" }).join()).identity;
    const credentials = {
      tlsCertificate,
      trust: { clusterName: trust.clusterName, hostX509: [...trust.hostX509] },
    };
    const connect = scripted({ message: { case: "result", value: { credentials } } });
    const error = await refusal(machine.client.join(connect, new AbortController().signal));
    assert.match(error.message, /certified another key/);
    assert.equal(await machine.client.current(), undefined);
  });
});

suite("the stored join state", () => {
  test("survives its text", async () => {
    await using world = await open();
    await world.machine.join();
    world.machine.lose = "result";
    await refusal(world.machine.join());
    const state = (await world.storage.load())!;
    assert.ok(state.joined && state.pending);
    assert.deepEqual(decodeJoinState(encodeJoinState(state)), state);
  });

  const key = generateKeyPair("ed25519").publicKey;
  const text = encodeJoinState({ version: 1, bound_keys: [sshPublicKeyLine(key)] });
  const damaged = [
    "",
    text.slice(0, -10),
    text.replace("1", "2"),
    text.replace("bound_keys", "keys"),
    "null",
    `${text}x`,
  ];
  for (const [i, broken] of damaged.entries()) {
    test(`is refused when it is damaged (${i + 1})`, () => {
      assert.throws(
        () => decodeJoinState(broken),
        (error) => codeOf(error) === "bad_parameter" && messageOf(error).includes("is damaged"),
      );
    });
  }
});
