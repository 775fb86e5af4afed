// Bots that join a whole cluster by ID tokens of an issuer on this machine.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { systemClock } from "#base/kernel";
import { idTokenSource } from "#services/enrolment";
import { TestBot } from "#testing/bot";
import { startCluster, type TestCluster } from "#testing/cluster";
import { githubClaims, kubernetesClaims } from "#testing/id-tokens";
import { TestIssuer } from "#testing/issuer";
import { until } from "#testing/wait";

let issuer: TestIssuer;
let cluster: TestCluster;

before(async () => {
  issuer = await TestIssuer.open({
    clock: systemClock,
    path: "/_services/token",
    claims: githubClaims,
  });
  cluster = await startCluster({ issuerCa: [issuer.ca] });
  await cluster.role("all");
  const bot = { kind: "bot", version: "v1", metadata: { name: "ci" }, spec: { roles: ["all"] } };
  await cluster.admin.resources.create({ documents: [{ json: JSON.stringify(bot) }] });
});

after(async () => {
  await cluster[Symbol.asyncDispose]();
  await issuer[Symbol.asyncDispose]();
});

/** What events of a type tell, oldest first. */
async function told(type: string): Promise<readonly Record<string, unknown>[]> {
  const events = await cluster.events(type);
  return events.map(({ fields }) => fields as Record<string, unknown>);
}

async function token(name: string, spec: object): Promise<void> {
  const document = { kind: "token", version: "v2", metadata: { name } };
  await cluster.put({ ...document, spec: { roles: ["Bot"], bot_name: "ci", ...spec } });
}

const github = (allow: readonly object[]) => ({
  join_method: "github",
  github: { enterprise_server_host: issuer.host, allow },
});

const job = () => ({
  ACTIONS_ID_TOKEN_REQUEST_URL: issuer.requestUrl,
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: issuer.requestToken,
});

const fromGithub = (name: string) => ({
  method: "github" as const,
  token: name,
  idToken: idTokenSource({ method: "github", env: job(), clock: systemClock, ca: [issuer.ca] })!,
});

const identity = { type: "identity", destination: "{dir}/out" };

suite("a bot in a job of GitHub", () => {
  test("joins by its repository, writes its outputs, and keeps its instance", async () => {
    await token("deploy", github([{ repository: "octo/app", ref: "refs/heads/*" }]));
    await using bot = await TestBot.start({
      cluster,
      join: fromGithub("deploy"),
      services: [identity],
    });
    await bot.healthy("identity-1");
    assert.ok(existsSync(join(bot.directory, "out/tlscert")));
    const joins = async () =>
      (await told("bot.join")).filter((event) => event["token"] === "deploy");
    const [first] = await joins();
    assert.equal(first?.["join_method"], "github");
    bot.bot.renewNow();
    await until("it has refreshed", async () => (await joins()).length === 2);
    const [, second] = await joins();
    assert.equal(second?.["instance_id"], first?.["instance_id"]);
    assert.equal(second?.["generation"], 2);
    assert.equal(issuer.count("configuration"), 1, "the keys were asked for once");
  });

  test("of another repository is refused, and the audit log says what it was", async () => {
    await token("other", github([{ repository: "octo/other" }]));
    await using bot = await TestBot.start({
      cluster,
      join: fromGithub("other"),
      services: [identity],
      oneshot: true,
    });
    await assert.rejects(bot.ended, /the join was refused: the token, its secret or the key/);
    const [event] = await told("bot.join.failed");
    assert.match(String(event?.["reason"]), /repository is "octo\/app", not "octo\/other"/);
  });
});

test("a pod joins with the token that its cluster projects, by keys that are known", async () => {
  await token("pods", {
    join_method: "kubernetes",
    kubernetes: {
      type: "static_jwks",
      static_jwks: { jwks: JSON.stringify(issuer.tokens.jwks) },
      allow: [{ service_account: "apps:robot" }],
    },
  });
  const idToken = await issuer.tokens.sign({
    ...kubernetesClaims,
    iss: "https://kubernetes.default.svc.cluster.local",
    aud: ["example.test"],
  });
  const source = idTokenSource({
    method: "kubernetes",
    place: { env: "POD_TOKEN" },
    env: { POD_TOKEN: idToken },
    clock: systemClock,
  })!;
  await using bot = await TestBot.start({
    cluster,
    join: { method: "kubernetes", token: "pods", idToken: source },
    services: [identity],
  });
  await bot.healthy("identity-1");
});
