// The endpoints of the web page (RFD 0217, "Web APIs"), over real TLS, against a whole cluster.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, suite, test } from "node:test";
import { startCluster, type TestCluster } from "#testing/cluster";
import { until } from "#testing/wait";
import { verifiedClient, WebClient } from "#testing/web-client";
import { Heard } from "#testing/web-live";

const SITE = "/v1/webapi/sites/-";
const BOTS = `${SITE}/machine-id/bot`;

suite("the endpoints of the web page", () => {
  let cluster: TestCluster;
  let editor: WebClient;
  let viewer: WebClient;

  before(async () => {
    cluster = await startCluster();
    await cluster.put(
      user("ed", ["editor", "auditor", "access"]),
      user("vi", ["viewer"]),
      role("viewer", [{ resources: ["bot"], verbs: ["list", "read"] }]),
    );
    editor = await verifiedClient(cluster, "ed");
    viewer = await verifiedClient(cluster, "vi");
  });
  after(() => cluster[Symbol.asyncDispose]());

  test("without a session there is nothing but signing in", async () => {
    for (const path of [BOTS, `${SITE}/context`, "/v1/webapi/tokens", `${SITE}/live`]) {
      const { status, body } = await new WebClient(cluster).get(path);
      assert.equal(status, 401, path);
      assert.equal(body.error.code, "unauthenticated");
    }
  });

  test("a path that this version lacks answers 404 and says which version it is", async () => {
    const { status, body } = await editor.put("/v9/webapi/sites/-/machine-id/bot/robot", {});
    assert.equal(status, 404);
    assert.match(body.proxyVersion, /^\d/);
  });

  test("a bot is made, shown, changed whole, and deleted", async () => {
    const made = await editor.post(BOTS, { name: "robot", roles: ["access"] });
    assert.equal(made.status, 200);
    const { body: shown } = await editor.get(`${BOTS}/robot`);
    assert.deepEqual(shown.roles, ["access"]);
    assert.equal(shown.created_by, "ed");
    assert.ok(Math.abs(Date.parse(shown.created_at) - Date.now()) < 60_000);
    const change = {
      roles: ["access", "auditor"],
      traits: [{ name: "logins", values: ["root"] }],
      max_session_ttl: "43200s",
    };
    const path = "/v2/webapi/sites/-/machine-id/bot/robot";
    const changed = await editor.put(path, { ...change, revision: shown.revision });
    assert.deepEqual(changed.body.roles, change.roles);
    assert.equal(changed.body.max_session_ttl, "43200s");
    assert.equal(changed.body.created_at, shown.created_at);
    const stale = await editor.put(path, { ...change, revision: shown.revision });
    assert.equal(stale.status, 409);
    assert.equal(stale.body.error.code, "compare_failed");
    const wrong = await editor.put(path, {
      ...change,
      roles: ["accesss"],
      revision: changed.body.revision,
    });
    assert.match(wrong.body.error.message, /access/);
    assert.deepEqual((await editor.get(`${BOTS}/robot`)).body.roles, change.roles);
    const gone = await editor.delete(`${BOTS}/robot`);
    assert.ok(gone.body.deleted.includes("bot/robot"));
    assert.equal((await editor.get(`${BOTS}/robot`)).status, 404);
  });

  test("a bot is made with its join token in one go; its URI lets a machine in", async () => {
    const body = { name: "joiner", roles: ["access"], join: { method: "bound_keypair" } };
    const made = await editor.post(BOTS, body);
    assert.match(made.body.join_uri, /^tbot\+proxy\+bound-keypair:\/\/joiner:[^@]+@/);
    assert.match(made.body.join_uri, /ca_pin=sha256:/);
    const taken = await editor.post(BOTS, { ...body, name: "other", join: { method: "github" } });
    assert.equal(taken.status, 400);
    const github = { method: "github", repository: "octo/app" };
    const job = await editor.post(BOTS, { ...body, name: "job", join: github });
    assert.match(job.body.join_uri, /^tbot\+proxy\+github:\/\/job@/);
    const token = await cluster.resources.require("token", "job");
    assert.deepEqual(token.spec.github?.allow, [{ repository: "octo/app" }]);
    const again = await editor.post(BOTS, body);
    assert.equal(again.body.error.code, "already_exists");
  });

  test("a viewer sees bots, changes none, and reads nothing else", async () => {
    await editor.post(BOTS, { name: "seen", roles: ["access"] });
    assert.equal((await viewer.get(`${BOTS}/seen`)).status, 200);
    const refused = [
      await viewer.delete(`${BOTS}/seen`),
      await viewer.get("/v1/webapi/tokens?role=Bot"),
      await viewer.get(`${SITE}/machine-id/bot-instance`),
      await viewer.get(`${SITE}/events/search`),
      await viewer.get(`${SITE}/resources/role`),
    ];
    for (const { status, body } of refused) {
      assert.equal(status, 403);
      assert.equal(body.error.code, "access_denied");
      assert.equal(body.error.requires_mfa, undefined);
    }
    const { access } = (await viewer.get(`${SITE}/context`)).body;
    assert.deepEqual(access.bot, ["list", "read"]);
    assert.deepEqual(access.token, []);
  });

  test("bots are searched, sorted and paged", async () => {
    for (const name of ["page-a", "page-b", "page-c"])
      await editor.post(BOTS, { name, roles: ["access"] });
    const first = await editor.get(`${BOTS}?search=page-&limit=2`);
    assert.deepEqual(namesOf(first.body.items), ["page-a", "page-b"]);
    const key = encodeURIComponent(first.body.next_key);
    const second = await editor.get(`${BOTS}?search=page-&limit=2&start_key=${key}`);
    assert.deepEqual(namesOf(second.body.items), ["page-c"]);
    const down = await editor.get(`${BOTS}?search=page-&order=desc`);
    assert.deepEqual(namesOf(down.body.items), ["page-c", "page-b", "page-a"]);
    const wrong = await editor.get(`${BOTS}?limit=many`);
    assert.equal(wrong.status, 400);
    assert.match(wrong.body.error.message, /limit/);
  });

  test("tokens of one bot, by role and name", async () => {
    await cluster.put(
      token("of-robot", { roles: ["Bot"], bot_name: "seen" }),
      token("of-other", { roles: ["Bot"], bot_name: "page-a" }),
      token("of-agent", { roles: ["App"] }),
    );
    const { body } = await editor.get("/v1/webapi/tokens?role=Bot&bot=seen");
    assert.deepEqual(
      (body.items as Shown[]).map((each) => [each["bot_name"], each["join_method"]]),
      [["seen", "token"]],
    );
  });

  test("locks are made for a time, found by target while they hold, and removed", async () => {
    const put = await editor.put(`${SITE}/locks`, {
      targets: { user: "bot-seen" },
      message: "stolen",
      ttl: "1h",
    });
    assert.equal(put.body.created_by, "ed");
    const find = (target: string) =>
      editor.get(`${SITE}/locks?in_force_only=true&target=${encodeURIComponent(target)}`);
    assert.deepEqual(namesOf((await find("user:bot-seen,role:bot-seen")).body.items), [
      put.body.name,
    ]);
    assert.deepEqual((await find("user:bot-other")).body.items, []);
    assert.equal((await find("planet:mars")).status, 400);
    assert.equal((await editor.delete(`${SITE}/locks/${put.body.name}`)).status, 200);
    assert.deepEqual((await find("user:bot-seen")).body.items, []);
  });

  test("instances, the most recent first, and one whole", async () => {
    const id = randomUUID();
    await cluster.put(
      instance("seen", randomUUID(), "2026-01-01"),
      instance("seen", id, "2026-02-01"),
    );
    const query = "bot_name=seen&sort=last_active_at&order=desc&limit=10";
    const { body } = await editor.get(`${SITE}/machine-id/bot-instance?${query}`);
    assert.equal(body.items.length, 2);
    assert.equal(body.items[0].instance_id, id);
    assert.equal(body.items[0].hostname, "build-1");
    assert.equal(body.items[0].health, "unhealthy");
    const one = await editor.get(`${BOTS}/seen/bot-instance/${id}`);
    assert.equal(one.body.document.status.latest_heartbeats[0].hostname, "build-1");
  });

  test("any resource as its document, with the schema's errors", async () => {
    const path = `${SITE}/resources/role`;
    const made = await editor.post(path, role("deployers", []));
    assert.equal(made.body.document.kind, "role");
    const wrong = await editor.post(path, { ...role("worse", []), spec: { alow: {} } });
    assert.equal(wrong.body.error.code, "bad_parameter");
    assert.match(wrong.body.error.message, /did you mean "?allow/);
    assert.equal((await editor.delete(`${path}/deployers`)).status, 200);
  });

  test("the audit log of one bot", async () => {
    await until("the event", async () => {
      const { body } = await editor.get(`${SITE}/events/search?bot=seen&type=bot.create`);
      return body.items.length === 1;
    });
  });

  test("changes arrive by themselves, without what they hold", async () => {
    const heard = new Heard(cluster, editor);
    await heard.waitFor((text) => text.includes("event: ready"));
    await until("the change", async () => {
      await editor.delete(`${BOTS}/live`);
      await editor.post(BOTS, { name: "live", roles: ["access"] });
      return heard.text.includes('{"kind":"bot","names":["live"],"all":false}');
    });
    assert.ok(!heard.text.includes("access"));
    heard.close();
  });
});

type Shown = Record<string, string>;

const namesOf = (items: readonly { name: string }[]): string[] => items.map(({ name }) => name);

const user = (name: string, roles: readonly string[]) => ({
  kind: "user",
  version: "v1",
  metadata: { name },
  spec: { roles },
});

const role = (name: string, rules: readonly object[]) => ({
  kind: "role",
  version: "v1",
  metadata: { name },
  spec: { allow: { rules } },
});

const token = (name: string, spec: object) => ({
  kind: "token",
  version: "v2",
  metadata: { name },
  spec: { join_method: "token", ...spec },
});

const instance = (bot: string, id: string, day: string) => ({
  kind: "bot_instance",
  version: "v1",
  metadata: { name: `${bot}:${id}` },
  spec: { bot_name: bot, instance_id: id },
  status: {
    generation: 1,
    latest_heartbeats: [
      {
        time: `${day}T00:00:00Z`,
        version: "1.0.0",
        hostname: "build-1",
        os: "linux",
        architecture: "x64",
        uptime_seconds: 1,
        one_shot: false,
        kind: "tbot",
        configuration: "",
      },
    ],
    service_health: [
      { name: "a", type: "identity", status: "healthy", updated_at: `${day}T00:00:00Z` },
      { name: "b", type: "identity", status: "unhealthy", updated_at: `${day}T00:00:00Z` },
    ],
  },
});
