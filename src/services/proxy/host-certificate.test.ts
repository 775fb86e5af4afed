import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { derFromPem } from "#base/crypto";
import { silentLogger } from "#base/kernel";
import type { RotationPhase } from "#domain/resources";
import { rotate } from "#testing/authorities";
import { ManualClock } from "#testing/clock";
import { TestIdentities } from "#testing/identities";
import { until } from "#testing/wait";
import { HostCertificate } from "./host-certificate.ts";

test("the proxy's host certificate names the proxy, and is renewed long before its end", async () => {
  const clock = new ManualClock(Date.now());
  const identities = await TestIdentities.open(clock);
  await using _store = identities.store;
  await using certificate = new HostCertificate({
    authorities: identities.authorities,
    hostId: "0b0e0000-0000-4000-8000-000000000000",
    clock,
    random: () => 1,
    logger: silentLogger,
  });
  const read = (): X509Certificate => new X509Certificate(certificate.current()[0]!.cert);
  const first = read();
  assert.equal(first.checkHost(identities.serverName), identities.serverName);
  let changes = 0;
  using _listening = certificate.onChange(() => (changes += 1));
  await until("it is renewed", async () => {
    await clock.advance(600_000);
    return changes > 0;
  });
  assert.notEqual(read().serialNumber, first.serialNumber);
  assert.ok(Date.parse(first.validTo) - clock.now() > 12 * 3_600_000);
});

test("it is exchanged when the host authority signs with other keys, and old clients verify it", async () => {
  const clock = new ManualClock(Date.now());
  const identities = await TestIdentities.open(clock);
  await using _store = identities.store;
  const { authorities } = identities;
  await using certificate = new HostCertificate({
    authorities,
    hostId: "0b0e0000-0000-4000-8000-000000000000",
    clock,
    random: () => 1,
    logger: silentLogger,
  });
  const shown = (): X509Certificate[] =>
    derFromPem(certificate.current()[0]!.cert).map((der) => new X509Certificate(der));
  let changes = 0;
  using _listening = certificate.onChange(() => (changes += 1));
  const [old] = identities.trust.hostX509.map((der) => new X509Certificate(der));
  const to = async (phase: RotationPhase): Promise<unknown> =>
    await rotate(authorities, { types: ["host"], phase, mode: "manual" });
  await to("init");
  await to("update_clients");
  assert.deepEqual([shown().length, changes], [1, 0]);
  assert.ok(shown()[0]!.verify(old!.publicKey));

  await to("update_servers");
  await until("it is exchanged", () => changes === 1);
  const [fresh] = identities.trust.hostX509.map((der) => new X509Certificate(der));
  const [own, link] = shown();
  assert.ok(own!.verify(fresh!.publicKey));
  assert.ok(link!.verify(old!.publicKey));
  assert.ok(link!.publicKey.equals(fresh!.publicKey));

  await to("rollback");
  await until("it is exchanged back", () => changes === 2);
  assert.deepEqual(
    shown().map((each) => each.verify(old!.publicKey)),
    [true],
  );
});
