import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { silentLogger, unavailable } from "#base/kernel";
import { openMemoryStore, type Store } from "#base/storage";
import { AuditLog, eventIndexes } from "#domain/audit";
import { Authorities } from "#domain/authority";
import { authorityTypes, Resources, storeIndexes } from "#domain/resources";
import { rotate } from "#testing/authorities";
import { ManualClock } from "#testing/clock";
import { until } from "#testing/wait";
import { followAuthorities } from "./rotation-schedule.ts";

const MINUTE = 60_000;
const random = (): number => 0.5;

describe("the schedule of rotations", () => {
  let clock: ManualClock;
  let store: Store;
  let stack: AsyncDisposableStack;
  const servers: Authorities[] = [];
  let authorities: Authorities;
  let refusing: boolean;

  beforeEach(async () => {
    clock = new ManualClock();
    refusing = false;
    store = openMemoryStore({ clock, indexes: [...storeIndexes, ...eventIndexes] });
    const commit = store.commit.bind(store);
    store.commit = async (writes) => {
      if (refusing) throw unavailable("the disk is full");
      return await commit(writes);
    };
    stack = new AsyncDisposableStack();
    authorities = await startServer();
  });
  afterEach(async () => {
    await stop();
    await store[Symbol.asyncDispose]();
  });

  /** One auth server of those that share the store. */
  async function startServer(): Promise<Authorities> {
    const options = { store, clock, logger: silentLogger, clusterName: "example.test" };
    const opened = await Authorities.open(options);
    const audit = stack.use(new AuditLog({ ...options, random }));
    stack.use(await followAuthorities({ ...options, authorities: opened, audit, random }));
    servers.push(opened);
    return opened;
  }

  async function stop(): Promise<void> {
    await stack.disposeAsync();
    stack = new AsyncDisposableStack();
    servers.length = 0;
  }

  const phases = (): string[] => [...new Set(authorities.describe().map(({ phase }) => phase))];
  const start = (graceMs: number): Promise<boolean> =>
    rotate(authorities, { types: authorityTypes, phase: "init", graceMs }, clock);

  /** In steps of the loop's own; in each, what it started is done before the clock goes on. */
  async function pass(minutes: number): Promise<void> {
    for (let step = 0; step < minutes * 4; step += 1) {
      await idle();
      await clock.advance(MINUTE / 4);
    }
    await idle();
  }

  /** Every server waits for the next time to look. */
  const idle = (): Promise<unknown> =>
    until("the servers wait", () => clock.pending >= servers.length);

  async function moves(): Promise<string[]> {
    const { items } = await store.list({ kind: "event", limit: 1_000 });
    return items
      .map(({ value }) => value as { fields: { authority: string; phase: string } })
      .filter(({ fields }) => fields.authority === "host")
      .map(({ fields }) => fields.phase);
  }

  it("takes all authorities through the phases, each as long as the others", async () => {
    await start(30 * MINUTE);
    const seen: string[] = [];
    for (let minute = 0; minute < 40; minute += 1) {
      seen.push(phases().join());
      await pass(1);
    }
    const count = (phase: string): number => seen.filter((each) => each === phase).length;
    assert.deepEqual([...new Set(seen)], ["init", "update_clients", "update_servers", "standby"]);
    for (const phase of ["init", "update_clients", "update_servers"])
      assert.ok(Math.abs(count(phase) - 10) <= 1, `${phase} took ${count(phase)} minutes`);
    assert.deepEqual(await moves(), ["init", "update_clients", "update_servers", "standby"]);
  });

  it("does each step once where several servers look", async () => {
    const others = [await startServer(), await startServer()];
    await start(15 * MINUTE);
    await pass(25);
    assert.deepEqual(phases(), ["standby"]);
    assert.deepEqual(await moves(), ["init", "update_clients", "update_servers", "standby"]);
    for (const other of others)
      await until("all servers hold the same", () => {
        const [one, two] = [other.describe(), authorities.describe()];
        return JSON.stringify(one) === JSON.stringify(two);
      });
  });

  it("gives every phase its whole time after all servers were down for long", async () => {
    await start(30 * MINUTE);
    await stop();
    await clock.advance(24 * 60 * MINUTE);
    authorities = await startServer();
    await until("the step that is due is taken", () => phases().join() === "update_clients");
    await pass(8);
    assert.deepEqual(phases(), ["update_clients"]);
    await pass(5);
    assert.deepEqual(phases(), ["update_servers"]);
  });

  it("ends a rollback by itself", async () => {
    await start(15 * MINUTE);
    await pass(8);
    assert.deepEqual(phases(), ["update_clients"]);
    await rotate(authorities, { types: authorityTypes, phase: "rollback" }, clock);
    await pass(8);
    assert.deepEqual(phases(), ["standby"]);
    assert.deepEqual(await moves(), ["init", "update_clients", "rollback", "standby"]);
  });

  it("leaves a manual rotation alone, also one that became manual", async () => {
    await start(15 * MINUTE);
    await rotate(authorities, { types: ["host"], phase: "init", mode: "manual" }, clock);
    await pass(25);
    const host = await new Resources(store).require("cert_authority", "host");
    assert.equal(host.status?.phase, "init");
    assert.deepEqual(phases().sort(), ["init", "standby"]);
  });

  it("goes on after the disk has refused a step", async () => {
    await start(15 * MINUTE);
    refusing = true;
    await clock.advance(7 * MINUTE);
    assert.deepEqual(phases(), ["init"]);
    refusing = false;
    await pass(2);
    assert.deepEqual(phases(), ["update_clients"]);
  });
});
