// The programs as a job of GitHub and a pod of Kubernetes run them, with an issuer on this machine.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { systemClock } from "#base/kernel";
import { githubClaims, kubernetesClaims } from "#testing/id-tokens";
import { TestIssuer } from "#testing/issuer";
import { Yard, type Ran } from "#testing/processes";
import { CLUSTER, RealCluster } from "#testing/real-cluster";

let issuer: TestIssuer;
let yard: Yard;
let cluster: RealCluster;
let trusting: NodeJS.ProcessEnv;
let pin: string;

before(async () => {
  issuer = await TestIssuer.open({
    clock: systemClock,
    path: "/_services/token",
    claims: githubClaims,
  });
  yard = await Yard.open();
  await writeFile(yard.path("issuer-ca.pem"), issuer.ca);
  trusting = { NODE_EXTRA_CA_CERTS: yard.path("issuer-ca.pem") };
  cluster = await RealCluster.start(yard, trusting);
  await create(
    { kind: "bot", version: "v1", metadata: { name: "ci" }, spec: { roles: ["access"] } },
    token("deploy", { join_method: "github", github: github([{ repository: "octo/app" }]) }),
    token("other", { join_method: "github", github: github([{ repository: "octo/other" }]) }),
    token("pods", { join_method: "kubernetes", kubernetes: pods() }),
  );
  const status = await cluster.tctlJson<{ ca_pins: string[] }>("status");
  [pin = ""] = status.ca_pins;
});

after(async () => {
  await yard[Symbol.asyncDispose]();
  await issuer[Symbol.asyncDispose]();
});

const github = (allow: readonly object[]) => ({ enterprise_server_host: issuer.host, allow });
const pods = () => ({
  type: "static_jwks",
  static_jwks: { jwks: issuer.tokens.jwks },
  allow: [{ service_account: "apps:robot" }],
});
const token = (name: string, spec: object) => ({
  kind: "token",
  version: "v2",
  metadata: { name },
  spec: { roles: ["Bot"], bot_name: "ci", ...spec },
});

/** As an administrator does it: one file of documents. */
async function create(...documents: readonly object[]): Promise<void> {
  const file = yard.path("documents.yaml");
  await writeFile(file, documents.map((document) => JSON.stringify(document)).join("\n---\n"));
  await cluster.tctl("create", "-f", file);
}

/** A bot that joins, writes its identity, and ends. */
const once = (name: string, words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> =>
  yard.run(
    "tbot",
    [
      "start",
      "identity",
      "--oneshot",
      ...words,
      `--storage=${yard.path(`storage-${name}`)}`,
      `--destination=${yard.path(name)}`,
    ],
    { env: { ...trusting, ...env } },
  );

const uri = (method: string, user: string): string =>
  `tbot+proxy+${method}://${user}@${cluster.address}?ca_pin=${pin}`;

const job = (): NodeJS.ProcessEnv => ({
  ACTIONS_ID_TOKEN_REQUEST_URL: issuer.requestUrl,
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: issuer.requestToken,
});

describe("a job of GitHub", () => {
  test("joins by its repository, with flags and with a join URI", async () => {
    const flags = [
      `--proxy-server=${cluster.address}`,
      `--ca-pin=${pin}`,
      "--token=deploy",
      "--join-method=github",
    ];
    for (const [name, words] of [
      ["flags", flags],
      ["uri", [uri("github", "deploy")]],
    ] as const) {
      const ran = await once(name, words, job());
      assert.equal(ran.code, 0, ran.err);
      assert.ok(existsSync(yard.path(name, "tlscert")));
    }
    const joins = await cluster.events("--type=bot.join");
    assert.equal(joins.length, 2);
  });

  test("of another repository learns nothing, and the administrator everything", async () => {
    const ran = await once("other", [uri("github", "other")], job());
    assert.equal(ran.code, 1);
    assert.match(ran.err, /the join was refused: the token, its secret or the key is not valid/);
    assert.doesNotMatch(ran.err, /octo/);
    const events = JSON.stringify(await cluster.events("--type=bot.join.failed"));
    assert.match(events, /repository is \\"octo\/app\\", not \\"octo\/other\\"/);
  });

  test("without the permission says which one it lacks", async () => {
    const ran = await once("bare", [uri("github", "deploy")]);
    assert.equal(ran.code, 1);
    assert.match(ran.err, /give the job the permission "id-token: write"/);
  });
});

describe("a pod of Kubernetes", () => {
  test("joins with the token in its file, and again only with its storage", async () => {
    const iss = "https://kubernetes.default.svc.cluster.local";
    const idToken = await issuer.tokens.sign({ ...kubernetesClaims, iss, aud: [CLUSTER] });
    const path = yard.path("join-sa-token");
    await writeFile(path, idToken);
    const words = [uri("kubernetes", `pods:${encodeURIComponent(path)}`)];
    for (let i = 0; i < 2; i++) {
      const ran = await once("pod", words);
      assert.equal(ran.code, 0, ran.err);
    }
    const thief = await once("thief", words);
    assert.equal(thief.code, 1);
    const events = JSON.stringify(await cluster.events("--type=bot.join.failed"));
    assert.match(events, /the ID token was used before/);
    assert.doesNotMatch(events, new RegExp(idToken.split(".")[1]!));
  });
});

test("a token that lets everyone in cannot be made", async () => {
  const file = yard.path("open.yaml");
  const documents = [
    token("open", { join_method: "github", github: github([]) }),
    token("wide", { join_method: "github", github: github([{ actor: "octocat" }]) }),
    token("bare", { join_method: "oidc" }),
  ];
  for (const [document, why] of [
    [documents[0], /must hold at least one rule: without one, nobody could join/],
    [documents[1], /must have one of repository, .* or everyone there could join/],
    [documents[2], /is required by join_method oidc: its allow rules say who may join/],
  ] as const) {
    await writeFile(file, JSON.stringify(document));
    const ran = await yard.run("tctl", ["create", "-f", file, `--data-dir=${cluster.dataDir}`]);
    assert.notEqual(ran.code, 0);
    assert.match(ran.err, why);
  }
});

test("an agent joins with the token of its pod", async () => {
  await create(
    token("agents", {
      roles: ["App"],
      bot_name: undefined,
      join_method: "kubernetes",
      kubernetes: pods(),
    }),
  );
  const iss = "https://kubernetes.default.svc.cluster.local";
  const path = yard.path("agent-sa-token");
  await writeFile(path, await issuer.tokens.sign({ ...kubernetesClaims, iss, aud: [CLUSTER] }));
  const words = [
    "--token=agents",
    "--join-method=kubernetes",
    `--id-token-path=${path}`,
    `--ca-pin=${pin}`,
  ];
  const agent = await cluster.startAgent("web", "http://127.0.0.1:1", words);
  const [event] = await cluster.events("--type=agent.join");
  assert.match(JSON.stringify(event), /"join_method":"kubernetes"/);
  await agent.stop();
});
