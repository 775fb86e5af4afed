// The session of the credential API's document: one-shot credentials from a running bot, with curl.
import assert from "node:assert/strict";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { httpApplication, type TestServer } from "#testing/applications";
import { needs } from "#testing/needs";
import { Yard, type Ran } from "#testing/processes";
import { RealBot } from "#testing/real-bot";
import { CLUSTER, RealCluster } from "#testing/real-cluster";

describe("tbot generate", needs("curl", "openssl", "ssh-keygen"), () => {
  let yard: Yard;
  let cluster: RealCluster;
  let app: TestServer;
  let bot: RealBot;
  let socket: string;

  const generate = async (...words: readonly string[]): Promise<Ran> =>
    await yard.run("tbot", ["generate", "--socket", socket, ...words]);
  const done = async (...words: readonly string[]): Promise<string> => {
    const ran = await generate(...words);
    assert.equal(ran.code, 0, ran.err);
    return ran.out;
  };
  const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

  before(async () => {
    yard = await Yard.open();
    cluster = await RealCluster.start(yard);
    app = await httpApplication((request, response) => response.end(`served ${request.url}`));
    await cluster.serve("dumper", `http://127.0.0.1:${app.port}`);
    const kinds = yard.path("kinds.yaml");
    await writeFile(
      kinds,
      [
        {
          kind: "db",
          metadata: { name: "orders" },
          spec: { protocol: "postgres", uri: "[::1]:1" },
        },
        {
          kind: "kube_cluster",
          metadata: { name: "prod" },
          spec: { api_server: "https://[::1]:1" },
        },
      ]
        .map((document) => JSON.stringify({ version: "v1", ...document }))
        .join("\n---\n"),
    );
    await cluster.tctl("create", "-f", kinds);
    bot = await RealBot.start({
      cluster,
      name: "giver",
      services: [],
      more: { sockets: [{ path: "{dir}/run/s.sock", roles: ["access"], max_ttl: "10m" }] },
    });
    await bot.ready();
    socket = bot.path("run/s.sock");
  });
  after(async () => {
    await yard[Symbol.asyncDispose]();
    await app[Symbol.asyncDispose]();
  });

  it("writes what curl reaches an application with", async () => {
    const out = yard.path("app");
    const said = await done(
      ..."application --app-name dumper --cluster".split(" "),
      CLUSTER,
      "--out",
      `file://${out}`,
      "--ttl",
      "1m",
    );
    assert.match(said, /^wrote key, tlscert, .* to .*app; valid until 20\d\d-.*Z\n$/);
    const curl = await yard.exec([
      "curl",
      "-sS",
      "--cert",
      join(out, "tlscert"),
      "--key",
      join(out, "key"),
      "--cacert",
      join(cluster.dataDir, "web.crt"),
      `https://dumper.${CLUSTER}:${cluster.port}/api/users`,
    ]);
    assert.equal(curl.out, "served /api/users", curl.err);
    assert.deepEqual([await modeOf(out), await modeOf(join(out, "key"))], [0o700, 0o600]);
    const check = ["openssl", "x509", "-noout", "-checkend"];
    const certificate = ["-in", join(out, "tlscert")];
    assert.equal((await yard.exec([...check, "1", ...certificate])).code, 0);
    assert.equal((await yard.exec([...check, "61", ...certificate])).code, 1, "one minute");
  });

  it("is audited at the cluster with the process that asked", async () => {
    await done("application", "--app", "dumper", "--out", yard.path("audited"));
    const [event] = await cluster.events("--type=cert.issue", "--bot=giver", "--limit=1");
    const { requester } = event!["fields"] as { requester: Record<string, unknown> };
    assert.equal(requester["told_by"], "bot");
    assert.equal(requester["uid"], process.getuid?.());
    assert.equal(requester["executable"], process.execPath);
  });

  it("writes an identity for ssh, with the files of the service", async () => {
    const out = yard.path("identity");
    await done("identity", "--out", out);
    const listed = await yard.exec(["ssh-keygen", "-Lf", join(out, "key-cert.pub")]);
    assert.match(listed.out, /user certificate/, listed.err);
    for (const name of ["identity", "ssh_config", "known_hosts", "tenon-host-ca.crt"])
      assert.ok((await stat(join(out, name))).size > 0);
  });

  it("writes a certificate for a database, also under the names that some programs want", async () => {
    const out = yard.path("db");
    await done("db", "--service", "orders", "--specific-tls-extensions", "--out", out);
    const text = async (name: string): Promise<string> => await readFile(join(out, name), "utf8");
    assert.equal(await text("tls.crt"), await text("tlscert"));
    const beyond = await generate("db", "--service", "orders", "--database", "x", "--out", out);
    assert.match(beyond.err, /access to database "x" on database server "orders" is denied/);
  });

  it("writes a kubeconfig that holds all it needs", async () => {
    const out = yard.path("kube");
    await done("kubernetes", "--kubernetes-cluster", "prod", "--out", out);
    assert.equal(await modeOf(join(out, "kubeconfig.yaml")), 0o600);
    const text = await readFile(join(out, "kubeconfig.yaml"), "utf8");
    assert.match(text, new RegExp(`server: https://127.0.0.1:${cluster.port}\\n`));
    const [, certificate = ""] = /client-certificate-data: (\S+)/.exec(text) ?? [];
    const pem = Buffer.from(certificate, "base64").toString();
    assert.equal(pem, await readFile(join(out, "tlscert"), "utf8"));
  });

  const refusals: readonly [string, readonly string[], number, RegExp][] = [
    [
      "a role beyond the socket's",
      ["--roles", "access,editor"],
      1,
      /role "editor"; it allows access/,
    ],
    ["a life beyond the socket's", ["--ttl", "1h"], 1, /ttl of 1h is more than .* 10m/],
    ["a life that is none", ["--ttl", "soon"], 2, /--ttl/],
    ["another cluster", ["--cluster", "bar"], 1, new RegExp(`cluster "${CLUSTER}", not to "bar"`)],
    [
      "an application that nobody serves",
      ["--app-name", "dumpr"],
      1,
      /"dumpr".*did you mean "?dumper/,
    ],
    ["memory as the place", ["--out", "memory://"], 1, /--out must be a directory/],
    [
      "a place that cannot be written",
      ["--out", "/dev/null/none"],
      1,
      /cannot write to .*\/dev\/null\/none/,
    ],
    ["an unknown flag", ["--nonsense"], 2, /unknown option/],
  ];
  for (const [what, words, code, message] of refusals)
    it(`refuses ${what}, and writes nothing`, async () => {
      const out = yard.path("refused");
      const usual = words.includes("--app-name") ? [] : ["--app-name", "dumper"];
      const place = words.includes("--out") ? [] : ["--out", out];
      const ran = await generate("application", ...usual, ...place, ...words);
      assert.equal(ran.code, code, ran.err);
      assert.match(ran.err, message);
      await assert.rejects(stat(join(out, "key")), { code: "ENOENT" });
    });

  it("says where it looked when there is no bot, and what is missing when no socket is named", async () => {
    const words = ["generate", "identity", "--out", yard.path("none")];
    const gone = await yard.run("tbot", [...words, "--socket", yard.path("none.sock")]);
    assert.equal(gone.code, 1);
    assert.match(gone.err, /none\.sock": there is no such socket; check the path/);
    const unnamed = await yard.run("tbot", words);
    assert.equal(unnamed.code, 2);
    assert.match(unnamed.err, /no socket: give --socket/);
  });

  it("gives nothing, and what it gave opens nothing, once the bot is locked", async () => {
    const out = yard.path("locked");
    await done("application", "--app-name", "dumper", "--out", out);
    const words = ["--cert", join(out, "tlscert"), "--key", join(out, "key")];
    const ca = join(cluster.dataDir, "web.crt");
    const url = `https://dumper.${CLUSTER}:${cluster.port}/`;
    const curl = async (): Promise<Ran> =>
      await yard.exec(["curl", "-sS", "--cacert", ca, ...words, url]);
    assert.equal((await curl()).out, "served /");
    await cluster.tctl("lock", "--user=bot-giver", "--message=for the test");
    const refused = await generate("application", "--app-name", "dumper", "--out", out);
    assert.equal(refused.code, 1);
    assert.match(refused.err, /lock/);
    assert.doesNotMatch((await curl()).out, /served/);
  });
});
