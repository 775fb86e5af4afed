import { derFromPem, privateKeyFromPem } from "#base/crypto";
import { encodeIdentityFile } from "#domain/authority";
import { AdminCluster, runCaptured } from "#testing/admin-cluster";
import { TestAuthority } from "#testing/tls";
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { parse as parseYamlText } from "yaml";
import { tctl } from "./program.ts";

describe("tctl for the cluster", () => {
  let cluster: AdminCluster;
  before(async () => {
    cluster = await AdminCluster.open(tctl);
  });
  after(async () => await cluster[Symbol.asyncDispose]());

  describe("tctl status", () => {
    it("shows the cluster for people", async () => {
      const text = await cluster.out("status");
      assert.match(
        text,
        /^Cluster: +example\.test\nVersion: +1\.2\.3\nProxy: +example\.test:3080\n/,
      );
      assert.match(text, /CA pin: +sha256:[0-9a-f]{64}\n/);
      assert.match(text, /^user +standby +\S+ +20\d\d-\S+Z$/m);
      assert.match(text, /^role +[1-9]\d*$/m);
      assert.match(text, /^ +role +\d+$|^role +\d+$/m);
    });

    it("shows the same to programs", async () => {
      const status = await cluster.json<{ counts: { role: number } }>("status");
      assert.ok(status.counts.role > 0);
      const yaml = parseYamlText(await cluster.out("status --format yaml")) as object;
      assert.deepEqual(Object.keys(yaml), Object.keys(status));
    });
  });

  describe("tctl auth rotate", () => {
    const rotate = async (options: string): Promise<string> =>
      await cluster.out(`auth rotate ${options}`);

    it("starts a rotation that goes on by itself, shows it, and takes it back", async () => {
      const started = await rotate("--type user --grace-period 3h");
      assert.match(started, /^The user authority is now in phase init\.\n/);
      assert.match(started, /^user +init +20\S+Z +update_clients at 20\S+Z +old keys +0$/m);
      assert.match(started, /tctl auth export --type user/);
      assert.match(await rotate("--type user"), /already in phase init/);
      const status =
        await cluster.json<{ type: string; rotation?: { grace_period: string } }[]>(
          "auth rotate status",
        );
      assert.deepEqual(
        status.flatMap(({ type, rotation }) => (rotation ? [type, rotation.grace_period] : [])),
        ["user", "3h"],
      );
      assert.match(await rotate("--type user --phase rollback --manual"), /standby by command/);
      await rotate("--type user --phase standby");
      assert.match(await cluster.out("auth rotate status"), /^user +standby$/m);
      const events = await cluster.json<{ fields: { phase: string } }[]>(
        "audit ls --type ca.rotate --ascending",
      );
      assert.deepEqual(
        events.map(({ fields }) => fields.phase),
        ["init", "rollback", "standby"],
      );
    });

    it("takes a manual one through its phases, with both pins while it lasts", async () => {
      const pins = async (): Promise<number> =>
        [...(await cluster.out("status")).matchAll(/^CA pin:/gm)].length;
      for (const phase of ["init", "update_clients", "update_servers"]) {
        await rotate(`--type host --phase ${phase} --manual`);
        assert.equal(await pins(), 2);
      }
      await rotate("--type host --phase standby");
      assert.equal(await pins(), 1);
    });

    it("takes all at once", async () => {
      assert.match(await rotate("--type all --manual"), /^All authorities are now in phase init/);
      await rotate("--type all --phase rollback");
      await rotate("--type all --phase standby");
    });

    it("refuses what cannot be, with what can", async () => {
      const refused: readonly [string, RegExp][] = [
        ["", /type/],
        ["--type usr", /did you mean "user"\?/],
        ["--type user --phase update_clients", /no rotation .* under way.*"init" starts one/],
        [
          "--type user --grace-period 5m",
          /grace period of 5m is not possible; choose 10m to 2160h/,
        ],
        ["--type user --phase standby --grace-period 1h", /belongs to "init"/],
      ];
      for (const [options, message] of refused)
        assert.match((await cluster.run(`auth rotate ${options}`)).err, message, options);
      await rotate("--type app --manual");
      const late = await cluster.run("auth rotate --type app --phase update_servers");
      assert.match(
        late.err,
        /phase "init", from which "update_servers" cannot follow; take it to "update_clients" or "rollback"/,
      );
      assert.equal(late.code, 1);
    });
  });

  describe("tctl auth export", () => {
    it("prints the keys of an authority", async () => {
      assert.match(
        await cluster.out("auth export --type user"),
        /^cert-authority ssh-ed25519 AAAA/,
      );
      assert.match(
        await cluster.out("auth export --type host --format x509"),
        /^-----BEGIN CERTIFICATE-----\n/,
      );
    });

    it("refuses what there is not", async () => {
      assert.equal((await cluster.run("auth export")).code, 2);
      assert.match((await cluster.run("auth export --type usr")).err, /did you mean "user"\?/);
      assert.match(
        (await cluster.run("auth export --type join --format ssh")).err,
        /has no "ssh" form/,
      );
    });
  });

  describe("tctl audit ls", () => {
    it("shows the newest first, and filters", async () => {
      await cluster.out("bots add audited --roles access");
      const text = await cluster.out("audit ls --bot audited --limit 5");
      assert.match(text, /^Time +Event +Result +By +From +Details\n/);
      assert.match(text, /bot\.create +success +admin +local +name=audited roles=\["access"\]$/m);
      const events = await cluster.json<
        {
          type: string;
        }[]
      >("audit ls --type bot.create");
      assert.ok(events.length > 0 && events.every(({ type }) => type === "bot.create"));
    });

    it("takes times, and times ago", async () => {
      const count = async (line: string) =>
        (await cluster.json<object[]>(`audit ls ${line}`)).length;
      assert.ok((await count("--from 1h")) > 0);
      assert.equal(await count("--to 1h"), 0);
      assert.equal(await count("--from 2099-01-01T00:00:00Z"), 0);
      assert.ok((await count("--from 2020-01-01T00:00:00+02:00 --limit 3")) === 3);
    });

    it("refuses what is no time or type", async () => {
      assert.match(
        (await cluster.run("audit ls --from yesterday")).err,
        /--from: must be a time such as/,
      );
      assert.equal((await cluster.run("audit ls --from yesterday")).code, 2);
      assert.match(
        (await cluster.run("audit ls --type bot.joined")).err,
        /did you mean "bot\.join"\?/,
      );
    });
  });

  describe("tctl schema", () => {
    it("prints the JSON Schema of a kind, or of all, without a cluster", async () => {
      const one = await runCaptured(tctl, ["schema", "bots"]);
      const schema = JSON.parse(one.out) as { title: string; properties: object };
      assert.equal(schema.title, "Tenon bot");
      assert.deepEqual(Object.keys(schema.properties), [
        "kind",
        "version",
        "metadata",
        "spec",
        "status",
      ]);
      const all = await runCaptured(tctl, ["schema"]);
      assert.equal(
        (JSON.parse(all.out) as { oneOf?: object[]; anyOf?: object[] }).oneOf?.length,
        12,
      );
    });
  });

  describe("tctl connects", () => {
    it("to a cluster that runs, or says what to do", async () => {
      const ran = await runCaptured(tctl, ["status", "--data-dir", "/nowhere"]);
      assert.equal(ran.code, 1);
      assert.equal(
        ran.err,
        'tctl: cannot reach the socket "/nowhere/admin.sock": there is no such socket; is the cluster running? start it with "tenon start", or name its --data-dir\n',
      );
    });

    it("over the network with an identity, as who that is", async () => {
      await cluster.put({
        kind: "user",
        version: "v1",
        metadata: { name: "dora" },
        spec: { roles: ["editor"] },
      });
      const port = await cluster.listenTls();
      const file = await cluster.identityFile("dora", ["editor"]);
      const line = ["--identity", file, "--proxy-server", `127.0.0.1:${port}`];
      const ran = await runCaptured(tctl, [...line, "get", "role/access"]);
      assert.equal(ran.code, 0, ran.err);
      const poor = await cluster.identityFile("dora", ["access"]);
      const denied = await runCaptured(tctl, ["get", "roles"], {
        env: { TENON_IDENTITY: poor, TENON_PROXY_SERVER: `127.0.0.1:${port}` },
      });
      assert.equal(denied.code, 1);
      assert.match(denied.err, /may not|denied|not allowed/);
    });

    it("not with an identity that has ended", async () => {
      const { cert, key } = new TestAuthority().issue("clientAuth", { to: -1000 });
      const [tlsCertificate] = derFromPem(cert);
      const file = join(cluster.directory, "ended");
      const text = encodeIdentityFile({
        privateKey: privateKeyFromPem(key),
        tlsCertificate: tlsCertificate!,
        sshCertificate: "",
        trust: cluster.authorities.trust(),
      });
      await writeFile(file, text);
      const ran = await runCaptured(tctl, ["status", "--identity", file, "--proxy-server", "x:1"]);
      assert.equal(ran.code, 1);
      assert.match(ran.err, /ended at 20.*; does the bot that writes it run\?/);
    });

    it("in one way only", async () => {
      for (const [line, message] of [
        ["status --identity x --data-dir y", /two ways to connect; give one of them/],
        ["status --identity x", /--identity needs --proxy-server HOST:PORT/],
        ["status --proxy-server x:1", /--proxy-server needs --identity FILE/],
      ] as const) {
        const ran = await runCaptured(tctl, line.split(" "));
        assert.equal(ran.code, 2);
        assert.match(ran.err, message);
      }
    });

    it("not with a file that is no identity", async () => {
      const file = join(cluster.directory, "none");
      await writeFile(file, "hello");
      const ran = await runCaptured(tctl, ["status", "--identity", file, "--proxy-server", "x"]);
      assert.equal(ran.code, 1);
      assert.match(ran.err, /is it an identity file\?/);
    });
  });
});
