import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { botInstanceName } from "#domain/resources";
import type { UserClaims } from "#domain/authority";
import { AuthBench, type Services } from "#testing/auth";
import { ManualClock } from "#testing/clock";

const beat = {
  version: "1.2.3",
  hostname: "machine-1",
  os: "linux",
  architecture: "x64",
  uptimeSeconds: 60n,
  kind: "tbot",
  configuration: "version: v2\n",
  services: [{ name: "identity-1", type: "identity", status: "healthy", updatedAt: 1_000n }],
};

describe("heartbeats", () => {
  let clock: ManualClock;
  let bench: AuthBench;
  let robot: UserClaims;
  let bot: Services;
  before(async () => {
    // Now, not when the file was loaded: TLS looks at the real time.
    clock = new ManualClock(Date.now());
    bench = await AuthBench.open({ clock });
    robot = await bench.createBot("robot", []);
    bot = bench.user(robot);
  });
  after(async () => await bench[Symbol.asyncDispose]());

  const stored = async () => {
    const name = botInstanceName("robot", robot.botInstanceId!);
    return (await bench.resources.require("bot_instance", name)).status!;
  };

  it("are kept with the instance whose certificate it is: the first, and the last ten", async () => {
    for (let i = 0; i < 25; i += 1) {
      await bot.auth.submitHeartbeat({ ...beat, hostname: `machine-${i}` });
      await clock.advance(1_000);
    }
    const { initial_heartbeat: initial, latest_heartbeats: latest } = await stored();
    assert.equal(initial?.hostname, "machine-0");
    assert.deepEqual(
      latest.map(({ hostname }) => hostname),
      Array.from({ length: 10 }, (_, i) => `machine-${i + 15}`),
    );
    const last = latest.at(-1)!;
    assert.equal(Date.parse(last.time), clock.now() - 1_000);
    assert.equal(last.uptime_seconds, 60);
  });

  it("keep the newest health of each service", async () => {
    const services = [
      { name: "a", type: "noop", status: "unhealthy", reason: "no", updatedAt: 2_000n },
    ];
    await bot.auth.submitHeartbeat({ ...beat, services });
    assert.deepEqual((await stored()).service_health, [
      {
        name: "a",
        type: "noop",
        status: "unhealthy",
        reason: "no",
        updated_at: "1970-01-01T00:00:02.000Z",
      },
    ]);
  });

  it("of many processes at once are all taken", async () => {
    await Promise.all(Array.from({ length: 4 }, async () => await bot.auth.submitHeartbeat(beat)));
    assert.equal((await stored()).latest_heartbeats.length, 10);
  });

  it("change nothing that joining wrote", async () => {
    assert.equal((await stored()).generation, 1);
  });

  const faults: readonly (readonly [string, object])[] = [
    ["a configuration that is too long", { configuration: "x".repeat(33 * 1024) }],
    ["a host name that is too long", { hostname: "x".repeat(257) }],
    ["too many services", { services: Array.from({ length: 101 }, () => beat.services[0]!) }],
    ["a reason that is too long", { services: [{ reason: "x".repeat(1_025) }] }],
    ["an impossible time", { services: [{ updatedAt: 2n ** 60n }] }],
    ["an uptime beyond all measure", { uptimeSeconds: 2n ** 60n }],
  ];
  for (const [fault, change] of faults) {
    it(`refuse ${fault}`, async () => {
      const before = await stored();
      await assert.rejects(bot.auth.submitHeartbeat({ ...beat, ...change }), {
        code: "bad_parameter",
      });
      assert.deepEqual(await stored(), before);
    });
  }
});
