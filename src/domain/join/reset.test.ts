import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { systemActor } from "#domain/audit";
import { JoinCluster, refusal, textOf } from "#testing/join";
import { Machine, type Lost } from "#testing/join-machine";
import { resetToken } from "./index.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const by = { actor: systemActor, remoteAddr: "local" };

interface World extends AsyncDisposable {
  readonly cluster: JoinCluster;
  readonly machine: Machine;
  readonly reset: () => ReturnType<typeof resetToken>;
}

async function open(recovery: { limit?: number; mode?: "insecure" } = {}): Promise<World> {
  const cluster = await JoinCluster.open();
  const onboarding = { registration_secret: "s3cret" };
  await cluster.addBoundToken("t", { onboarding, recovery: { limit: 5, ...recovery } });
  const machine = new Machine(cluster, { token: "t" });
  await machine.join();
  return {
    cluster,
    machine,
    reset: async () => {
      const done = await resetToken(cluster, "t", by);
      await cluster.settled();
      return done;
    },
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  };
}

/** A copy has taken the machine's place: the machine is found out, and its token is locked. */
async function overtaken({ cluster, machine }: World): Promise<Machine> {
  const copy = await machine.copy();
  copy.anonymous = true;
  await copy.join();
  await machine.loseCertificate();
  await refusal(machine.join());
  assert.match((await cluster.lockNames()).join(), /^join-state-t-[^,]*,superseded-[^,]*$/);
  return copy;
}

suite("a reset", () => {
  test("lets a machine back in whose join state is behind, as another instance", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    const copy = await overtaken(world);
    const before = (await cluster.bound("t")).bound_bot_instance_id;
    const { locks, until } = await world.reset();
    assert.match(locks.join(), /^join-state-t-/);
    assert.equal(until, cluster.clock.now() + 7 * DAY);
    const { refreshed } = await machine.join();
    assert.equal(refreshed, false);
    const status = await cluster.bound("t");
    assert.deepEqual([status.recovery_count, status.recovery_sequence], [3, 3]);
    assert.equal(status.reset, undefined);
    const instance = await cluster.resources.require(
      "bot_instance",
      `robo:${await machine.instanceId()}`,
    );
    assert.equal(instance.spec.previous_instance_id, before);
    assert.ok((await cluster.lockNames()).includes(`superseded-${before}`));
    // From here on, it is the copy that is behind.
    await machine.join();
    await refusal(copy.join());
  });

  test("lets a machine back in that has lost its join state", async () => {
    await using world = await open();
    const { machine } = world;
    await machine.loseCertificate();
    await machine.edit((state) => ({
      ...state,
      joined: { ...state.joined!, join_state: "" },
    }));
    assert.match((await refusal(machine.join())).message, /presents no join state/);
    await world.reset();
    await machine.join();
    await machine.join();
  });

  test("lets a machine back in whose instance is locked by its generation", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    const copy = await machine.copy();
    await copy.join();
    await refusal(machine.join());
    const { locks } = await world.reset();
    assert.match(locks.join(), /^generation-[^,]*$/);
    await machine.join();
    assert.equal((await cluster.bound("t")).recovery_count, 2);
    assert.match((await cluster.lockNames()).join(), /^superseded-[^,]*$/);
    await refusal(copy.join());
  });

  test("goes over a limit that is used up, and counts", async () => {
    await using world = await open({ limit: 1 });
    const { cluster, machine } = world;
    await machine.loseCertificate();
    assert.match((await refusal(machine.join())).message, /has used 1 of 1 recoveries/);
    await world.reset();
    await machine.join();
    assert.equal((await cluster.bound("t")).recovery_count, 2);
    await machine.loseCertificate();
    assert.match((await refusal(machine.join())).message, /has used 2 of 1 recoveries/);
  });

  test("is used up by one attempt, also by one that did not need it", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    await world.reset();
    assert.equal((await machine.join()).refreshed, true);
    assert.equal((await cluster.bound("t")).reset, undefined);
    assert.equal((await cluster.bound("t")).recovery_count, 1);
    await machine.join();
    const used = (await cluster.events("bot.join")).map(({ fields }) => fields["allowed_by"]);
    assert.deepEqual(used, [undefined, "reset", undefined]);
    const behind = await overtaken(world).then(() => machine);
    await world.reset();
    await behind.join();
    const copy = await behind.copy();
    copy.anonymous = true;
    await copy.join();
    await behind.loseCertificate();
    assert.match((await refusal(behind.join())).message, /not the current one/);
  });

  test("says that it let a machine in whose lock it removed, and nothing else was wrong", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    await (await machine.copy()).join();
    await refusal(machine.join());
    await machine.loseCertificate();
    assert.match((await refusal(machine.join())).message, /is locked/);
    await world.reset();
    await machine.join();
    const last = (await cluster.events("bot.join")).at(-1);
    assert.equal(last?.fields["recovery"], true);
    assert.equal(textOf(last, "allowed_by"), "reset");
    assert.equal((await cluster.bound("t")).reset, undefined);
  });

  test("ends after a week", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    await overtaken(world);
    await world.reset();
    await cluster.clock.advance(7 * DAY);
    assert.match((await refusal(machine.join())).message, /not the current one/);
  });

  test("that has ended is not said to be used", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    await world.reset();
    await cluster.clock.advance(7 * DAY);
    await machine.join();
    const last = (await cluster.events("bot.join")).at(-1);
    assert.equal(last?.fields["recovery"], true);
    assert.equal(last?.fields["allowed_by"], undefined);
  });

  test("does not let in another key, nor a solution that is none", async () => {
    await using world = await open();
    const { cluster } = world;
    await world.reset();
    const stranger = new Machine(cluster, { token: "t" });
    assert.match((await refusal(stranger.join())).message, /^the join was refused: the token/);
    assert.ok((await cluster.bound("t")).reset);
  });

  test("does not let in a key that was rotated away", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    const copy = await machine.copy();
    const rotate_after = new Date(cluster.clock.now()).toISOString();
    await cluster.editBound("t", (spec) => ({ ...spec, rotate_after }));
    await machine.join();
    await world.reset();
    await refusal(copy.join());
    assert.match((await cluster.lockNames()).join(), /join-state-t-/);
  });

  test("does not let in a rotated attempt that would be refused, with the key that it replaced", async () => {
    await using world = await open({ limit: 1 });
    const { cluster, machine } = world;
    const rotate_after = new Date(cluster.clock.now()).toISOString();
    await cluster.editBound("t", (spec) => ({ ...spec, rotate_after }));
    machine.lose = "result";
    await refusal(machine.join());
    // The reply to the rotation is lost, and then the certificate: with the old key it is a recovery.
    await machine.loseCertificate();
    await machine.edit(({ pending, ...state }) => {
      const { next_key_id: _, ...rest } = pending!;
      return { ...state, pending: rest };
    });
    await world.reset();
    assert.match((await refusal(machine.join())).message, /has used 1 of 1 recoveries/);
    assert.ok((await cluster.bound("t")).reset);
  });

  test("leaves the locks of administrators, of other tokens, and on what was replaced", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    await overtaken(world);
    await cluster.addBoundToken("t-2");
    const another = new Machine(cluster, { token: "t-2" });
    await another.join();
    const copy = await another.copy();
    await copy.join();
    await refusal(another.join());
    await cluster.lock({ bot_instance_id: (await cluster.bound("t")).bound_bot_instance_id });
    await world.reset();
    assert.match(
      (await cluster.lockNames()).join(),
      /^by-admin,generation-[^,]*,superseded-[^,]*$/,
    );
    assert.match((await refusal(machine.join())).message, /is locked: stolen/);
  });

  test("is audited, when it is made and when it is used", async () => {
    await using world = await open();
    const { cluster, machine } = world;
    await overtaken(world);
    const { locks } = await world.reset();
    await machine.join();
    const [made] = await cluster.events("token.reset");
    assert.deepEqual(made?.fields, { name: "t", bot: "robo", locks });
    const [removed] = await cluster.events("lock.delete");
    assert.equal(textOf(removed, "name"), locks[0]);
    const last = (await cluster.events("bot.join")).at(-1);
    assert.equal(textOf(last, "allowed_by"), "reset");
    assert.equal(last?.fields["recovery"], true);
  });

  test("of a token that nothing has joined by removes locks, and promises nothing", async () => {
    await using world = await open();
    const { cluster } = world;
    await overtaken(world);
    await cluster.remove("token", "t");
    await cluster.addBoundToken("t");
    const { locks, until } = await world.reset();
    assert.equal(locks.length, 1);
    assert.equal(until, undefined);
    await new Machine(cluster, { token: "t" }).join();
  });

  test("is refused for a token of another method, and for one that is not there", async () => {
    await using world = await open();
    const { cluster } = world;
    await cluster.addToken("0123456789abcdef");
    const wrong = await refusal(resetToken(cluster, "0123456789abcdef", by));
    assert.equal(wrong.code, "bad_parameter");
    assert.match(wrong.message, /^token "0123…" is for join method "token"/);
    assert.equal((await refusal(resetToken(cluster, "tt", by))).code, "not_found");
  });

  const lost: readonly Lost[] = ["init", "challenge", "solution", "result", "ack", "acknowledged"];
  for (const message of lost)
    for (const certificate of ["with", "without"] as const)
      test(`whose ${message} is lost is repeated, ${certificate} a certificate`, async () => {
        await using world = await open();
        const { cluster, machine } = world;
        const copy = await machine.copy();
        copy.anonymous = true;
        await copy.join();
        machine.anonymous = certificate === "without";
        await refusal(machine.join());
        await world.reset();
        machine.lose = message;
        await machine.join().catch(() => {});
        await machine.join();
        assert.doesNotMatch((await cluster.lockNames()).join(), /join-state|generation/);
        // Once its result is on the disk, the second join without a certificate is one of its own.
        const kept = message === "ack" || message === "acknowledged";
        const another = kept && machine.anonymous ? 1 : 0;
        machine.anonymous = false;
        assert.equal((await machine.join()).refreshed, true);
        assert.equal((await cluster.bound("t")).recovery_count, 3 + another);
      });
});
