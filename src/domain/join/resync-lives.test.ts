// Tokens that are deleted and made anew around a restore: each life of a token is another one.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { suite, test } from "node:test";
import { sshPublicKeyLine } from "#base/crypto";
import { backUp } from "#testing/join-backup";
import { JoinCluster, refusal, textOf } from "#testing/join";
import { Machine } from "#testing/join-machine";
import { openResync } from "./index.ts";

const STRANGER = /^the join was refused: the token, its secret or the key is not valid here/;

const kinds = ["bot", "agent"] as const;
type Kind = (typeof kinds)[number];

interface World extends AsyncDisposable {
  readonly kind: Kind;
  readonly cluster: JoinCluster;
  readonly machine: Machine;
}

/** A machine that has joined, refreshed, recovered and refreshed. */
async function open(kind: Kind): Promise<World> {
  const cluster = await JoinCluster.open();
  await addToken(cluster, kind);
  const machine = newMachine(cluster, kind);
  await machine.join();
  await machine.join();
  await recover(machine);
  await machine.join();
  const dispose = (): Promise<void> => cluster[Symbol.asyncDispose]();
  return { kind, cluster, machine, [Symbol.asyncDispose]: dispose };
}

const host = { hostname: "web-1", os: "linux", architecture: "x64", version: "1.0.0" };

const newMachine = (cluster: JoinCluster, kind: Kind): Machine =>
  new Machine(cluster, {
    token: "t",
    role: kind === "bot" ? "Bot" : "App",
    host: { ...host, hostId: randomUUID() },
  });

async function addToken(cluster: JoinCluster, kind: Kind, initial_public_key = ""): Promise<void> {
  const onboarding = initial_public_key
    ? { initial_public_key }
    : { registration_secret: "s3cret" };
  const bot = kind === "bot" ? { roles: ["Bot"], bot_name: "robo" } : { roles: ["App"] };
  const bound_keypair = { onboarding, recovery: { limit: 9 } };
  const spec = { ...bot, join_method: "bound_keypair", bound_keypair };
  await cluster.put({ kind: "token", version: "v2", metadata: { name: "t" }, spec });
}

/** Deletes the token, and makes one of its name for the same key. */
async function remake({ cluster, machine, kind }: World): Promise<void> {
  await cluster.remove("token", "t");
  const { bound_keys } = (await machine.storage.load())!;
  await addToken(cluster, kind, sshPublicKeyLine(await machine.keys.public(bound_keys[0]!)));
}

async function recover(machine: Machine): Promise<void> {
  machine.anonymous = true;
  await machine.join();
  machine.anonymous = false;
}

/** Of the status: sequence and recoveries. */
async function counts(cluster: JoinCluster): Promise<number[]> {
  const { recovery_sequence, recovery_count } = await cluster.bound("t");
  return [recovery_sequence, recovery_count];
}

/** Instance and generation of every join that counted. */
async function counted({ cluster, kind }: World): Promise<string[]> {
  const events = await cluster.events(kind === "bot" ? "bot.join" : "agent.join");
  return events
    .filter(({ fields }) => !fields["repeated"])
    .map(
      (event) => `${textOf(event, "instance_id")}/${JSON.stringify(event.fields["generation"])}`,
    );
}

const madeLocks = async (cluster: JoinCluster): Promise<string[]> =>
  (await cluster.lockNames()).filter((name) => !name.startsWith("superseded-"));

for (const kind of kinds) {
  suite(`the token of ${kind === "bot" ? "a bot" : "an agent"}, deleted and made anew`, () => {
    test("in the window: its machine joins as at the first time, and goes on", async () => {
      await using world = await open(kind);
      const { cluster, machine } = world;
      await openResync(cluster);
      await remake(world);
      await machine.join();
      assert.deepEqual(await counts(cluster), [1, 1]);
      await machine.join();
      await recover(machine);
      assert.deepEqual(await counts(cluster), [2, 2]);
      assert.deepEqual(await madeLocks(cluster), []);
    });

    test("in the window: a copy uses no generation a second time, and is found", async () => {
      await using world = await open(kind);
      const { cluster, machine } = world;
      const copy = await machine.copy();
      await machine.join();
      await openResync(cluster);
      await remake(world);
      await copy.join();
      const all = await counted(world);
      assert.equal(new Set(all).size, all.length, all.join());
      await refusal(machine.join());
      assert.match((await madeLocks(cluster)).join(), /^join-state-t-/);
    });

    test("in the window: a state of its former life moves nothing", async () => {
      await using world = await open(kind);
      const { cluster, machine } = world;
      const copy = await machine.copy();
      await openResync(cluster);
      await remake(world);
      await machine.join();
      await refusal(copy.join());
      assert.match((await madeLocks(cluster)).join(), /^join-state-t-/);
    });

    test("twice within a millisecond: a machine of the former life locks nobody out", async () => {
      await using world = await open(kind);
      const { cluster, machine } = world;
      await remake(world);
      await machine.join();
      await cluster.remove("token", "t");
      await addToken(cluster, kind);
      const next = newMachine(cluster, kind);
      await next.join();
      next.wished = true;
      await next.join();
      assert.match((await refusal(machine.join())).message, STRANGER);
      assert.deepEqual(await madeLocks(cluster), []);
      await next.join();
    });
  });
}

suite("a bot's token, made anew", () => {
  test("after the backup: its machine goes on in the life that the store lost", async () => {
    await using world = await open("bot");
    const { cluster, machine } = world;
    const restore = await backUp(cluster);
    const before = await machine.instanceId();
    await remake(world);
    await machine.join();
    await machine.join();
    const after = await machine.instanceId();
    await restore();
    await openResync(cluster);
    assert.equal((await machine.join()).refreshed, true);
    assert.equal(await machine.instanceId(), after);
    assert.deepEqual(await counts(cluster), [1, 1]);
    assert.ok((await cluster.lockNames()).includes(`superseded-${before}`));
    await recover(machine);
    assert.deepEqual(await madeLocks(cluster), []);
  });

  test("before the backup: a copy from its former life is behind, however far it came", async () => {
    await using world = await open("bot");
    const { cluster, machine } = world;
    const copy = await machine.copy();
    await remake(world);
    await machine.join();
    await openResync(cluster);
    await refusal(copy.join());
    assert.match((await madeLocks(cluster)).join(), /^join-state-t-/);
  });

  test("with an administrator's lock on the instance that the store lost: it still holds", async () => {
    await using world = await open("bot");
    const { cluster, machine } = world;
    const restore = await backUp(cluster);
    await remake(world);
    await machine.join();
    await restore();
    await cluster.lock({ bot_instance_id: await machine.instanceId() });
    await openResync(cluster);
    assert.match((await refusal(machine.join())).message, /is locked: stolen/);
  });
});
