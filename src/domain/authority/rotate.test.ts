import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { parseX509, publicKeyFromSpki, verifyX509Signature } from "#base/crypto";
import { authorityTypes, type AuthorityType, type RotationPhase } from "#domain/resources";
import {
  alice,
  bothKeys,
  newAuthorities,
  openAuthorities,
  rotate,
  type TestAuthorities,
} from "#testing/authorities";
import { until } from "#testing/wait";
import type { Authorities } from "./authorities.ts";
import { verifyClientCertificate } from "./verify.ts";

const HOUR = 3_600_000;
const host = { hostId: "0b0e0000-0000-4000-8000-000000000000", roles: ["App"] } as const;

describe("rotating", () => {
  let about: TestAuthorities;
  let other: Authorities;
  const stop = new AbortController();

  beforeEach(async () => {
    about = await newAuthorities();
    other = await openAuthorities(about.store, about.clock);
  });
  afterEach(async () => await about.store[Symbol.asyncDispose]());

  const to = (phase: RotationPhase, types: readonly AuthorityType[]): Promise<boolean> =>
    rotate(about.authorities, { types, phase, mode: "manual", graceMs: 30 * HOUR }, about.clock);
  const phasesOf = (types: readonly AuthorityType[]): string =>
    about.authorities
      .describe(types)
      .map(({ phase }) => phase)
      .join();

  it("reaches another server that follows, which accepts and is accepted in every phase", async () => {
    const ready = Promise.withResolvers<void>();
    void other.follow({ signal: stop.signal, onReady: ready.resolve }).catch(() => {});
    await ready.promise;
    for (const phase of ["init", "update_clients", "update_servers", "standby"] as const) {
      const before = other.issueUser(alice, bothKeys).tlsCertificate;
      await to(phase, authorityTypes);
      const now = about.clock.now();
      const behind = other.trust();
      const fresh = about.authorities.issueUser(alice, bothKeys).tlsCertificate;
      verifyClientCertificate(fresh, behind, now);
      verifyClientCertificate(before, about.authorities.trust(), now);
      await until("the other follows", () => {
        const [one, two] = [other.describe(), about.authorities.describe()];
        return JSON.stringify(one) === JSON.stringify(two);
      });
    }
    stop.abort();
  });

  it("tells who listens once of each change, and keeps what has not changed", async () => {
    let changes = 0;
    using _listening = about.authorities.onChange(() => (changes += 1));
    const trust = about.authorities.trust();
    await to("init", ["join", "app"]);
    assert.equal(changes, 1);
    assert.equal(about.authorities.trust(), trust);
    await to("init", ["user"]);
    assert.equal(changes, 2);
    assert.notEqual(about.authorities.trust(), trust);
    await about.authorities.reload();
    assert.equal(changes, 2);
  });

  it("moves all that are named, or none", async () => {
    await to("init", ["user"]);
    await assert.rejects(to("update_clients", ["user", "host"]), {
      code: "bad_parameter",
      message: /no rotation of the host authority is under way/,
    });
    assert.equal(phasesOf(["user", "host"]), "init,standby");
    assert.equal(await to("init", ["user", "host"]), true);
    assert.equal(await to("init", ["user", "host"]), false);
    assert.equal(phasesOf(["user", "host"]), "init,init");
  });

  it("shows both keys to those who ask while it lasts, the one that signs first", async () => {
    const exported = (): number =>
      about.authorities.exportAuthority("user", "x509").split("BEGIN").length - 1;
    assert.equal(exported(), 1);
    await to("init", ["user"]);
    assert.equal(exported(), 2);
    const { fingerprint, trustedFingerprints, rotation } = about.authorities.describe(["user"])[0]!;
    assert.deepEqual(trustedFingerprints, [fingerprint, rotation!.newFingerprint]);
    assert.equal(rotation!.oldFingerprint, fingerprint);
  });

  it("ends with certificates of the old keys refused, and those of new keys after a rollback", async () => {
    const issue = (): Buffer[] => [
      about.authorities.issueUser(alice, bothKeys).tlsCertificate,
      about.authorities.issueHost(host, bothKeys).tlsCertificate,
    ];
    const refused = (ders: readonly Buffer[]): void => {
      for (const der of ders)
        assert.throws(
          () => verifyClientCertificate(der, about.authorities.trust(), about.clock.now()),
          { code: "unauthenticated", detail: "no trusted authority signed it" },
        );
    };
    const old = issue();
    await to("init", ["user", "host"]);
    await to("update_clients", ["user", "host"]);
    await to("update_servers", ["user", "host"]);
    const fresh = issue();
    await to("rollback", ["user", "host"]);
    await to("standby", ["user", "host"]);
    refused(fresh);
    for (const der of old)
      verifyClientCertificate(der, about.authorities.trust(), about.clock.now());
    for (const phase of ["init", "update_clients", "update_servers", "standby"] as const)
      await to(phase, ["user", "host"]);
    refused(old);
  });

  it("lets the old host authority vouch for the new one, until the grace period is over", async () => {
    const [old] = about.authorities.trust().hostX509;
    const links = (): number => about.authorities.hostLinks().length;
    const counts: number[] = [];
    for (const phase of ["init", "update_clients", "update_servers", "standby"] as const) {
      await to(phase, ["host"]);
      counts.push(links());
    }
    assert.deepEqual(counts, [0, 0, 1, 1]);
    const link = parseX509(about.authorities.hostLinks()[0]!);
    const [fresh] = about.authorities.trust().hostX509.map((der) => parseX509(der));
    assert.ok(link.isCa && link.spki.equals(fresh!.spki));
    assert.ok(verifyX509Signature(link, publicKeyFromSpki(parseX509(old!).spki)));
    about.clock.jump(30 * HOUR);
    assert.equal(links(), 0);
  });

  it("goes on by the rules after others went on", async () => {
    await rotate(other, { types: ["user"], phase: "init", mode: "manual" }, about.clock);
    assert.equal(await to("update_clients", ["user"]), true);
    const both = [about.authorities, other].map((server) =>
      rotate(server, { types: ["user"], phase: "update_servers" }, about.clock),
    );
    const moved = await Promise.all(both);
    assert.equal(moved.filter(Boolean).length, 1);
  });
});
