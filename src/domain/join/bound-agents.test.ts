import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { suite, test } from "node:test";
import { sshFingerprint } from "#base/crypto";
import type { HostIdentity } from "#domain/access";
import { systemActor } from "#domain/audit";
import { backUp } from "#testing/join-backup";
import { JoinCluster, refusal, textOf } from "#testing/join";
import { Machine, type Lost } from "#testing/join-machine";
import { openResync, resetToken } from "./index.ts";

const DAY = 24 * 3_600_000;
const STRANGER = /^the join was refused: the token, its secret or the key is not valid here/;

interface World extends AsyncDisposable {
  readonly cluster: JoinCluster;
  readonly agent: Machine;
}

const hostFacts = (hostId: string = randomUUID()) => ({
  hostname: "web-1",
  os: "linux",
  architecture: "x64",
  version: "1.0.0",
  hostId,
});

async function addToken(
  cluster: JoinCluster,
  name: string,
  recovery: { limit?: number; mode?: "insecure" } = {},
): Promise<void> {
  await cluster.put({
    kind: "token",
    version: "v2",
    metadata: { name },
    spec: {
      roles: ["App", "Node"],
      join_method: "bound_keypair",
      bound_keypair: {
        onboarding: { registration_secret: "s3cret" },
        recovery: { limit: 5, ...recovery },
      },
    },
  });
}

const agentOf = (cluster: JoinCluster, token: string, host = hostFacts()): Machine =>
  new Machine(cluster, { token, role: "App", host });

async function open(recovery: { limit?: number; mode?: "insecure" } = {}): Promise<World> {
  const cluster = await JoinCluster.open();
  await addToken(cluster, "a", recovery);
  const agent = agentOf(cluster, "a");
  await agent.join();
  return { cluster, agent, [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose]() };
}

async function claims({ cluster, agent }: World): Promise<HostIdentity> {
  const verified = cluster.verified(await agent.identity());
  assert.equal(verified?.kind, "host");
  return verified.identity;
}

/** Locks that were made because of a copy. */
const madeLocks = async (cluster: JoinCluster): Promise<string[]> =>
  (await cluster.lockNames()).filter((name) => !name.startsWith("superseded-"));

suite("an agent by bound_keypair", () => {
  test("gets a host certificate that names its instance, generation, token and key", async () => {
    await using world = await open();
    const { cluster, agent } = world;
    const { expires, ...rest } = await claims(world);
    const status = await cluster.bound("a");
    assert.deepEqual(rest, {
      hostId: agent.settings.host.hostId,
      roles: ["App"],
      joinToken: "a",
      instanceId: status.bound_bot_instance_id,
      generation: 1,
      boundKeyFingerprint: sshFingerprint(status.bound_public_key),
    });
    assert.equal(Math.round((expires - cluster.clock.now()) / DAY), 7);
    assert.equal(status.bound_host_id, rest.hostId);
    assert.equal(status.registration_secret, undefined);
  });

  test("refreshes: the same instance, one generation on", async () => {
    await using world = await open();
    const { cluster, agent } = world;
    const before = await claims(world);
    assert.equal((await agent.join()).refreshed, true);
    const after = await claims(world);
    assert.deepEqual([after.instanceId, after.generation], [before.instanceId, 2]);
    const status = await cluster.bound("a");
    assert.deepEqual([status.generation, status.recovery_count], [2, 1]);
  });

  test("recovers with the same host id, as another instance", async () => {
    await using world = await open();
    const { cluster, agent } = world;
    const before = await claims(world);
    await agent.loseCertificate();
    await agent.join();
    const after = await claims(world);
    assert.equal(after.hostId, before.hostId);
    assert.notEqual(after.instanceId, before.instanceId);
    assert.deepEqual(await cluster.lockNames(), [`superseded-${before.instanceId}`]);
    const status = await cluster.bound("a");
    assert.deepEqual([status.recovery_count, status.recovery_sequence], [2, 2]);
    assert.equal((await agent.join()).refreshed, true);
  });

  test("is counted, and refused beyond the limit", async () => {
    await using world = await open({ limit: 1 });
    const { agent } = world;
    await agent.loseCertificate();
    assert.match((await refusal(agent.join())).message, /has used 1 of 1 recoveries/);
  });

  test("rotates its key when it is asked to", async () => {
    await using world = await open();
    const { cluster, agent } = world;
    const before = await claims(world);
    const rotate_after = new Date(cluster.clock.now()).toISOString();
    await cluster.editBound("a", (spec) => ({ ...spec, rotate_after }));
    await agent.join();
    const after = await claims(world);
    assert.notEqual(after.boundKeyFingerprint, before.boundKeyFingerprint);
    assert.equal(after.instanceId, before.instanceId);
    await agent.join();
  });

  test("a copy that refreshes is found by its generation: its instance is locked", async () => {
    await using world = await open();
    const { cluster, agent } = world;
    const { instanceId } = await claims(world);
    const copy = await agent.copy();
    await copy.join();
    await refusal(agent.join());
    assert.deepEqual(await cluster.lockNames(), [`generation-${instanceId}`]);
    assert.match((await refusal(copy.join())).message, /is locked/);
  });

  test("a copy that recovers is found by its join state: the token is locked", async () => {
    await using world = await open();
    const { cluster, agent } = world;
    const copy = await agent.copy();
    copy.anonymous = true;
    await copy.join();
    await agent.loseCertificate();
    await refusal(agent.join());
    assert.match((await madeLocks(cluster)).join(), /^join-state-a-/);
    const [failed] = (await cluster.events("agent.join.failed")).slice(-1);
    assert.match(textOf(failed, "lock"), /^join-state-a-/);
  });

  test("comes back after a reset", async () => {
    await using world = await open();
    const { cluster, agent } = world;
    const copy = await agent.copy();
    await copy.join();
    await refusal(agent.join());
    await resetToken(cluster, "a", { actor: systemActor, remoteAddr: "local" });
    await cluster.settled();
    await agent.join();
    await agent.join();
    assert.deepEqual(await madeLocks(cluster), []);
  });

  for (const change of ["refresh", "recovery"] as const)
    test(`comes back after a restore from before a ${change}`, async () => {
      await using world = await open();
      const { cluster, agent } = world;
      const restore = await backUp(cluster);
      agent.anonymous = change === "recovery";
      await agent.join();
      agent.anonymous = false;
      const { instanceId } = await claims(world);
      await restore();
      await openResync(cluster);
      assert.equal((await agent.join()).refreshed, true);
      assert.equal((await claims(world)).instanceId, instanceId);
      await agent.join();
      assert.deepEqual(await madeLocks(cluster), []);
    });

  const locks: Readonly<Record<string, (claims: HostIdentity) => object>> = {
    server_id: ({ hostId }) => ({ server_id: hostId }),
    join_token: () => ({ join_token: "a" }),
    public_key: ({ boundKeyFingerprint }) => ({ public_key: boundKeyFingerprint }),
    bot_instance_id: ({ instanceId }) => ({ bot_instance_id: instanceId }),
  };
  for (const [target, lockOf] of Object.entries(locks))
    for (const how of ["refreshes", "recovers"] as const)
      test(`is refused by a lock on its ${target} when it ${how}`, async () => {
        await using world = await open();
        const { cluster, agent } = world;
        await cluster.lock(lockOf(await claims(world)));
        agent.anonymous = how === "recovers";
        assert.match((await refusal(agent.join())).message, /is locked: stolen$/);
      });

  test("joins only as what its token is for", async () => {
    await using world = await open();
    const { cluster } = world;
    await addToken(cluster, "b");
    const proxy = new Machine(cluster, { token: "b", role: "Proxy", host: hostFacts() });
    assert.match((await refusal(proxy.join())).message, STRANGER);
    const bot = new Machine(cluster, { token: "b" });
    assert.match((await refusal(bot.join())).message, STRANGER);
    assert.match(
      (await cluster.reasons()).join("\n"),
      /the token is for App, Node, not for "Proxy"/,
    );
    await cluster.addBoundToken("bot");
    assert.match((await refusal(agentOf(cluster, "bot").join())).message, STRANGER);
  });

  test("a node gets an SSH certificate, too", async () => {
    await using world = await open();
    const { cluster } = world;
    await addToken(cluster, "b");
    const node = new Machine(cluster, { token: "b", role: "Node", host: hostFacts() });
    const { identity } = await node.join();
    assert.match(identity.sshCertificate, /^ssh-ed25519-cert/);
  });

  test("cannot take over the host id of another agent", async () => {
    await using world = await open();
    const { cluster, agent } = world;
    await addToken(cluster, "b");
    const thief = agentOf(cluster, "b", hostFacts(agent.settings.host.hostId));
    assert.match((await refusal(thief.join())).message, /belongs to another agent/);
    assert.equal((await cluster.bound("b").catch(() => undefined))?.bound_public_key ?? "", "");
  });

  test("with another host id is a recovery, for its certificate is another host's", async () => {
    await using world = await open();
    const { cluster, agent } = world;
    const moved = new Machine(
      cluster,
      { ...agent.settings, host: hostFacts() },
      { storage: agent.storage, keys: agent.keys },
    );
    await moved.join();
    assert.equal((await cluster.bound("a")).recovery_count, 2);
    assert.equal((await cluster.bound("a")).bound_host_id, moved.settings.host.hostId);
  });

  test("of mode insecure comes and goes in any number, each with its host id", async () => {
    await using world = await open({ mode: "insecure" });
    const { cluster, agent } = world;
    const twin = new Machine(
      cluster,
      { ...agent.settings, host: hostFacts() },
      { keys: agent.keys },
    );
    await twin.join();
    agent.anonymous = true;
    await agent.join();
    await twin.join();
    assert.equal((await cluster.bound("a")).recovery_count, 4);
  });

  test("its joins are audited with all that they count", async () => {
    await using world = await open();
    const { cluster, agent } = world;
    const { instanceId, hostId, boundKeyFingerprint } = await claims(world);
    await agent.join();
    const [first, second] = await cluster.events("agent.join");
    assert.equal(first?.actor.name, hostId);
    const { attempt_id: _, ...fields } = second!.fields;
    assert.deepEqual(fields, {
      token: "a",
      join_method: "bound_keypair",
      host_id: hostId,
      roles: ["App"],
      instance_id: instanceId,
      recovery: false,
      repeated: false,
      generation: 2,
      key_fingerprint: boundKeyFingerprint,
    });
  });

  const lost: readonly Lost[] = ["init", "challenge", "solution", "result", "ack", "acknowledged"];
  for (const message of lost)
    for (const how of ["first join", "refresh", "recovery"] as const)
      test(`a lost ${message} of a ${how} is made good`, async () => {
        await using cluster = await JoinCluster.open();
        await addToken(cluster, "a");
        const agent = agentOf(cluster, "a");
        if (how !== "first join") await agent.join();
        if (how === "recovery") await agent.loseCertificate();
        agent.lose = message;
        await agent.join().catch(() => {});
        await agent.join();
        await agent.join();
        assert.deepEqual(await madeLocks(cluster), []);
        const expected = how === "recovery" ? 2 : 1;
        assert.equal((await cluster.bound("a")).recovery_count, expected);
      });

  test("a lost reply is not repeated for another host id", async () => {
    await using cluster = await JoinCluster.open();
    await addToken(cluster, "a");
    const agent = agentOf(cluster, "a");
    agent.lose = "result";
    await refusal(agent.join());
    const other = new Machine(
      cluster,
      { ...agent.settings, host: hostFacts() },
      { storage: agent.storage, keys: agent.keys },
    );
    assert.match((await refusal(other.join())).message, /presents no join state/);
    await agent.join();
  });
});
