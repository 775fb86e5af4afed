import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { JoinCluster } from "#testing/join";
import { Machine } from "#testing/join-machine";

async function leftOver(
  threshold: number,
  recovery: { limit: number; mode?: "relaxed" },
): Promise<unknown[]> {
  await using cluster = await JoinCluster.open();
  cluster.config = { ...cluster.config, recovery_alert_threshold: threshold };
  await cluster.addBoundToken("t", { onboarding: { registration_secret: "s3cret" }, recovery });
  const machine = new Machine(cluster, { token: "t" });
  for (let i = 0; i < 4; i++) {
    await machine.join();
    await machine.join();
    await machine.loseCertificate();
  }
  const events = await cluster.events("token.recoveries.low");
  return events.map(({ fields, actor }) => [fields["left"], fields["limit"], actor.kind]);
}

suite("the recoveries of a token", () => {
  test("are told of once, by the join that leaves fewer than the threshold", async () => {
    assert.deepEqual(await leftOver(3, { limit: 5 }), [[2, 5, "system"]]);
  });

  test("are told of by a first join that leaves too few already", async () => {
    assert.deepEqual(await leftOver(4, { limit: 4 }), [[3, 4, "system"]]);
  });

  test("are not told of without a threshold, above it, and where nobody counts", async () => {
    assert.deepEqual(await leftOver(0, { limit: 4 }), []);
    assert.deepEqual(await leftOver(1, { limit: 9 }), []);
    assert.deepEqual(await leftOver(9, { limit: 1, mode: "relaxed" }), []);
  });
});
