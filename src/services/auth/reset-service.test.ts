import { codeOf } from "#base/kernel";
import { AuthBench, type Services } from "#testing/auth";
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

describe("the reset of a token", () => {
  let bench: AuthBench;

  const roles: Readonly<Record<string, object>> = {
    "may-update": { rules: [{ resources: ["token"], verbs: ["update"] }] },
    "may-all-but-update": {
      rules: [
        { resources: ["token"], verbs: ["list", "read", "create", "delete"] },
        { resources: ["lock"], verbs: ["*"] },
        { resources: ["*"], verbs: ["*"] },
      ],
    },
    "may-list-and-update": { rules: [{ resources: ["token"], verbs: ["list", "update"] }] },
  };

  before(async () => {
    bench = await AuthBench.open();
    for (const [name, allow] of Object.entries(roles)) {
      await bench.createRole(name, allow);
      await bench.createUser(name, [name]);
    }
    await bench.createUser("erin", ["editor"]);
    await bench.createBot("robot", ["access"]);
    const common = { kind: "token", version: "v2" };
    await bench.create(
      {
        ...common,
        metadata: { name: "robot" },
        spec: { bot_name: "robot", join_method: "bound_keypair" },
      },
      {
        ...common,
        metadata: { name: "agent" },
        spec: { roles: ["App"], join_method: "bound_keypair" },
      },
      {
        ...common,
        metadata: { name: "a-secret-of-twenty-letters" },
        spec: { roles: ["App"], join_method: "token" },
      },
    );
  });
  after(async () => await bench[Symbol.asyncDispose]());

  const person = (name: string): Services =>
    bench.user({ user: name, roles: [name], allowReissue: true });
  const reset = async (as: Services, token: string): Promise<string> => {
    try {
      await as.auth.resetBoundKeypair({ token });
      return "done";
    } catch (error) {
      return codeOf(error);
    }
  };

  const cases: readonly (readonly [string, () => Services, string, string])[] = [
    ["an administrator at the socket may", () => bench.admin(), "robot", "done"],
    [
      "an editor may",
      () => bench.user({ user: "erin", roles: ["editor"], allowReissue: true }),
      "robot",
      "done",
    ],
    ["who may update tokens may, for an agent", () => person("may-update"), "agent", "done"],
    [
      "who may update tokens may not for a bot that has more than they",
      () => person("may-update"),
      "robot",
      "access_denied",
    ],
    [
      "who may do everything else with tokens and locks may not",
      () => person("may-all-but-update"),
      "agent",
      "access_denied",
    ],
    [
      "of a token of another method is refused",
      () => bench.admin(),
      "a-secret-of-twenty-letters",
      "bad_parameter",
    ],
    ["of none is refused", () => bench.admin(), "robott", "not_found"],
  ];
  for (const [name, caller, token, expected] of cases)
    it(name, async () => assert.equal(await reset(caller(), token), expected));

  it("names near tokens only to who may list them", async () => {
    const near = /did you mean "agent"/;
    await assert.rejects(
      person("may-list-and-update").auth.resetBoundKeypair({ token: "agnt" }),
      near,
    );
    await assert.rejects(
      person("may-update").auth.resetBoundKeypair({ token: "agnt" }),
      (error: Error) => !near.test(error.message),
    );
  });

  it("is in the audit log with who asked for it", async () => {
    await bench
      .user({ user: "erin", roles: ["editor"] })
      .auth.resetBoundKeypair({ token: "agent" });
    const last = (await bench.events("token.reset")).at(-1);
    assert.deepEqual(last?.actor, { kind: "user", name: "erin" });
    assert.deepEqual(last?.fields, { name: "agent", locks: [] });
  });
});

describe("a backup and a restored cluster", () => {
  it("are the local administrator's, who names an absolute path", async () => {
    await using bench = await AuthBench.open();
    const backup = async (file: string): Promise<void> => {
      for await (const _ of bench.admin().auth.backup({ file }));
    };
    await backup("/somewhere/else");
    await assert.rejects(backup("here"), { code: "bad_parameter" });
    assert.deepEqual((await bench.events("cluster.backup"))[0]?.fields, {
      file: "/somewhere/else",
      bytes: 0,
    });
  });

  it("open a window that status and alerts show until it is ended", async () => {
    await using bench = await AuthBench.open();
    const { auth } = bench.admin();
    assert.equal((await auth.getStatus({})).resyncUntil, 0n);
    const { until } = await auth.setResyncWindow({ open: true });
    assert.equal((await auth.getStatus({})).resyncUntil, until);
    const { alerts } = await auth.listAlerts({});
    assert.deepEqual(
      alerts.map(({ type, subject }) => [type, subject]),
      [["resync_window", "cluster"]],
    );
    assert.equal((await auth.setResyncWindow({ open: false })).changed, true);
    assert.equal((await auth.setResyncWindow({ open: false })).changed, false);
    assert.equal((await auth.getStatus({})).resyncUntil, 0n);
    assert.equal((await bench.events("cluster.resync.open")).length, 1);
    assert.equal((await bench.events("cluster.resync.end")).length, 1);
  });
});

describe("alerts about recoveries", () => {
  const token = (name: string, limit: number, used: number | undefined, mode = "standard") => ({
    kind: "token",
    version: "v2",
    metadata: { name },
    spec: {
      bot_name: "robot",
      join_method: "bound_keypair",
      bound_keypair: { recovery: { limit, mode } },
    },
    ...(used === undefined
      ? {}
      : { status: { bound_keypair: { bound_bot_instance_id: "i", recovery_count: used } } }),
  });

  it("name the tokens in use that have fewer left than the threshold, the fewest first", async () => {
    await using bench = await AuthBench.open();
    const { auth } = bench.admin();
    await bench.createBot("robot", []);
    await bench.put(
      token("two-left", 5, 3),
      token("one-left", 5, 4),
      token("over", 1, 4),
      token("three-left", 5, 2),
      token("never-used", 1, undefined),
      token("uncounted", 1, 4, "relaxed"),
      token("many-left", 100, 1),
    );
    const subjects = async (): Promise<string[]> =>
      (await auth.listAlerts({})).alerts.map(({ subject }) => subject);
    assert.deepEqual(await subjects(), []);
    const threshold = async (value: number): Promise<void> =>
      await bench.create({
        kind: "cluster_config",
        version: "v1",
        metadata: { name: "cluster" },
        spec: { cluster_name: "example.test", recovery_alert_threshold: value },
      });
    await threshold(3);
    assert.deepEqual(await subjects(), ["token/over", "token/one-left", "token/two-left"]);
    const [first] = (await auth.listAlerts({})).alerts;
    assert.match(first!.message, /^token "over" of bot "robot" has 0 of 1 recoveries left/);
    await threshold(11);
    assert.deepEqual((await subjects()).length, 4);
  });

  it("are in the audit log once, when an edit crosses the threshold", async () => {
    await using bench = await AuthBench.open();
    await bench.createBot("robot", []);
    await bench.create({
      kind: "cluster_config",
      version: "v1",
      metadata: { name: "cluster" },
      spec: { cluster_name: "example.test", recovery_alert_threshold: 2 },
    });
    await bench.put(token("t", 9, 1));
    for (const limit of [8, 3, 2, 1, 9, 2]) await bench.create(token("t", limit, undefined));
    const events = await bench.events("token.recoveries.low");
    assert.deepEqual(
      events.map(({ fields }) => fields),
      [
        { name: "t", bot: "robot", left: 1, limit: 2, threshold: 2 },
        { name: "t", bot: "robot", left: 1, limit: 2, threshold: 2 },
      ],
    );
  });
});
