import { type AnyResource, parseDocument, writeOf } from "#domain/resources";
import { AdminCluster } from "#testing/admin-cluster";
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { parse as parseYamlText } from "yaml";
import { tctl } from "./program.ts";

describe("tctl for resources", () => {
  let cluster: AdminCluster;
  before(async () => {
    cluster = await AdminCluster.open(tctl);
    await cluster.out("bots add robot --roles access");
    await cluster.out("bots add picky --roles access --token picky-token");
  });
  after(async () => await cluster[Symbol.asyncDispose]());

  const ROLE = `kind: role
version: v1
metadata:
  name: NAME
spec:
  allow:
    logins: [root]
`;

  describe("tctl get", () => {
    it("shows a kind, by any of its names, as a table", async () => {
      for (const kind of ["role", "roles"])
        assert.match(await cluster.out(`get ${kind}`), /^Name +Logins +Applications +Rules/);
    });

    it("shows several kinds and single resources together", async () => {
      const text = await cluster.out("get bot/robot,users role/access");
      assert.match(text, /^robot +access/m);
      assert.match(text, /^bot-robot +bot-robot/m);
      assert.match(text, /^access +/m);
      assert.doesNotMatch(text, /^picky +access/m);
    });

    it("gives YAML that create accepts, of all the documents", async () => {
      const text = await cluster.out("get role/access,bot/robot --format yaml");
      assert.deepEqual(
        text.split("---\n").map((part) => (parseYamlText(part) as AnyResource).kind),
        ["role", "bot"],
      );
      const again = await cluster.out("create -f - --force --dry-run", {
        stdin: text.split("---\n")[1]!,
      });
      assert.equal(again, "bot/robot is valid; nothing was written\n");
    });

    it("gives one JSON document of one resource, a list of anything else", async () => {
      assert.equal((await cluster.json("get bot/robot"))["kind"], "bot");
      assert.ok(Array.isArray(await cluster.json("get bot/robot,bot/picky")));
      assert.ok(Array.isArray(await cluster.json("get bots")));
    });

    it("filters by label, text and field", async () => {
      const spec = "spec: {roles: [access]}";
      const user = (name: string, team: string) =>
        `kind: user\nversion: v1\nmetadata: {name: ${name}, labels: {team: ${team}}}\n${spec}\n`;
      await cluster.out("create -f -", {
        stdin: `${user("ann", "red")}---\n${user("ben", "blue")}`,
      });
      const names = async (line: string) =>
        (await cluster.json<AnyResource[]>(line)).map(({ metadata }) => metadata.name);
      assert.deepEqual(await names("get users --labels team=red"), ["ann"]);
      assert.deepEqual(await names("get users --search blue"), ["ben"]);
      assert.deepEqual(await names("get tokens --field bot_name=picky"), ["picky-token"]);
      const all = await names("get users");
      assert.deepEqual(await names("get users --descending"), all.toReversed());
    });

    it("reads every page", async () => {
      const lock = (index: number) => ({
        kind: "lock",
        version: "v2",
        metadata: { name: `many-${index}` },
        spec: { target: { login: `many-${index}` } },
      });
      const writes = Array.from({ length: 600 }, (_, index) =>
        writeOf(parseDocument(lock(index)), "create"),
      );
      await cluster.store.commit(writes);
      const locks = await cluster.json<AnyResource[]>("get locks --search many-");
      assert.equal(locks.length, 600);
    });

    const refusals: readonly (readonly [line: string, code: number, message: RegExp])[] = [
      ["get", 2, /missing required argument 'what'/],
      [
        "get bott",
        2,
        /"bott" is not a kind of resource; allowed: user, role, .*did you mean "bot"\?/,
      ],
      ["get bot/", 2, /"bot\/" names no bot after the slash/],
      ["get bot/robt", 1, /"robt".*robot/],
      ["get bots --labels team", 2, /--labels: "team" must be written key=value/],
      ["get bots --field nme=x", 1, /"nme" is not a field that bot can be filtered by/],
      ["get bots --sort size", 1, /bot cannot be sorted by "size"/],
      ["get bot/robot --search x", 2, /--labels and --search choose among a kind/],
      ["get bots --format xml", 2, /'xml' is invalid\. Allowed choices are text, json, yaml/],
    ];
    for (const [line, code, message] of refusals)
      it(`refuses: ${line}`, async () => {
        const ran = await cluster.run(line);
        assert.match(ran.err, message);
        assert.equal(ran.code, code);
      });
  });

  describe("tctl for what bots reach", () => {
    const INVENTORY = `kind: node
version: v1
metadata: { name: web-1, labels: { env: prod } }
spec: { hostname: web-1.example.com, addr: 10.0.0.7:22 }
---
kind: db
version: v1
metadata: { name: orders }
spec: { protocol: postgres, uri: "db.example.com:5432" }
---
kind: kube_cluster
version: v1
metadata: { name: main }
spec: { api_server: "https://10.0.0.1:6443" }
`;

    it("creates, shows and removes nodes, databases and Kubernetes clusters", async () => {
      const created = await cluster.out("create -f -", { stdin: INVENTORY });
      assert.equal(created, "node/web-1 created\ndb/orders created\nkube_cluster/main created\n");
      const text = await cluster.out("get nodes,databases,kube");
      assert.match(text, /^web-1 +web-1\.example\.com +10\.0\.0\.7:22 +env=prod$/m);
      assert.match(text, /^orders +postgres +db\.example\.com:5432/m);
      assert.match(text, /^main +https:\/\/10\.0\.0\.1:6443/m);
      for (const name of ["node/web-1", "db/orders", "kube/main"]) await cluster.out(`rm ${name}`);
      const told = await cluster.out("audit ls");
      for (const type of ["node.create", "db.delete", "kube_cluster.delete"])
        assert.ok(told.includes(type), type);
    });

    const faults: readonly (readonly [string, string, RegExp])[] = [
      ["10.0.0.7:22", "10.0.0.7", /spec\.addr: must be host:port/],
      ["10.0.0.7:22", "10.0.0.7:99999", /spec\.addr: must have a port of at most 65535/],
      ["postgres", "postgre", /spec\.protocol.*did you mean "postgres"/],
      ["https://10", "http://10", /spec\.api_server: must be an https:\/\/ address/],
    ];
    for (const [right, wrong, message] of faults)
      it(`refuses ${wrong}`, async () => {
        const ran = await cluster.run("create -f -", { stdin: INVENTORY.replace(right, wrong) });
        assert.match(ran.err, message);
        assert.equal(ran.code, 1);
      });
  });

  describe("tctl create", () => {
    const file = async (text: string): Promise<string> => {
      const path = join(cluster.directory, "create.yaml");
      await writeFile(path, text);
      return path;
    };

    it("creates every document of a file", async () => {
      const path = await file(
        `${ROLE.replace("NAME", "one")}---\n# nothing\n---\n${ROLE.replace("NAME", "two")}`,
      );
      assert.equal(await cluster.out(`create -f ${path}`), "role/one created\nrole/two created\n");
      assert.deepEqual((await cluster.resources.require("role", "two")).spec.allow.logins, [
        "root",
      ]);
    });

    it("creates all or none", async () => {
      const path = await file(
        `${ROLE.replace("NAME", "three")}---\n${ROLE.replace("NAME", "one")}`,
      );
      const ran = await cluster.run(`create -f ${path}`);
      assert.equal(ran.code, 1);
      assert.match(ran.err, /role "one" already exists/);
      assert.equal(await cluster.resources.get("role", "three"), undefined);
    });

    it("replaces with --force", async () => {
      const path = await file(ROLE.replace("NAME", "one").replace("root", "admin"));
      assert.equal(await cluster.out(`create --force -f ${path}`), "role/one written\n");
      assert.deepEqual((await cluster.resources.require("role", "one")).spec.allow.logins, [
        "admin",
      ]);
    });

    it("writes nothing with --dry-run", async () => {
      const path = await file(ROLE.replace("NAME", "dry"));
      assert.equal(
        await cluster.out(`create --dry-run -f ${path}`),
        "role/dry is valid; nothing was written\n",
      );
      assert.equal(await cluster.resources.get("role", "dry"), undefined);
    });

    it("takes JSON, and prints what was stored", async () => {
      const stdin = JSON.stringify({
        kind: "role",
        version: "v1",
        metadata: { name: "json" },
        spec: {},
      });
      const printed = JSON.parse(
        await cluster.out("create -f - --format json", { stdin }),
      ) as AnyResource[];
      assert.ok(printed[0]?.metadata.revision);
    });

    it("drops an incoming status, and says so", async () => {
      const stdin = `kind: bot\nversion: v1\nmetadata: {name: stated}\nspec: {roles: [access]}\nstatus: {user_name: x, role_name: y}\n`;
      const ran = await cluster.run("create -f -", { stdin });
      assert.equal(ran.code, 0, ran.err);
      assert.match(ran.err, /^note: .*status/);
      const bot = await cluster.resources.require("bot", "stated");
      assert.equal(bot.status?.user_name, "bot-stated");
    });

    it("tells all faults of all documents with their places, and writes nothing", async () => {
      const path = await file(
        `kind: role\nversion: v1\nmetadata: {name: bad}\nspec:\n  alow: {}\n---\nkind: rol\n---\nkind: bot\nversion: v1\nmetadata: {name: a b}\nspec: {roles: x}\n`,
      );
      const ran = await cluster.run(`create -f ${path}`);
      assert.equal(ran.code, 1);
      const at = path.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
      assert.match(ran.err, new RegExp(`^tctl: ${at} has 4 faults:\n`));
      assert.match(
        ran.err,
        new RegExp(`${at}:5:3: spec\\.alow: unknown field; did you mean "allow"\\?`),
      );
      assert.match(ran.err, new RegExp(`${at}:7:7: kind: must be one of user, role, .*"role"\\?`));
      assert.match(ran.err, new RegExp(`${at}:11:18: metadata\\.name: must start with a letter`));
      assert.match(ran.err, new RegExp(`${at}:12:15: spec\\.roles: must be a list; got "x"`));
      assert.equal(await cluster.resources.get("role", "bad"), undefined);
    });

    const refusals: readonly (readonly [line: string, code: number, message: RegExp])[] = [
      ["create", 2, /--file: is required/],
      ["create -f /nowhere.yaml", 1, /cannot read "\/nowhere\.yaml": ENOENT/],
      ["create -f /", 1, /cannot read "\/": EISDIR/],
      ["create -f -", 1, /standard input is empty/],
    ];
    for (const [line, code, message] of refusals)
      it(`refuses: ${line}`, async () => {
        const ran = await cluster.run(line);
        assert.match(ran.err, message);
        assert.equal(ran.code, code);
      });
  });

  describe("tctl rm", () => {
    it("removes several resources", async () => {
      await cluster.out("create -f -", {
        stdin: `${ROLE.replace("NAME", "r1")}---\n${ROLE.replace("NAME", "r2")}`,
      });
      assert.equal(await cluster.out("rm role/r1 role/r2"), "role/r1 removed\nrole/r2 removed\n");
    });

    it("refuses a kind alone, and what is not there", async () => {
      assert.equal((await cluster.run("rm roles")).code, 2);
      const ran = await cluster.run("rm role/acces");
      assert.equal(ran.code, 1);
      assert.match(ran.err, /"acces"/);
    });
  });

  describe("tctl lock", () => {
    it("locks one target for a time, and says how to unlock", async () => {
      const text = await cluster.out("lock --bot-instance-id abc --message gone --ttl 1h");
      const [, name] = /tctl rm lock\/(\S+)/.exec(text) ?? [];
      assert.match(text, /^bot_instance_id "abc" is locked until 20/);
      const { spec } = await cluster.resources.require("lock", name!);
      assert.deepEqual(spec.target, { bot_instance_id: "abc" });
      assert.equal(spec.message, "gone");
      assert.ok(Math.abs(Date.parse(spec.expires!) - Date.now() - 3_600_000) < 60_000);
      assert.match(await cluster.out("get locks --search abc"), /bot_instance_id:abc +gone/);
    });

    it("refuses none or two", async () => {
      for (const [line, message] of [
        ["lock", /the target is missing; give one of --user, --role, .*--public-key/],
        ["lock --user a --role b", /the target is given more than once/],
      ] as const) {
        const ran = await cluster.run(line);
        assert.equal(ran.code, 2);
        assert.match(ran.err, message);
      }
    });
  });

  describe("tctl users", () => {
    it("add, ls and rm", async () => {
      const text = await cluster.out(
        "users add carol --roles access,auditor --logins carol --traits team=a,b",
      );
      assert.match(text, /^user\/carol created with access, auditor\n/);
      const link = /^ {2}https:\/\/example\.test:3080\/web\/invitation#[0-9a-f]{64}$/m;
      assert.match(text, link);
      const again = await cluster.out("users reset carol");
      assert.match(again, link);
      assert.notEqual(link.exec(again)![0], link.exec(text)![0]);
      const { spec } = await cluster.resources.require("user", "carol");
      assert.deepEqual(spec.traits, { team: ["a", "b"], logins: ["carol"] });
      assert.match(await cluster.out("users ls"), /^carol +access, auditor +/m);
      assert.equal(await cluster.out("users rm carol"), "user/carol removed\n");
    });
  });
});
