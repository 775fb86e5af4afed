import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { AuthorityType, RotationPhase } from "#domain/resources";
import { rotate } from "#testing/authorities";
import { ManualClock } from "#testing/clock";
import { TestIdentities } from "#testing/identities";
import { TrustWatch } from "./trust-service.ts";

describe("whoever watches the authorities", () => {
  let identities: TestIdentities;
  let watch: TrustWatch;
  const stop = new AbortController();

  beforeEach(async () => {
    identities = await TestIdentities.open(new ManualClock());
    watch = new TrustWatch(identities.authorities);
  });
  afterEach(async () => await identities.store[Symbol.asyncDispose]());

  const start = () => watch.watch({ signal: stop.signal });
  const to = (type: AuthorityType, phase: RotationPhase): Promise<boolean> =>
    rotate(identities.authorities, { types: [type], phase, mode: "manual" });

  it("hears of them at once, and again of each change of what is trusted or signs", async () => {
    const updates = start();
    const hosts = async (): Promise<number | undefined> =>
      (await updates.next()).value?.trust?.hostX509?.length;
    assert.equal(await hosts(), 1);
    await to("host", "init");
    assert.equal(await hosts(), 2);
    await to("join", "init");
    await to("host", "update_clients");
    await to("host", "update_servers");
    const { value } = await updates.next();
    const [first] = identities.trust.hostX509;
    assert.ok(value?.trust?.hostX509?.[0] && first?.equals(value.trust.hostX509[0]));
    await to("host", "standby");
    assert.equal(await hosts(), 1);
    await updates.return();
  });

  it("renews at once where there are few, and over a while where there are many", async () => {
    const others = Array.from({ length: 600 }, start);
    for (const other of others) await other.next();
    const updates = start();
    assert.equal((await updates.next()).value?.renewWithinSeconds, 3);
    for (const other of others) await other.return();
    await to("user", "init");
    assert.equal((await updates.next()).value?.renewWithinSeconds, 0);
    await updates.return();
  });

  it("hears nothing more once it is gone", async () => {
    const gone = new AbortController();
    const updates = watch.watch({ signal: gone.signal });
    await updates.next();
    const waiting = updates.next();
    gone.abort();
    assert.equal((await waiting).done, true);
  });
});
