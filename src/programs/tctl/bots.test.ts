import { generateKeyPair, privateKeyPem, sshPublicKeyLine } from "#base/crypto";
import { parseJoinUri } from "#domain/join";
import { AdminCluster } from "#testing/admin-cluster";
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { tctl } from "./program.ts";

describe("tctl for bots", () => {
  let cluster: AdminCluster;
  before(async () => {
    cluster = await AdminCluster.open(tctl);
  });
  after(async () => await cluster[Symbol.asyncDispose]());

  const INSTANCE = "0f8e7a60-1111-4222-8333-444455556666";
  const instance = (bot: string, id = INSTANCE): object => ({
    kind: "bot_instance",
    version: "v1",
    metadata: { name: `${bot}:${id}` },
    spec: { bot_name: bot, instance_id: id },
    status: {
      generation: 3,
      latest_authentications: [
        {
          time: "2026-01-02T03:04:05.678Z",
          join_method: "bound_keypair",
          token: bot,
          generation: 3,
          key_fingerprint: "ab",
          remote_addr: "192.0.2.1",
          recovery: true,
        },
      ],
      latest_heartbeats: [
        {
          time: "2026-01-02T03:05:00Z",
          version: "1.0.0",
          hostname: "evil\u001b[31mhost",
          os: "linux",
          architecture: "x64",
          uptime_seconds: 5,
          one_shot: false,
          kind: "tbot",
          configuration: "",
        },
      ],
      service_health: [
        {
          name: "identity-1",
          type: "identity",
          status: "healthy",
          updated_at: "2026-01-02T03:05:00Z",
        },
      ],
    },
  });

  describe("tctl bots add", () => {
    it("makes a bot and its token, and prints a join URI with the server's secret", async () => {
      const added = await cluster.json<{
        join_uri: string;
        command: string;
      }>("bots add robot --roles access --logins root,ubuntu");
      const uri = parseJoinUri(added.join_uri);
      const token = await cluster.resources.require("token", "robot");
      assert.equal(uri.parameter, token.status?.bound_keypair?.registration_secret);
      assert.match(uri.parameter ?? "", /^\S{16,}$/);
      assert.deepEqual([uri.host, uri.port, uri.method], ["example.test", 3080, "bound_keypair"]);
      assert.match(uri.caPins[0]!, /^sha256:/);
      assert.equal(
        added.command,
        `tbot start identity --destination ./robot --join-uri '${added.join_uri}'`,
      );
      const bot = await cluster.resources.require("bot", "robot");
      assert.deepEqual(bot.spec.traits, [{ name: "logins", values: ["root", "ubuntu"] }]);
    });

    it("tells people what to do next, and how long they have", async () => {
      const text = await cluster.out("bots add talkative --roles access");
      assert.match(text, /^bot\/talkative created with access\n/);
      assert.match(text, /Join URI; keep it secret, it is good for one machine until 20\d\d-/);
      assert.match(
        text,
        /\n {2}tbot start identity --destination \.\/talkative --join-uri 'tbot\+/,
      );
    });

    it("repeats in what it tells to paste how it was led to the cluster", async () => {
      const directory = join(cluster.directory, ".");
      const text = await cluster.out(`--data-dir ${directory} bots add led --roles access`);
      assert.ok(text.endsWith(`Watch it: tctl --data-dir ${directory} bots instances ls led\n`));
    });

    it("takes the settings of the join method", async () => {
      await cluster.out(
        "bots add picky --roles access,auditor --recovery-limit 5 --recovery-mode relaxed --token picky-token --max-session-ttl 2h --ttl 10m",
      );
      const { spec } = await cluster.resources.require("token", "picky-token");
      assert.deepEqual(spec.bound_keypair?.recovery, { limit: 5, mode: "relaxed" });
      const until = Date.parse(spec.bound_keypair?.onboarding.must_register_before ?? "");
      assert.ok(Math.abs(until - Date.now() - 600_000) < 60_000);
      const bot = await cluster.resources.require("bot", "picky");
      assert.equal(bot.spec.max_session_ttl, "2h");
    });

    it("takes a public key instead of a secret", async () => {
      const file = join(cluster.directory, "id.pub");
      const line = sshPublicKeyLine(generateKeyPair("ed25519").publicKey, "machine");
      await writeFile(file, `${line}\n`);
      const added = await cluster.json(`bots add keyed --roles access --public-key ${file}`);
      assert.equal(parseJoinUri(added["join_uri"]!).parameter, undefined);
      assert.equal(added["expires"], "");
      const { spec } = await cluster.resources.require("token", "keyed");
      assert.equal(spec.bound_keypair?.onboarding.initial_public_key, line);
    });

    it("makes a token that is itself the secret with --join-method token", async () => {
      const added = await cluster.json("bots add simple --roles access --join-method token");
      const uri = parseJoinUri(added["join_uri"]!);
      assert.equal(uri.method, "token");
      assert.match(uri.token, /^[0-9a-f]{32}$/);
      const token = await cluster.resources.require("token", uri.token);
      assert.ok(token.metadata.expires);
    });

    it("refuses a private key without reading it any further", async () => {
      const file = join(cluster.directory, "id");
      await writeFile(file, privateKeyPem(generateKeyPair("ed25519").privateKey));
      const ran = await cluster.run(`bots add nokey --roles access --public-key ${file}`);
      assert.equal(ran.code, 1);
      assert.match(ran.err, /is a private key, which must stay on its machine; give its \.pub/);
    });

    const refusals: readonly (readonly [line: string, code: number, message: RegExp])[] = [
      ["bots add", 2, /missing required argument 'name'/],
      ["bots add x", 2, /--roles: is required/],
      ["bots add x --roles access --ttl 1y", 2, /--ttl: must be a duration .*; got "1y"/],
      [
        "bots add x --roles access --join-method tokn",
        2,
        /--join-method: .*did you mean "token"\?/,
      ],
      [
        "bots add x --roles access --join-method token --recovery-limit 2",
        2,
        /--recovery-limit: needs --join-method bound_keypair/,
      ],
      [
        "bots add x --roles access --recovery-limit 0",
        2,
        /--recovery-limit: must be at least 1; got 0/,
      ],
      ["bots add x --roles acess", 1, /did you mean "access"\?/],
      ["bots add robot --roles access", 1, /bot "robot" already exists/],
      ["bots add bad/name --roles access", 1, /metadata\.name: must start with a letter or digit/],
      [
        "bots add x --roles access --public-key /nowhere",
        1,
        /cannot read the public key "\/nowhere"/,
      ],
      ["bots add x --rolls access", 2, /unknown option '--rolls'\n\(Did you mean --roles\?\)/],
      ["bots ad x", 2, /unknown command 'ad'\n\(Did you mean add\?\)/],
    ];
    for (const [line, code, message] of refusals)
      it(`refuses: ${line}`, async () => {
        const ran = await cluster.run(line);
        assert.match(ran.err, message);
        assert.equal(ran.code, code);
        assert.equal(ran.out, "");
        assert.equal(await cluster.resources.get("bot", "x"), undefined);
      });
  });

  describe("tctl bots", () => {
    before(async () => {
      await cluster.out("bots add worker --roles access");
      await cluster.put(instance("worker"));
    });

    it("ls shows what each has left", async () => {
      const text = await cluster.out("bots ls");
      assert.match(text, /^Name +Roles +Instances +Last active +Joins left\n-+ /);
      assert.match(text, /^worker +access +1 +2026-01-02T03:05:00Z +1 \(bound_keypair\)$/m);
    });

    it("instances ls shows machines, without letting them drive the terminal", async () => {
      const text = await cluster.out("bots instances ls worker");
      assert.match(text, new RegExp(`^worker +${INSTANCE} +3 +evil\\\\x1b\\[31mhost `, "m"));
      assert.match(text, /1 healthy$/m);
      assert.equal(await cluster.out("bots instances ls robot"), "No bot instance found.\n");
    });

    it("instances show takes the whole name or the beginning of the id", async () => {
      for (const name of [`worker/${INSTANCE}`, `worker:${INSTANCE}`, INSTANCE.slice(0, 8)]) {
        const text = await cluster.out(`bots instances show ${name}`);
        assert.match(text, /^Bot: +worker\nInstance: +0f8e7a60-/);
        assert.match(text, /^2026-01-02T03:04:05Z +recovery +bound_keypair +3 +192\.0\.2\.1$/m);
      }
      const shown = await cluster.json(`bots instances show ${INSTANCE}`);
      assert.equal(shown["kind"], "bot_instance");
    });

    it("instances show says when there is none, or more than one", async () => {
      const none = await cluster.run("bots instances show ffffffff");
      assert.match(none.err, /no bot instance "ffffffff"; list them: tctl bots instances ls/);
      await cluster.put(instance("worker", `${INSTANCE.slice(0, -1)}7`));
      const two = await cluster.run(`bots instances show ${INSTANCE.slice(0, 8)}`);
      assert.match(two.err, /2 bot instances begin with "0f8e7a60"; give more of it/);
      assert.equal(two.code, 2);
    });

    it("rm takes everything that belongs to the bot, and says so", async () => {
      await cluster.out("bots add doomed --roles access");
      const lines = (await cluster.out("bots rm doomed")).trim().split("\n");
      assert.deepEqual(lines.toSorted(), [
        "bot/doomed removed",
        "role/bot-doomed removed",
        "token/doomed removed",
        "user/bot-doomed removed",
      ]);
      assert.equal((await cluster.run("bots rm doomed")).code, 1);
    });
  });

  describe("tctl tokens", () => {
    it("add prints what makes an application agent join", async () => {
      const added = await cluster.json("tokens add --type app --ttl 30m");
      const token = added["token"]!;
      assert.match(token, /^[0-9a-f]{32}$/);
      const command: string = added["command"]!;
      assert.match(command, /^tenon app start --name NAME --uri http:\/\/localhost:8080 /);
      assert.ok(
        command.includes(` --proxy-server example.test:3080 --token ${token} --ca-pin sha256:`),
      );
      const stored = await cluster.resources.require("token", token);
      assert.deepEqual(stored.spec.roles, ["App"]);
      assert.ok(Math.abs(Date.parse(stored.metadata.expires!) - Date.now() - 1_800_000) < 60_000);
    });

    it("add prints a join URI for a bot", async () => {
      const text = await cluster.out("tokens add --type bot --bot robot");
      assert.match(text, /^The token for Bot, good for one join until 20/);
      assert.match(text, /--join-uri 'tbot\+proxy\+token:\/\/[0-9a-f]{32}@example\.test:3080/);
    });

    it("add refuses what cannot be", async () => {
      for (const [line, message] of [
        ["tokens add", /--type: is required; it must be one of bot, node, app/],
        ["tokens add --type ap", /--type: must be one of .*did you mean "app"\?/],
        ["tokens add --type bot", /--bot: is required with --type bot/],
        ["tokens add --type app --bot robot", /--bot: needs --type bot/],
      ] as const) {
        const ran = await cluster.run(line);
        assert.equal(ran.code, 2);
        assert.match(ran.err, message);
      }
    });

    it("ls and rm see and remove it", async () => {
      const { token } = await cluster.json("tokens add --type node");
      assert.match(
        await cluster.out("tokens ls"),
        new RegExp(`^${token} +token +Node +1 +20`, "m"),
      );
      await cluster.out(`tokens rm ${token}`);
      assert.doesNotMatch(await cluster.out("tokens ls"), new RegExp(token!));
    });
  });
});
