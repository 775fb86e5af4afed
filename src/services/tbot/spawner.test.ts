import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { parseValue } from "#base/config";
import { aborted, silentLogger } from "#base/kernel";
import { ManualClock } from "#testing/clock";
import { seeded } from "#testing/seeded";
import { until } from "#testing/wait";
import { placesOf } from "./claims.ts";
import { botConfiguration } from "./configuration.ts";
import { Readiness } from "./readiness.ts";
import { Roster } from "./roster.ts";
import { Spawner } from "./spawner.ts";
import { Supervisor, type Service } from "./supervisor.ts";

/** The spawner with the supervisor, and services that do what the test says. */
function setUp(run: Service["run"] = ({ signal }) => aborted(signal)) {
  const clock = new ManualClock();
  const readiness = new Readiness(clock);
  const supervisor = new Supervisor({ readiness, clock, log: silentLogger });
  const configuration = parseValue({ value: {}, what: "the test", schema: botConfiguration });
  const roster = new Roster(configuration, {});
  const runs = new Map<string, Service["run"]>();
  const status = (name: string) => ({ ...readiness.get(name), spawned: true });
  const spawner = new Spawner({
    configuration,
    roster,
    start: ({ name, type }) => supervisor.start({ name, type, run: runs.get(name) ?? run }),
    stop: (name) => supervisor.stop(name),
    status,
    remembered: async () => {},
    clock,
    log: silentLogger,
  });
  supervisor.watch(({ event, status: { name, ...rest } }) => {
    if (event === "stopped") roster.remove(name);
    spawner.hear({ event, status: { name, ...rest, spawned: true } });
  });
  return { clock, readiness, supervisor, roster, runs, spawner };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const identities = (count: number): string =>
  Array.from({ length: count }, (_, at) => `- {type: id, destination: /tmp/${at}}\n`).join("");

suite("spawning", () => {
  test("waits for the last to report, and gives what each reported first", async () => {
    const { spawner, runs } = setUp();
    const second = Promise.withResolvers<void>();
    runs.set("identity-1", async ({ report, signal }) => {
      report("healthy");
      report("unhealthy", "later");
      await aborted(signal);
    });
    runs.set("identity-2", () => second.promise);
    const spawning = spawner.spawn(identities(2));
    second.resolve();
    const { outcome, services } = await spawning;
    assert.deepEqual(
      [outcome, ...services.map(({ state }) => state)],
      ["ready", "healthy", "exited"],
    );
  });

  test("sees at once one that ends before it reports", async () => {
    const { spawner } = setUp(() => {
      throw new Error("boom");
    });
    const { outcome, services } = await spawner.spawn(identities(1));
    assert.equal(outcome, "failed");
    assert.partialDeepStrictEqual(services, [{ state: "failed", reason: "boom" }]);
  });

  test("ends its wait at the timeout, and lets the service go on", async () => {
    const { spawner, clock, runs, readiness } = setUp();
    const ready = Promise.withResolvers<void>();
    runs.set("identity-1", async ({ report, signal }) => {
      await ready.promise;
      report("healthy");
      await aborted(signal);
    });
    const spawning = spawner.spawn(identities(1), { timeoutMs: 5_000, idempotencyKey: "k" });
    await until("it waits", () => clock.pending > 0);
    await clock.advance(5_000);
    const { outcome, services } = await spawning;
    assert.deepEqual([outcome, services[0]!.state], ["timed_out", "initializing"]);
    ready.resolve();
    const again = await spawner.spawn(identities(1), { idempotencyKey: "k" });
    assert.deepEqual([again.outcome, again.services[0]!.name], ["ready", "identity-1"]);
    assert.equal(readiness.all().length, 1);
  });

  test("names a failure before a timeout, when there are both", async () => {
    const { spawner, clock, runs } = setUp();
    runs.set("identity-1", async () => {
      throw new Error("boom");
    });
    const spawning = spawner.spawn(identities(2), { timeoutMs: 1_000 });
    await until("it waits", () => clock.pending > 0);
    await clock.advance(1_000);
    assert.equal((await spawning).outcome, "failed");
  });

  test("does not wait when it is told not to", async () => {
    const { outcome, services } = await setUp().spawner.spawn(identities(1), { skipWait: true });
    assert.deepEqual([outcome, services[0]!.state], ["accepted", "initializing"]);
  });

  test("ends its wait when the caller has gone, or the service is stopped", async () => {
    const { spawner, supervisor, readiness } = setUp();
    const gone = new AbortController();
    const left = spawner.spawn(identities(1), { signal: gone.signal });
    const waiting = spawner.spawn("[{type: id, destination: /tmp/x}]");
    await new Promise((resolve) => setImmediate(resolve));
    gone.abort();
    assert.equal((await left).outcome, "timed_out");
    assert.equal(readiness.get("identity-1").state, "initializing");
    await supervisor.stop("identity-2");
    const { outcome, services } = await waiting;
    assert.deepEqual([outcome, services[0]!.reason], ["failed", "stopped before it had reported"]);
  });

  test("lets only what never worked make way", async () => {
    const { spawner, runs, readiness } = setUp();
    const one = "[{type: id, destination: /tmp/a}]";
    const say =
      (...states: ("healthy" | "unhealthy")[]): Service["run"] =>
      async ({ report, signal }) => {
        for (const state of states) report(state, state === "healthy" ? undefined : "why");
        await aborted(signal);
      };
    runs.set("identity-1", say("unhealthy"));
    await spawner.spawn(one);
    runs.set("identity-1", say("healthy", "unhealthy"));
    assert.equal((await spawner.spawn(one)).outcome, "ready");
    const refused = await spawner.spawn(one);
    assert.match(refused.services[0]!.reason!, /taken by service "identity-1"/);
    assert.equal(readiness.get("identity-1").state, "unhealthy");
  });

  test("starts one of two that want the same, also when both would take the place of another", async () => {
    const { spawner, runs, roster } = setUp();
    runs.set("identity-1", async () => {
      throw new Error("boom");
    });
    await spawner.spawn("[{type: id, destination: /tmp/a}]");
    runs.delete("identity-1");
    const both = "[{type: id, destination: /tmp/a}, {type: id, destination: /tmp/a}]";
    const { services } = await spawner.spawn(both, { skipWait: true });
    assert.deepEqual(
      services.map(({ name, state }) => [name, state]),
      [
        ["identity-1", "initializing"],
        ["identity-2", "failed"],
      ],
    );
    assert.equal(roster.all().length, 1);
  });

  for (const seed of [1, 2, 3, 4, 5])
    test(`and stopping at random keeps names and places apart, and answers everybody (${seed})`, async () => {
      const random = seeded(seed);
      const below = (limit: number): number => Math.floor(random() * limit);
      const { spawner, supervisor, readiness, roster } = setUp(async ({ report, signal }) => {
        for (let turns = below(4); turns > 0; turns--) await turn();
        const fate = below(4);
        if (fate === 0) throw new Error("bad luck");
        if (fate === 1) return;
        report(fate === 2 ? "healthy" : "unhealthy");
        await aborted(signal);
        for (let turns = below(4); turns > 0; turns--) await turn();
      });
      const asking: Promise<unknown>[] = [];
      const service = (): object => ({
        type: "identity",
        destination: `/tmp/${below(6)}`,
        ...(below(3) === 0 ? { name: `n${below(4)}` } : {}),
      });
      for (let step = 0; step < 300; step++) {
        const list = Array.from({ length: 1 + below(3) }, service);
        const key = below(4) === 0 ? { idempotencyKey: `k${step}` } : {};
        const one = (): Promise<unknown> => spawner.spawn(JSON.stringify(list), key);
        asking.push(one());
        if (key.idempotencyKey) asking.push(one());
        const there = readiness.all();
        const victim = there[below(there.length + 1)];
        if (victim) asking.push(supervisor.stop(victim.name));
        await turn();
        assert.deepEqual(
          roster
            .all()
            .map(({ configuration }) => configuration.name)
            .sort(),
          readiness
            .all()
            .map(({ name }) => name)
            .sort(),
        );
        const places = roster
          .all()
          .map(({ configuration }) => JSON.stringify(placesOf(configuration)));
        assert.equal(new Set(places).size, places.length);
      }
      await Promise.all(asking);
      await supervisor.stopAll();
      assert.deepEqual([roster.all(), readiness.all()], [[], []]);
    });

  test("takes 4,096 services, and refuses a list that would be more", async () => {
    const { spawner, roster } = setUp();
    await spawner.spawn(identities(4_095), { skipWait: true });
    const more = "[{type: id, destination: /tmp/x}, {type: id, destination: /tmp/y}]";
    await assert.rejects(spawner.spawn(more), { code: "limit_exceeded", message: /4095.*4096/ });
    assert.equal(roster.all().length, 4_095);
  });
});
