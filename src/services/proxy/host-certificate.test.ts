import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { silentLogger } from "#base/kernel";
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
