import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { systemClock } from "#base/kernel";
import type { AuthorityType, RotationPhase } from "#domain/resources";
import { verifyClientCertificate, type VerifiedCertificate } from "#domain/authority";
import { rotate } from "#testing/authorities";
import { TestIdentities } from "#testing/identities";
import { TrustWatch } from "./trust-service.ts";

describe("whoever watches the authorities", () => {
  let identities: TestIdentities;
  let watch: TrustWatch;
  const stop = new AbortController();

  beforeEach(async () => {
    identities = await TestIdentities.open(systemClock);
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

  it("is counted as behind until it shows a certificate of the keys that sign now", async () => {
    const { authorities } = identities;
    const certificateOf = (kind: "user" | "host"): VerifiedCertificate => {
      const { certificate } = kind === "user" ? identities.user() : identities.host();
      return verifyClientCertificate(certificate, authorities.trust(), Date.now());
    };
    const comes = async (kind: "user" | "host") => {
      const updates = watch.watch({ signal: stop.signal, certificate: certificateOf(kind) });
      await updates.next();
      return updates;
    };
    const [bot, agent, admin] = [await comes("user"), await comes("host"), start()];
    await admin.next();
    const steps: [AuthorityType, RotationPhase, object][] = [
      ["user", "init", { user: 0, host: 0 }],
      ["user", "update_clients", { user: 1, host: 0 }],
      ["host", "init", { user: 1, host: 0 }],
      ["host", "update_clients", { user: 1, host: 0 }],
      ["host", "update_servers", { user: 1, host: 1 }],
    ];
    for (const [type, phase, expected] of steps) {
      await to(type, phase);
      assert.deepEqual(watch.behind(), expected, phase);
    }
    const renewed = [await comes("user"), await comes("host")];
    await bot.return();
    await agent.return();
    assert.deepEqual(watch.behind(), { user: 0, host: 0 });
    for (const each of [...renewed, admin]) await each.return();
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
