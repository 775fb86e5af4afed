// Documents of every kind as the page reads and writes them: YAML with its faults, tokens, people.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { runCaptured } from "#testing/admin-cluster";
import { startCluster, type TestCluster } from "#testing/cluster";
import { verifiedClient, type WebClient } from "#testing/web-client";
import { tctl } from "../../src/programs/tctl/program.ts";

const SITE = "/v1/webapi/sites/-";
const RESOURCES = `${SITE}/resources`;
const SECRET = "0123456789abcdef0123456789abcdef";
/** Wide, then turned around: what a page must show as text. */
const HOSTILE = `<script>alert(1)</script>\u202Egnp.exe ${"x".repeat(900)}`;

suite("resources in the web page", () => {
  let cluster: TestCluster;
  let editor: WebClient;
  let viewer: WebClient;

  before(async () => {
    cluster = await startCluster();
    await cluster.put(
      document("user", "ed", { roles: ["editor", "auditor", "access"] }),
      document("user", "fay", { roles: ["editor"] }),
      document("user", "vi", { roles: ["viewer"] }),
      document("role", "viewer", {
        allow: { rules: [{ resources: ["role", "app"], verbs: ["list", "read"] }] },
      }),
    );
    editor = await verifiedClient(cluster, "ed");
    viewer = await verifiedClient(cluster, "vi");
    await editor.post(`${SITE}/machine-id/bot`, { name: "robot", roles: ["access"] });
  });
  after(() => cluster[Symbol.asyncDispose]());

  const check = async (kind: string, yaml: string, rest: object = {}) =>
    (await editor.post(`${RESOURCES}/${kind}/validate`, { yaml, ...rest })).body;

  test("a draft without faults comes back as its document, and nothing is written", async () => {
    const yaml = "kind: role\nversion: v1\nmetadata: { name: fresh }\nspec: {}\n";
    const { faults, document: read, refused } = await check("role", yaml);
    assert.deepEqual([faults, refused], [[], undefined]);
    assert.equal(read.spec.options.max_session_ttl, "12h");
    assert.equal(await cluster.resources.get("role", "fresh"), undefined);
    assert.equal((await editor.post(`${RESOURCES}/role`, read)).status, 200);
    const again = await check("role", yaml);
    assert.equal(again.refused.code, "already_exists");
  });

  test("every fault is told at once, with its line, its path and the nearest name", async () => {
    const yaml = [
      "kind: role",
      "version: v1",
      "metadata:",
      "  name: bad name",
      "spec:",
      "  allow:",
      "    rules:",
      "      - resources: [bott]",
      "        verbs: [raed]",
      "  alow: {}",
    ].join("\n");
    const { faults, document: read } = await check("role", yaml);
    assert.equal(read, undefined);
    assert.deepEqual(
      (faults as Fault[]).map(({ line, path }) => `${line} ${path}`),
      [
        "4 metadata.name",
        "8 spec.allow.rules[0].resources[0]",
        "9 spec.allow.rules[0].verbs[0]",
        "10 spec.alow",
      ],
    );
    assert.match(faults[1].message, /did you mean "bot"/);
    assert.match(faults[2].message, /did you mean "read"/);
    assert.match(faults[3].message, /did you mean "allow"/);
  });

  test("they are those of tctl create --dry-run, word for word", async () => {
    const yaml = [
      "kind: token",
      "version: v2",
      "metadata: { name: t, labls: {} }",
      "spec:",
      "  roles: [Bott]",
      "  join_method: bound-keypairs",
      "  bound_keypair: { recovery: { limit: 0, mode: sometimes } }",
    ].join("\n");
    const { faults } = await check("token", yaml);
    assert.ok(faults.length >= 5);
    const env = { TENON_DATA_DIR: cluster.dataDir };
    const ran = await runCaptured(tctl, ["create", "--dry-run", "-f", "-"], { env, stdin: yaml });
    assert.notEqual(ran.code, 0);
    for (const { line, column, path, message } of faults as Fault[])
      assert.ok(ran.err.includes(`:${line}:${column}: ${path}: ${message}`), `${path}: ${ran.err}`);
    const told = ran.err.split("\n").filter((each) => /:\d+:\d+: /.test(each));
    assert.equal(told.length, faults.length);
  });

  test("what only the cluster knows is a fault at its place too", async () => {
    const yaml = "kind: user\nversion: v1\nmetadata: { name: zoe }\nspec:\n  roles:\n    - acces\n";
    const { faults } = await check("user", yaml);
    assert.deepEqual(
      (faults as Fault[]).map(({ line, column, path }) => [line, column, path]),
      [[6, 7, "spec.roles[0]"]],
    );
    assert.match(faults[0].message, /there is no role "acces".*did you mean "access"/);
  });

  test("a fault of syntax, an empty text and too large a text are faults, not failures", async () => {
    const [broken] = (await check("role", "kind: role\n\tspec: x\n")).faults;
    assert.equal(broken.line, 2);
    assert.match((await check("role", "")).faults[0].message, /empty/);
    const large = `kind: role # ${"x".repeat(900_000)}\nspec:\n\t- 1\n`;
    assert.match((await check("role", large)).faults[0].message, /tab/);
    const bomb = Array.from({ length: 12 }, (_, at) =>
      at === 0 ? "a0: &a0 [1]" : `a${at}: &a${at} [${`*a${at - 1}, `.repeat(9)}*a${at - 1}]`,
    ).join("\n");
    assert.match((await check("role", bomb)).faults[0].message, /values/);
  });

  test("a document of another name is not a change of this one", async () => {
    const yaml = "kind: role\nversion: v1\nmetadata:\n  name: other\nspec: {}\n";
    const { faults } = await check("role", yaml, { name: "fresh", revision: "1" });
    assert.deepEqual(
      (faults as Fault[]).map(({ line, path }) => [line, path]),
      [[4, "metadata.name"]],
    );
  });

  test("a draft over a revision that somebody overtook is refused, before and at the writing", async () => {
    const { body } = await editor.get(`${RESOURCES}/role/fresh/yaml`);
    const about = { name: "fresh", revision: body.revision };
    const first = await check("role", `${body.yaml}  options:\n    max_session_ttl: 1h\n`, about);
    // `spec: {}` is written on one line, and what follows it is a fault of syntax.
    assert.ok(first.faults.length > 0);
    const mine = body.yaml.replace("spec: {}", "spec:\n  options:\n    max_session_ttl: 1h");
    const { document: ours } = await check("role", mine, about);
    assert.equal(ours.metadata.revision, body.revision);
    assert.equal((await editor.put(`${RESOURCES}/role`, ours)).status, 200);
    const twice = await editor.put(`${RESOURCES}/role`, ours);
    assert.equal(twice.body.error.code, "compare_failed");
    const late = await check("role", mine, about);
    assert.equal(late.refused.code, "compare_failed");
    const gone = await editor.delete(`${RESOURCES}/role/fresh?revision=${body.revision}`);
    assert.equal(gone.body.error.code, "compare_failed");
  });

  test("YAML is what may be changed; status and revision stand apart", async () => {
    const { body } = await editor.get(`${RESOURCES}/bot/robot/yaml`);
    assert.match(body.yaml, /^kind: bot\nversion: v1\nmetadata:\n {2}name: robot\n/);
    assert.doesNotMatch(body.yaml, /status|revision/);
    assert.match(body.status, /user_name: bot-robot/);
    assert.notEqual(body.revision, "");
    assert.equal(body.has_secrets, false);
  });

  test("hostile text is data: it is stored and given back as it is", async () => {
    const labels = { '"><img src=x onerror=alert(1)>': "\u202Egnp", constructor: "x" };
    const made = await editor.post(`${RESOURCES}/node`, {
      ...document("node", "hostile", { hostname: "h", addr: "h:22" }),
      metadata: { name: "hostile", description: HOSTILE, labels },
    });
    assert.equal(made.status, 200);
    const shown = await editor.get(`${RESOURCES}/node/hostile`);
    assert.match(String(shown.headers["content-type"]), /^application\/json/);
    assert.equal(shown.headers["x-content-type-options"], "nosniff");
    assert.equal(shown.body.metadata.description, HOSTILE);
    assert.deepEqual(shown.body.metadata.labels, labels);
    const { body } = await editor.get(`${RESOURCES}/node/hostile/yaml`);
    const about = { name: "hostile", revision: body.revision };
    const read = await check("node", body.yaml, about);
    assert.deepEqual(read.document.metadata.labels, labels);
    assert.equal(read.document.metadata.description, HOSTILE);
  });

  test("a key that JavaScript knows is a key like any other, or a fault; it changes nothing else", async () => {
    const yaml =
      "kind: role\nversion: v1\nmetadata: { name: proto }\nspec:\n  __proto__: { polluted: true }\n";
    const { faults } = await check("role", yaml);
    assert.deepEqual(
      (faults as Fault[]).map(({ line, path }) => [line, path]),
      [[5, "spec.__proto__"]],
    );
    assert.equal("polluted" in {}, false);
    const labelled =
      "kind: node\nversion: v1\nmetadata:\n  name: a\n  labels:\n    __proto__: x\nspec: { hostname: h, addr: 'h:22' }\n";
    const { faults: told } = await check("node", labelled);
    assert.deepEqual(
      (told as Fault[]).map(({ line, path }) => [line, path]),
      [[6, "metadata.labels.__proto__"]],
    );
  });

  test("a list can be narrowed by a field: who has a role", async () => {
    const users = await editor.get(`${RESOURCES}/user?field=role:editor`);
    assert.deepEqual(namesOf(users.body.items), ["ed", "fay"]);
    const bots = await editor.get(`${RESOURCES}/bot?field=role:access`);
    assert.deepEqual(namesOf(bots.body.items), ["robot"]);
    const wrong = await editor.get(`${RESOURCES}/user?field=role`);
    assert.match(wrong.body.error.message, /NAME:VALUE/);
  });

  test("a role that somebody has stays, and the refusal names who", async () => {
    const refused = await editor.delete(`${RESOURCES}/role/viewer`);
    assert.equal(refused.body.error.code, "bad_parameter");
    assert.match(refused.body.error.message, /still granted to user "vi"/);
  });

  test("who may reach an application, role by role", async () => {
    const name = `web:${crypto.randomUUID()}`;
    await cluster.put(
      {
        ...document("app", name, { uri: "http://h:1", host_id: name.slice(4) }),
        metadata: { name, labels: { env: "prod", owner: "ada" } },
      },
      document("role", "prod", { allow: { app_labels: { env: ["prod"] } } }),
      document("role", "not-ada", { deny: { app_labels: { owner: ["ada"] } } }),
      document("role", "own", { allow: { app_labels: { owner: ["{{internal.name}}"] } } }),
    );
    const { body } = await viewer.get(`${RESOURCES}/app/${name}/openers`);
    assert.deepEqual(body, { allow: ["access", "prod"], deny: ["not-ada"], by_traits: ["own"] });
    const wrong = await editor.get(`${RESOURCES}/user/ed/openers`);
    assert.equal(wrong.status, 400);
  });

  test("the schema of a kind is the one that tctl prints", async () => {
    const { body } = await editor.get(`${SITE}/schemas/roles`);
    assert.equal(body.title, "Tenon role");
    assert.ok(body.properties.spec.properties.allow);
    assert.equal((await editor.get(`${SITE}/schemas/planet`)).status, 400);
  });

  suite("join tokens", () => {
    before(async () => {
      const bound = { roles: ["Bot"], bot_name: "robot", join_method: "bound_keypair" };
      const settings = { recovery: { limit: 2 } };
      await editor.post(`${RESOURCES}/token`, {
        ...document("token", "robot", { ...bound, bound_keypair: settings }, "v2"),
      });
      const single = { roles: ["App"], join_method: "token" };
      await editor.post(`${RESOURCES}/token`, document("token", SECRET, single, "v2"));
    });

    test("a name that is the secret stands in no address: an id does", async () => {
      const { items } = (await editor.get("/v1/webapi/tokens?role=App")).body;
      const [{ id, name }] = items;
      assert.equal(name, "0123…");
      assert.ok(!JSON.stringify(items).includes(SECRET));
      const hidden = (await editor.get(`${RESOURCES}/token/${id}/yaml`)).body;
      assert.equal(hidden.has_secrets, true);
      assert.ok(!JSON.stringify(hidden).includes(SECRET));
      const shown = (await editor.get(`${RESOURCES}/token/${id}/yaml?secrets=shown`)).body;
      assert.ok(shown.yaml.includes(SECRET));
      assert.equal((await editor.get(`${SITE}/tokens/${id}`)).body.join_method, "token");
      assert.equal((await editor.delete(`${RESOURCES}/token/${id}`)).status, 200);
      assert.equal((await editor.get(`${SITE}/tokens/${id}`)).status, 404);
    });

    test("tokens and locks are searched on the server", async () => {
      const found = (await editor.get("/v1/webapi/tokens?search=ROBO")).body;
      assert.deepEqual(
        (found.items as { name: string }[]).map(({ name }) => name),
        ["robot"],
      );
      assert.deepEqual((await editor.get("/v1/webapi/tokens?search=planet")).body.items, []);
      await cluster.lock({ user: "someone" }, "away");
      const locks = (await editor.get(`${SITE}/locks?search=someone`)).body.items;
      assert.deepEqual(
        (locks as { targets: object }[]).map(({ targets }) => targets),
        [{ user: "someone" }],
      );
      assert.deepEqual((await editor.get(`${SITE}/locks?search=planet`)).body.items, []);
    });

    test("a registration secret is hidden until it is asked for", async () => {
      const stored = await cluster.resources.require("token", "robot");
      const secret = stored.status!.bound_keypair!.registration_secret!;
      const hidden = (await editor.get(`${RESOURCES}/token/robot/yaml`)).body;
      assert.equal(hidden.has_secrets, true);
      assert.ok(!JSON.stringify(hidden).includes(secret));
      const shown = (await editor.get(`${RESOURCES}/token/robot/yaml?secrets=shown`)).body;
      assert.ok(shown.status.includes(secret));
    });

    test("state and recoveries of a bound key, and what would lock it", async () => {
      const before = (await editor.get(`${SITE}/tokens/robot`)).body;
      assert.equal(before.state, "unused");
      assert.deepEqual([before.recoveries_left, before.recovery_limit], [2, 2]);
      assert.deepEqual(before.lock_targets, []);
      const token = await cluster.resources.require("token", "robot");
      const bound = token.status!.bound_keypair!;
      const used = {
        ...bound,
        bound_public_key: KEY,
        bound_bot_instance_id: crypto.randomUUID(),
        recovery_count: 1,
      };
      const spec = {
        ...token.spec,
        bound_keypair: { ...token.spec.bound_keypair!, rotate_after: "2026-01-01T00:00:00Z" },
      };
      await cluster.put({ ...token, spec, status: { bound_keypair: used } });
      const after = (await editor.get(`${SITE}/tokens/robot`)).body;
      assert.equal(after.state, "rotation due");
      assert.equal(after.recoveries_left, 1);
      assert.ok(after.lock_targets.includes("join_token:robot"));
      assert.ok(after.lock_targets.includes("user:bot-robot"));
    });

    test("a lock on a public key is known by its fingerprint, as tokens name theirs", async () => {
      const name = await cluster.lock({ public_key: KEY });
      const { lock_targets } = (await editor.get(`${SITE}/tokens/robot`)).body;
      const { items } = (await editor.get(`${SITE}/locks`)).body;
      const found = (items as { name: string; key: string }[]).find((each) => each.name === name);
      assert.match(found!.key, /^public_key:SHA256:/);
      assert.ok(lock_targets.includes(found!.key));
      assert.equal((await editor.delete(`${SITE}/locks/${name}`)).status, 200);
    });

    test("a reset removes the locks that joining made, and says until when", async () => {
      const { status, body } = await editor.post(`${SITE}/tokens/robot/reset`);
      assert.equal(status, 200);
      assert.deepEqual(body.locks, []);
      assert.ok(Date.parse(body.until) > Date.now());
      assert.equal((await editor.get(`${SITE}/tokens/robot`)).body.state, "reset");
      assert.equal((await editor.post(`${SITE}/tokens/nothing/reset`)).status, 404);
    });

    test("none of it without a second factor, nor for who may not", async () => {
      const fresh = await verifiedClient(cluster, "fay", { factor: false });
      const asked = [
        await fresh.get(`${SITE}/tokens/robot`),
        await fresh.get(`${RESOURCES}/token/robot/yaml`),
        await fresh.post(`${SITE}/tokens/robot/reset`),
        await fresh.post(`${SITE}/users/vi/invitation`, {}),
      ];
      for (const { status, body } of asked) {
        assert.equal(status, 403);
        assert.equal(body.error.requires_mfa, true);
      }
      const refused = [
        await viewer.get(`${SITE}/tokens/robot`),
        await viewer.post(`${SITE}/tokens/robot/reset`),
        await viewer.post(`${SITE}/users/ed/invitation`, {}),
        await viewer.get(`${SITE}/users/ed/sign-in`),
      ];
      for (const { status, body } of refused) {
        assert.equal(status, 403);
        assert.equal(body.error.code, "access_denied");
        assert.equal(body.error.requires_mfa, undefined);
      }
    });
  });

  test("a user is invited by a link that lets the person in, and how they sign in is seen", async () => {
    await editor.post(`${RESOURCES}/user`, document("user", "carol", { roles: ["viewer"] }));
    const none = (await editor.get(`${SITE}/users/carol/sign-in`)).body;
    assert.deepEqual(none, { password: false, passkeys: 0 });
    const { url, expires } = (await editor.post(`${SITE}/users/carol/invitation`, {})).body;
    assert.match(url, /\/web\/invitation#\S+/);
    assert.ok(Date.parse(expires) > Date.now());
    await verifiedClient(cluster, "carol", { url });
    const some = (await editor.get(`${SITE}/users/carol/sign-in`)).body;
    assert.deepEqual(some, { password: true, passkeys: 0 });
    const bot = await editor.post(`${SITE}/users/bot-robot/invitation`, {});
    assert.match(bot.body.error.message, /belongs to a bot/);
  });

  test("the cluster's settings are changed with their revision, and its authorities say how they are", async () => {
    const { body } = await editor.get(`${RESOURCES}/cluster_config/cluster/yaml`);
    const yaml = `${body.yaml}  audit_retention: 100h\n`;
    const about = { name: "cluster", revision: body.revision };
    const { document: read } = await check("cluster_config", yaml, about);
    const written = await editor.put(`${RESOURCES}/cluster_config`, read);
    assert.equal(written.body.document.spec.audit_retention, "100h");
    const { authorities, resync_until } = (await editor.get(`${SITE}/status`)).body;
    const [first] = authorities as Record<string, unknown>[];
    assert.equal(first!["phase"], "standby");
    assert.ok(Date.parse(String(first!["not_after"])) > Date.now());
    assert.equal(resync_until, "");
  });
});

interface Fault {
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly message: string;
}

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8l5Z0zQm5cY9pVQmY5bZ0b2pX8m7m2mZ3q4Zp6Yw1a";

const namesOf = (items: readonly { metadata: { name: string } }[]): string[] =>
  items.map(({ metadata }) => metadata.name);

const document = (kind: string, name: string, spec: object, version = "v1") => ({
  kind,
  version,
  metadata: { name },
  spec,
});
