import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { AuthBench, type Services } from "#testing/auth";
import { ManualClock } from "#testing/clock";
import { ANNOUNCEMENT_TTL_MS } from "./apps-service.ts";

const web = { name: "web", uri: "http://localhost:8080", labels: { env: "prod" } };
const shop = { name: "shop", uri: "tcp://localhost:5432", description: "sells" };

describe("announcing applications", () => {
  let clock: ManualClock;
  const hostId = randomUUID();
  let bench: AuthBench;
  let agent: Services;
  before(async () => {
    // Now, not when the file was loaded: TLS looks at the real time.
    clock = new ManualClock(Date.now());
    bench = await AuthBench.open({ clock });
    agent = bench.host({ hostId });
  });
  after(async () => await bench[Symbol.asyncDispose]());

  const names = async (): Promise<readonly string[]> => {
    const found: string[] = [];
    for await (const app of bench.resources.all("app")) found.push(app.metadata.name);
    return found;
  };

  it("keeps each with its labels, its address and its agent", async () => {
    const { ttlSeconds } = await agent.auth.announceApps({ apps: [web, shop] });
    assert.equal(ttlSeconds, 90);
    const stored = await bench.resources.require("app", `web:${hostId}`);
    assert.deepEqual(stored.metadata.labels, { env: "prod" });
    assert.deepEqual(stored.spec, { uri: "http://localhost:8080", host_id: hostId });
    assert.equal(Date.parse(stored.metadata.expires!), clock.now() + ANNOUNCEMENT_TTL_MS);
    assert.equal(
      (await bench.resources.require("app", `shop:${hostId}`)).metadata.description,
      "sells",
    );
  });

  it("takes away what the agent no longer names, and nothing of another agent's", async () => {
    const other = randomUUID();
    await bench.host({ hostId: other }).auth.announceApps({ apps: [web, shop] });
    await agent.auth.announceApps({ apps: [web] });
    assert.deepEqual(
      [...(await names())].sort(),
      [`shop:${other}`, `web:${other}`, `web:${hostId}`].sort(),
    );
    await agent.auth.announceApps({ apps: [] });
    assert.deepEqual([...(await names())].sort(), [`shop:${other}`, `web:${other}`]);
  });

  it("lets them go when it is not said again in time", async () => {
    await agent.auth.announceApps({ apps: [web] });
    await clock.advance(ANNOUNCEMENT_TTL_MS - 1_000);
    await agent.auth.announceApps({ apps: [web] });
    await clock.advance(ANNOUNCEMENT_TTL_MS - 1_000);
    assert.deepEqual(await names(), [`web:${hostId}`]);
    await clock.advance(2_000);
    assert.deepEqual(await names(), []);
  });

  const faults = [
    ["a name with capitals", [{ ...web, name: "Web" }], /"Web"/],
    ["a name with dots", [{ ...web, name: "a.b" }], /"a\.b"/],
    ["a name with a colon", [{ ...web, name: "a:b" }], /"a:b"/],
    ["a name that is too long", [{ ...web, name: "a".repeat(64) }], /at most 63/],
    ["no name", [{ ...web, name: "" }], /""/],
    ["the same name twice", [web, web], /"web" is announced twice/],
    ["an address of another scheme", [{ ...web, uri: "file:///etc/passwd" }], /http/],
    ["an address that is none", [{ ...web, uri: "localhost" }], /http/],
    ["a label that is too long", [{ ...web, labels: { env: "x".repeat(513) } }], /env/],
    [
      "more than an agent may serve",
      Array.from({ length: 401 }, (_, i) => ({ ...web, name: `a${i}` })),
      /400/,
    ],
  ] as const;
  for (const [fault, apps, message] of faults) {
    it(`refuses ${fault}, and keeps none of the call`, async () => {
      await agent.auth.announceApps({ apps: [] });
      await assert.rejects(agent.auth.announceApps({ apps: [shop, ...apps] }), {
        code: "bad_parameter",
        message,
      });
      assert.deepEqual(await names(), []);
    });
  }
});
