// Agents whose platform vouches for them.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { refusal } from "#testing/join";
import { HOST_ID, OidcWorld } from "#testing/oidc-world";

const DAY = 24 * 3_600_000;
const STRANGER = /^the join was refused: the token, its secret or the key is not valid here/;

async function withAgents(): Promise<OidcWorld> {
  const world = await OidcWorld.open();
  await world.addToken("agents", { roles: ["App", "Node"], bot_name: undefined });
  return world;
}

suite("agents that join by ID token", () => {
  test("get a host certificate, and renew it with a new proof", async () => {
    await using world = await withAgents();
    const agent = world.agent();
    const { identity } = await agent.join();
    const verified = world.cluster.verified(identity);
    assert.ok(verified?.kind === "host");
    assert.equal(verified.identity.hostId, HOST_ID);
    assert.equal(verified.identity.joinToken, "agents");
    await world.cluster.clock.advance(3 * DAY);
    assert.equal((await agent.join()).refreshed, true);
    assert.equal((await world.cluster.events("agent.join")).length, 2);
    assert.ok(await world.cluster.resources.get("token", "agents"));
  });

  test("are let in anew when their certificate has expired", async () => {
    await using world = await withAgents();
    const agent = world.agent();
    await agent.join();
    await world.cluster.clock.advance(8 * DAY);
    assert.equal((await agent.join()).refreshed, false);
  });

  test("repeat an attempt whose result was lost", async () => {
    await using world = await withAgents();
    const text = await world.idToken();
    const agent = world.agent({ idToken: { kind: "held", read: async () => text } });
    agent.lose = "result";
    await refusal(agent.join());
    await agent.join();
    agent.lose = "result";
    await refusal(agent.join());
    await agent.join();
    assert.deepEqual(await world.cluster.reasons(), []);
  });

  test("cannot take over the id of another, nor its ID token", async () => {
    await using world = await withAgents();
    const text = await world.idToken();
    const idToken = { kind: "held", read: async () => text } as const;
    await world.agent({ idToken }).join();
    assert.match((await refusal(world.agent().join())).message, /belongs to another agent/);
    assert.match((await refusal(world.agent({ idToken }).join())).message, STRANGER);
    const host = { hostname: "agent-2", hostId: "99999999-2222-4333-8444-555555555555" };
    assert.match((await refusal(world.agent({ idToken, host }).join())).message, STRANGER);
    assert.match((await world.cluster.reasons()).at(-1)!, /used before, by "11111111-/);
  });

  test("need a host id, a token for their role, and no lock", async () => {
    await using world = await withAgents();
    const host = { hostname: "agent-1", hostId: "" };
    assert.equal((await refusal(world.agent({ host }).join())).code, "bad_parameter");
    assert.match((await refusal(world.agent({ role: "Proxy" }).join())).message, STRANGER);
    assert.match((await world.cluster.reasons())[0]!, /for App, Node, not for "Proxy"/);
    await world.cluster.lock({ server_id: HOST_ID });
    assert.match((await refusal(world.agent().join())).message, /is locked: stolen/);
  });
});
