import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { JoinCluster, refusal } from "#testing/join";
import { Machine } from "#testing/join-machine";

const DAY = 24 * 3_600_000;
const SECRET = "0123456789abcdef0123456789abcdef";
const HOST_ID = "11111111-2222-4333-8444-555555555555";

const agent = (cluster: JoinCluster, token = SECRET, hostId = HOST_ID): Machine =>
  new Machine(cluster, {
    token,
    method: "token",
    role: "App",
    host: { hostname: "agent-1", hostId },
  });

suite("method token, agents", () => {
  test("the token becomes a host certificate, which renews itself", async () => {
    await using cluster = await JoinCluster.open();
    await cluster.addToken(SECRET, { roles: ["App", "Node"] });
    const machine = agent(cluster);
    const { identity } = await machine.join();
    assert.equal(identity.expires, cluster.clock.now() + 7 * DAY);
    const verified = cluster.verified(identity);
    assert.ok(verified?.kind === "host");
    assert.deepEqual(verified.identity.roles, ["App"]);
    assert.equal(verified.identity.hostId, HOST_ID);
    assert.equal(await cluster.resources.get("token", SECRET), undefined);
    await cluster.clock.advance(3 * DAY);
    assert.equal((await machine.join()).refreshed, true);
    assert.equal((await cluster.events("agent.join")).length, 2);
  });

  test("a node gets an SSH certificate for its host name, other agents none", async () => {
    await using cluster = await JoinCluster.open();
    await cluster.addToken(SECRET, { roles: ["Node"] });
    const host = { hostname: "node-1", hostId: HOST_ID };
    const node = new Machine(cluster, { token: SECRET, method: "token", role: "Node", host });
    assert.match((await node.join()).identity.sshCertificate, /^ssh-ed25519-cert-v01@openssh.com /);
  });

  test("a lost result is made again", async () => {
    await using cluster = await JoinCluster.open();
    await cluster.addToken(SECRET, { roles: ["App"] });
    const machine = agent(cluster);
    machine.lose = "result";
    await refusal(machine.join());
    await machine.join();
    assert.deepEqual(await cluster.reasons(), []);
  });

  test("no agent takes over the id of another while that one's certificate lasts", async () => {
    await using cluster = await JoinCluster.open();
    await cluster.addToken(SECRET, { roles: ["App"] });
    await cluster.addToken("another-secret-000001", { roles: ["App"] });
    await agent(cluster).join();
    const thief = agent(cluster, "another-secret-000001");
    const error = await refusal(thief.join());
    assert.equal(error.code, "access_denied");
    assert.match(
      error.message,
      /belongs to another agent, whose certificate lasts until 2026-01-08/,
    );
    assert.ok(await cluster.resources.get("token", "another-secret-000001"));
    await cluster.clock.advance(7 * DAY);
    await thief.join();
  });

  test("an agent that is given a new token keeps its id by its certificate", async () => {
    await using cluster = await JoinCluster.open();
    await cluster.addToken(SECRET, { roles: ["App"] });
    await cluster.addToken("another-secret-000001", { roles: ["App"] });
    const machine = agent(cluster);
    const { identity } = await machine.join();
    const next = agent(cluster, "another-secret-000001");
    const { connect } = next;
    Object.assign(next, {
      connect: (o: Parameters<typeof connect>[0]) => connect({ ...o, identity }),
    });
    await next.join();
  });

  test("refuses another role, another host and a locked one", async () => {
    await using cluster = await JoinCluster.open();
    await cluster.addToken(SECRET, { roles: ["App"] });
    const machine = agent(cluster);
    await machine.join();
    const { storage } = machine;
    const as = (settings: object): Machine =>
      new Machine(cluster, { ...machine.settings, ...settings }, { storage });
    assert.match((await refusal(as({ role: "Proxy" }).join())).message, /not for "Proxy"/);
    const host = { hostId: "99999999-2222-4333-8444-555555555555" };
    assert.match((await refusal(as({ host }).join())).message, /certificate is of host/);
    await cluster.lock({ server_id: HOST_ID });
    assert.match((await refusal(machine.join())).message, /is locked: stolen/);
    assert.equal((await cluster.events("agent.join.failed")).length, 3);
  });

  test("needs a host id", async () => {
    await using cluster = await JoinCluster.open();
    await cluster.addToken(SECRET, { roles: ["App"] });
    assert.equal((await refusal(agent(cluster, SECRET, "").join())).code, "bad_parameter");
  });
});
