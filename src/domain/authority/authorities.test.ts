import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { alice, bothKeys, CLUSTER, newAuthorities, openAuthorities } from "#testing/authorities";
import { silentLogger } from "#base/kernel";
import { openMemoryStore } from "#base/storage";
import { authorityTypes, Resources, writeOf } from "#domain/resources";
import { ManualClock } from "#testing/clock";
import { Authorities } from "./authorities.ts";
import { CA_KEY_KIND } from "./bootstrap.ts";
import { verifyClientCertificate } from "./verify.ts";

const badParameter = { code: "bad_parameter" };

describe("authorities at the start", () => {
  it("are made once: later starts load the same", async () => {
    const { store, clock, authorities } = await newAuthorities();
    const again = await openAuthorities(store, clock);
    assert.deepEqual(again.trust(), authorities.trust());
    assert.equal(again.clusterName, CLUSTER);
    const { tlsCertificate } = again.issueUser(alice, bothKeys);
    verifyClientCertificate(tlsCertificate, authorities.trust(), clock.now());
  });

  it("are one set when several processes start at once", async () => {
    const clock = new ManualClock();
    const store = openMemoryStore({ clock, indexes: [] });
    const all = await Promise.all([1, 2, 3, 4].map(() => openAuthorities(store, clock, CLUSTER)));
    for (const one of all) assert.deepEqual(one.trust(), all[0]!.trust());
    assert.equal(await store.count({ kind: "cert_authority" }), authorityTypes.length);
    assert.equal(await store.count({ kind: CA_KEY_KIND }), authorityTypes.length);
  });

  it("commit what else a first start needs together with themselves, and only then", async () => {
    const clock = new ManualClock();
    const store = openMemoryStore({ clock, indexes: [] });
    const write = (value: number) =>
      ({ op: "put", kind: "x", name: "first", value: { value } }) as const;
    const options = { store, clock, logger: silentLogger, clusterName: CLUSTER };
    await Authorities.open({ ...options, firstWrites: [write(1)] });
    await Authorities.open({ ...options, firstWrites: [write(2)] });
    assert.deepEqual((await store.get("x", "first"))?.value, { value: 1 });
  });

  it("are made for a type that the data does not have yet", async () => {
    const { store, clock, authorities } = await newAuthorities();
    await store.commit([{ op: "delete", kind: "cert_authority", name: "app" }]);
    const again = await openAuthorities(store, clock);
    assert.deepEqual(again.trust(), authorities.trust());
    assert.notEqual(again.exportAuthority("app"), authorities.exportAuthority("app"));
  });

  it("keep private keys out of the resources", async () => {
    const { store } = await newAuthorities();
    for await (const resource of new Resources(store).all("cert_authority"))
      assert.ok(!JSON.stringify(resource).includes("PRIVATE KEY"));
  });

  const names = ["", "Upper.test", "-a", "a_b", "a".repeat(231), "a b"];
  for (const name of names)
    it(`refuse the cluster name "${name.slice(0, 12)}"`, () =>
      assert.rejects(newAuthorities(name), badParameter));

  it("refuse another cluster's name than the one their data has", async () => {
    const { store, clock } = await newAuthorities();
    await assert.rejects(openAuthorities(store, clock, "other.test"), {
      code: "bad_parameter",
      message: /belongs to the cluster "example\.test", not "other\.test"/,
    });
  });

  it("refuse keys that are missing or belong to others", async () => {
    const { store, clock } = await newAuthorities();
    const user = await new Resources(store).require("cert_authority", "user");
    const host = await new Resources(store).require("cert_authority", "host");
    const hostKeys = (await store.get(CA_KEY_KIND, host.spec.active.key_id))!.value;
    const name = user.spec.active.key_id;
    const userKeys = (await store.get(CA_KEY_KIND, name))!.value;
    for (const use of ["x509", "ssh"]) {
      const value = { ...userKeys, [use]: hostKeys[use] };
      await store.commit([{ op: "put", kind: CA_KEY_KIND, name, value }]);
      await assert.rejects(openAuthorities(store, clock), { code: "internal", message: /differ/ });
    }
    await store.commit([{ op: "delete", kind: CA_KEY_KIND, name }]);
    await assert.rejects(openAuthorities(store, clock), { code: "internal", message: /missing/ });
  });
});

describe("additional trusted keys, as in a rotation", () => {
  it("verify what they signed, and appear in trust and exports beside the active ones", async () => {
    const { store, clock } = await newAuthorities();
    const old = await newAuthorities();
    for (const type of ["user", "join"] as const) {
      const resource = await new Resources(store).require("cert_authority", type);
      const other = await new Resources(old.store).require("cert_authority", type);
      const spec = { ...resource.spec, additional_trusted: [other.spec.active] };
      await store.commit([writeOf({ ...resource, spec }, "update")]);
    }
    const rotating = await openAuthorities(store, clock);
    assert.equal(rotating.trust().userX509.length, 2);
    assert.equal(rotating.trust().userSsh.length, 2);
    assert.equal(rotating.exportAuthority("user", "ssh").trim().split("\n").length, 2);
    const { tlsCertificate } = old.authorities.issueUser(alice, bothKeys);
    verifyClientCertificate(tlsCertificate, rotating.trust(), clock.now());
    const state = {
      aud: "robot",
      sub: "t",
      first_instance_id: "i",
      bot_instance_id: "i",
      recovery_sequence: 1,
      recovery_count: 1,
      recovery_limit: 1,
      recovery_mode: "standard",
    } as const;
    assert.equal(rotating.verifyJoinState(old.authorities.signJoinState(state)).aud, "robot");
    const fresh = rotating.issueUser(alice, bothKeys).tlsCertificate;
    assert.throws(() => verifyClientCertificate(fresh, old.authorities.trust(), clock.now()));
  });
});
