import { generateKeyPair, sshFingerprint, sshPublicKeyLine } from "#base/crypto";
import { parseJoinUri } from "#domain/join";
import { JOIN_TOKEN_LABEL, writeOf } from "#domain/resources";
import { AdminCluster } from "#testing/admin-cluster";
import assert from "node:assert/strict";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { tctl } from "./program.ts";

const INSTANCE = "0f8e7a60-1111-4222-8333-444455556666";
const KEY = sshPublicKeyLine(generateKeyPair("ed25519").publicKey);

describe("tctl for bound keypairs", () => {
  let cluster: AdminCluster;
  beforeEach(async () => {
    cluster = await AdminCluster.open(tctl);
    await cluster.out("bots add robot --roles access --recovery-limit 5");
  });
  afterEach(async () => await cluster[Symbol.asyncDispose]());

  /** As after two joins. */
  async function bind(name = "robot", status: object = {}): Promise<void> {
    const token = await cluster.resources.require("token", name);
    const bound_keypair = {
      bound_public_key: KEY,
      first_instance_id: INSTANCE,
      bound_bot_instance_id: INSTANCE,
      recovery_count: 2,
      recovery_sequence: 2,
      last_recovered_at: "2026-01-02T03:04:05.678Z",
      ...status,
    };
    await cluster.store.commit([writeOf({ ...token, status: { bound_keypair } }, "update")]);
  }

  const settings = async (name = "robot") =>
    (await cluster.resources.require("token", name)).spec.bound_keypair!;
  const lock = async (name: string, target: object, labels = {}): Promise<void> =>
    await cluster.put({
      kind: "lock",
      version: "v2",
      metadata: { name, labels },
      spec: { target },
    });

  describe("tctl bound-keypair ls", () => {
    it("shows whose the keys are, what is left, and what is up with them", async () => {
      const states = async (): Promise<unknown> =>
        (await cluster.json<{ state: string }[]>("bound-keypair ls")).map(({ state }) => state);
      assert.deepEqual(await states(), ["unused"]);
      await bind();
      assert.deepEqual(await states(), ["bound"]);
      await cluster.out("bound-keypair rotate robot");
      assert.deepEqual(await states(), ["rotation due"]);
      await cluster.out("bound-keypair reset robot");
      assert.deepEqual(await states(), ["reset"]);
      await lock("l", { bot_instance_id: INSTANCE });
      assert.deepEqual(await states(), ["locked"]);
      const text = await cluster.out("bound-keypair ls");
      assert.match(text, /^Token +For +State +Key +Used +Left +Last recovered/);
      const fingerprint = sshFingerprint(KEY).replaceAll("+", "\\+");
      assert.match(
        text,
        new RegExp(`^robot +robot +locked +${fingerprint} +2 +3 +2026-01-02T03:04:05Z`, "m"),
      );
    });

    it("counts a lock only while it holds", async () => {
      await bind();
      await cluster.put({
        kind: "lock",
        version: "v2",
        metadata: { name: "old" },
        spec: { target: { join_token: "robot" }, expires: "2020-01-01T00:00:00Z" },
      });
      const [row] = await cluster.json<{ state: string }[]>("bound-keypair ls");
      assert.equal(row?.state, "bound");
    });
  });

  describe("tctl bound-keypair rotate", () => {
    it("asks for another key at the next join, or later", async () => {
      assert.match(await cluster.out("bound-keypair rotate robot"), /first join after 20\d\d-/);
      const now = Date.parse((await settings()).rotate_after!);
      assert.ok(Math.abs(now - Date.now()) < 60_000);
      await cluster.out("bound-keypair rotate robot --at 2h");
      const later = Date.parse((await settings()).rotate_after!);
      assert.ok(Math.abs(later - Date.now() - 7_200_000) < 60_000);
      await cluster.out("bound-keypair rotate robot --at 2030-01-01T00:00:00Z");
      assert.equal((await settings()).rotate_after, "2030-01-01T00:00:00Z");
      assert.match(
        await cluster.out("bound-keypair rotate robot --at never"),
        /not to be replaced/,
      );
      assert.equal((await settings()).rotate_after, undefined);
    });

    it("is refused for another method, and with a time that is none", async () => {
      const { token } = await cluster.json("tokens add --type app");
      const other = await cluster.run(`bound-keypair rotate ${token}`);
      assert.equal(other.code, 1);
      assert.match(other.err, /is of join method "token"/);
      assert.doesNotMatch(other.err, new RegExp(token!));
      assert.equal((await cluster.run("bound-keypair rotate robot --at soon")).code, 2);
    });
  });

  describe("tctl bound-keypair reset", () => {
    it("tells what it removed, and how long the machine has", async () => {
      await bind();
      await lock("join-state-robot", { join_token: "robot" }, { [JOIN_TOKEN_LABEL]: "robot" });
      await lock("mine", { join_token: "robot" });
      const text = await cluster.out("bound-keypair reset robot");
      assert.match(text, /^lock\/join-state-robot removed\n/);
      assert.match(text, /token\/robot reset: until 20\d\d-.* the next attempt of its key/);
      assert.doesNotMatch(text, /mine/);
      const { status } = await cluster.resources.require("token", "robot");
      assert.ok(status?.bound_keypair?.reset);
    });

    it("says that there is nothing to reset before the first join", async () => {
      assert.match(await cluster.out("bound-keypair reset robot"), /has no bound key yet/);
      assert.match((await cluster.run("bound-keypair reset robo")).err, /did you mean "robot"/);
    });
  });

  describe("tctl tokens update", () => {
    it("raises and lowers the limit, whatever is used, and leaves the status alone", async () => {
      await bind();
      for (const limit of [9, 1, 3]) {
        await cluster.out(`tokens update robot --recovery-limit ${limit}`);
        assert.equal((await settings()).recovery.limit, limit);
      }
      const { status } = await cluster.resources.require("token", "robot");
      assert.equal(status?.bound_keypair?.recovery_count, 2);
      assert.equal(status?.bound_keypair?.bound_public_key, KEY);
    });

    it("changes the mode, the times, and what is for people", async () => {
      await cluster.out(
        "tokens update robot --recovery-mode relaxed --rotate-after 2030-01-01T00:00:00Z --must-register-before 3h --expires 2031-01-01T00:00:00Z --description mine",
      );
      const { metadata, spec } = await cluster.resources.require("token", "robot");
      assert.equal(spec.bound_keypair?.recovery.mode, "relaxed");
      assert.equal(spec.bound_keypair?.recovery.limit, 5);
      assert.equal(spec.bound_keypair?.rotate_after, "2030-01-01T00:00:00Z");
      const until = Date.parse(spec.bound_keypair?.onboarding.must_register_before ?? "");
      assert.ok(Math.abs(until - Date.now() - 3 * 3_600_000) < 60_000);
      assert.deepEqual([metadata.expires, metadata.description], ["2031-01-01T00:00:00Z", "mine"]);
      await cluster.out(
        "tokens update robot --rotate-after never --must-register-before never --expires never",
      );
      const token = await cluster.resources.require("token", "robot");
      assert.equal(token.spec.bound_keypair?.rotate_after, undefined);
      assert.equal(token.spec.bound_keypair?.onboarding.must_register_before, undefined);
      assert.equal(token.metadata.expires, undefined);
    });

    const refused: readonly (readonly [string, string, number, RegExp])[] = [
      ["nothing", "tokens update robot", 2, /nothing to change/],
      ["a limit of nothing", "tokens update robot --recovery-limit 0", 2, /recovery-limit/],
      ["a mode that is none", "tokens update robot --recovery-mode lax", 2, /recovery-mode/],
      ["a time that is none", "tokens update robot --rotate-after soon", 2, /rotate-after/],
      ["no such token", "tokens update robo --recovery-limit 2", 1, /did you mean "robot"/],
    ];
    for (const [what, line, code, message] of refused)
      it(`refuses ${what}`, async () => {
        const ran = await cluster.run(line);
        assert.equal(ran.code, code, ran.err);
        assert.match(ran.err, message);
      });

    it("changes what is there now when someone else is quicker", async () => {
      const lines = ["--recovery-limit 7", "--recovery-mode relaxed", "--rotate-after 1h"];
      const ran = await Promise.all(
        lines.map((flags) => cluster.run(`tokens update robot ${flags}`)),
      );
      assert.deepEqual(
        ran.map(({ code }) => code),
        [0, 0, 0],
      );
      const { recovery, rotate_after } = await settings();
      assert.deepEqual(recovery, { limit: 7, mode: "relaxed" });
      assert.ok(rotate_after);
    });
  });

  describe("tctl bots update", () => {
    it("adds, removes and sets roles, logins and the longest session", async () => {
      const roles = async () => (await cluster.resources.require("bot", "robot")).spec.roles;
      await cluster.out("bots update robot --add-roles auditor,access");
      assert.deepEqual(await roles(), ["access", "auditor"]);
      await cluster.out("bots update robot --remove-roles access --add-roles editor");
      assert.deepEqual(await roles(), ["auditor", "editor"]);
      await cluster.out("bots update robot --set-roles access");
      assert.deepEqual(await roles(), ["access"]);
      await cluster.out("bots update robot --max-session-ttl 2h --set-logins root,ubuntu");
      const { spec } = await cluster.resources.require("bot", "robot");
      assert.equal(spec.max_session_ttl, "2h");
      assert.deepEqual(spec.traits, [{ name: "logins", values: ["root", "ubuntu"] }]);
    });

    it("changes the recoveries of its token, with the rest or alone", async () => {
      const text = await cluster.out("bots update robot --add-roles auditor --recovery-limit 7");
      assert.equal(text, "bot/robot changed\ntoken/robot changed\n");
      assert.equal((await settings()).recovery.limit, 7);
      assert.equal(
        await cluster.out("bots update robot --recovery-mode relaxed"),
        "token/robot changed\n",
      );
    });

    it("changes both or neither", async () => {
      const ran = await cluster.run("bots update robot --add-roles nonsense --recovery-limit 7");
      assert.equal(ran.code, 1);
      assert.match(ran.err, /role "nonsense"/);
      assert.equal((await settings()).recovery.limit, 5);
    });

    it("asks which token is meant where there are several", async () => {
      await cluster.out("bots instances add robot");
      const ran = await cluster.run("bots update robot --recovery-limit 3");
      assert.equal(ran.code, 2);
      assert.match(ran.err, /has the tokens "robot", "robot-2"; name one with --token/);
      await cluster.out("bots update robot --recovery-limit 3 --token robot-2");
      assert.equal((await settings("robot-2")).recovery.limit, 3);
      assert.equal((await settings()).recovery.limit, 5);
    });

    it("refuses contradictions, and nothing at all", async () => {
      for (const flags of ["", "--set-roles access --add-roles auditor"])
        assert.equal((await cluster.run(`bots update robot ${flags}`)).code, 2, flags);
      await cluster.out("bots add simple --roles access --join-method token");
      const ran = await cluster.run("bots update simple --recovery-limit 3");
      assert.match(ran.err, /has no token of join method bound_keypair/);
    });
  });

  describe("tctl bots instances add", () => {
    it("makes another token for the bot, and prints its join URI", async () => {
      const added = await cluster.json("bots instances add robot --recovery-limit 3");
      assert.equal(added["token"], "robot-2");
      const uri = parseJoinUri(added["join_uri"]!);
      const token = await cluster.resources.require("token", "robot-2");
      assert.equal(uri.token, "robot-2");
      assert.equal(uri.parameter, token.status?.bound_keypair?.registration_secret);
      assert.equal(token.spec.bot_name, "robot");
      assert.equal(token.spec.bound_keypair?.recovery.limit, 3);
      assert.match(await cluster.out("bots instances add robot"), /^token\/robot-3 created/);
    });

    it("needs a bot that is there", async () => {
      const ran = await cluster.run("bots instances add robo");
      assert.equal(ran.code, 1);
      assert.match(ran.err, /there is no bot "robo"; did you mean "robot"/);
    });
  });

  describe("tctl tokens add --join-method bound_keypair", () => {
    it("makes a token by which an agent can come back, and prints how it joins", async () => {
      const added = await cluster.json(
        "tokens add --type app --join-method bound-keypair --name web --recovery-limit 4",
      );
      const token = await cluster.resources.require("token", "web");
      assert.deepEqual(token.spec.roles, ["App"]);
      assert.equal(token.spec.bound_keypair?.recovery.limit, 4);
      assert.equal(token.metadata.expires, undefined);
      const uri = parseJoinUri(added["join_uri"]!);
      assert.equal(uri.parameter, token.status?.bound_keypair?.registration_secret);
      assert.equal(
        added["command"],
        `tenon app start --name NAME --uri http://localhost:8080 --join-uri '${added["join_uri"]}'`,
      );
      assert.match(
        await cluster.out("tokens add --type app --join-method bound_keypair"),
        /^token\/app-[0-9a-f]{8} created for App\n\nJoin URI; keep it secret/,
      );
    });

    it("has no settings of a bound keypair without one", async () => {
      assert.equal((await cluster.run("tokens add --type app --recovery-limit 4")).code, 2);
    });
  });

  it("instances and tokens are listed with the recoveries that they have used and left", async () => {
    await bind();
    await cluster.put({
      kind: "bot_instance",
      version: "v1",
      metadata: { name: `robot:${INSTANCE}` },
      spec: { bot_name: "robot", instance_id: INSTANCE },
      status: { generation: 4 },
    });
    const instances = await cluster.out("bots instances ls");
    assert.match(instances, /^Bot +Instance +Token +Recoveries +Left +Generation/);
    assert.match(instances, new RegExp(`^robot +${INSTANCE} +robot +2 +3 +4`, "m"));
    const tokens = await cluster.out("tokens ls");
    assert.match(tokens, /^Name +Method +Roles +Bot +Recoveries +Joins left/);
    assert.match(tokens, /^robot +bound_keypair +Bot +robot +2 +3 /m);
  });

  it("alerts are listed, and shown with the status", async () => {
    assert.equal(await cluster.out("alerts ls"), "No alerts.\n");
    await bind();
    await cluster.put({
      kind: "cluster_config",
      version: "v1",
      metadata: { name: "cluster" },
      spec: { cluster_name: "example.test", recovery_alert_threshold: 4 },
    });
    assert.match(
      await cluster.out("alerts ls"),
      /^recoveries_low +warning +token\/robot +token "robot" of bot "robot" has 3 of 5/m,
    );
    assert.match(await cluster.out("status"), /^recoveries_low +warning /m);
    const { alerts } = await cluster.json<{ alerts: { subject: string }[] }>("status");
    assert.deepEqual(
      alerts.map(({ subject }) => subject),
      ["token/robot"],
    );
    await cluster.out("tokens update robot --recovery-limit 6");
    assert.equal(await cluster.out("alerts ls"), "No alerts.\n");
  });

  it("the resync window is opened, shown and ended", async () => {
    assert.match(await cluster.out("cluster restored"), /^the resync window is open until 20\d\d-/);
    assert.match(await cluster.out("status"), /^Resync until: +20\d\d-/m);
    assert.match(await cluster.out("alerts ls"), /^resync_window +info +cluster/m);
    assert.equal(await cluster.out("cluster restored --end"), "the resync window has ended\n");
    assert.equal(await cluster.out("cluster restored --end"), "no resync window was open\n");
    assert.doesNotMatch(await cluster.out("status"), /Resync/);
  });

  it("a backup is written where one asks, and never over a file", async () => {
    const file = join(cluster.directory, "backup.db");
    const text = await cluster.out(`backup --out ${file}`);
    assert.match(text, new RegExp(`^${file} holds the whole cluster \\(8 bytes\\)`));
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal(await readFile(file, "utf8"), "a backup");
    assert.equal((await cluster.run(`backup --out ${file}`)).code, 1);
    assert.equal((await cluster.run("backup")).code, 2);
  });
});
