import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  OpenResourceSchema,
  type ListOpenRequestSchema,
  type ListOpenResponse,
} from "@tenon/api/tenon/auth/v1/auth";
import { toJson, type MessageInitShape } from "@bufbuild/protobuf";
import type { UserClaims } from "#domain/authority";
import { AuthBench, type Services } from "#testing/auth";

type Request = MessageInitShape<typeof ListOpenRequestSchema>;

const any = { "*": ["*"] };
const node = (name: string, env: string) => ({
  kind: "node",
  version: "v1",
  metadata: { name, labels: { env }, description: `the ${name}` },
  spec: { hostname: `${name}.example.com`, addr: "10.0.0.7:22" },
});
const db = (name: string, env: string) => ({
  kind: "db",
  version: "v1",
  metadata: { name, labels: { env } },
  spec: { protocol: "postgres", uri: "10.0.0.8:5432" },
});
const kube = (name: string, env: string) => ({
  kind: "kube_cluster",
  version: "v1",
  metadata: { name, labels: { env } },
  spec: { api_server: "https://10.0.0.9:6443" },
});
const app = (name: string, labels: Record<string, string>) => ({
  name,
  uri: "http://localhost:1",
  labels,
});

describe("what the roles of a caller open", () => {
  let bench: AuthBench;
  let robot: UserClaims;
  let bot: Services;

  before(async () => {
    bench = await AuthBench.open();
    const env = { env: ["dev", "prod"] };
    await bench.createRole("wide", {
      node_labels: env,
      app_labels: any,
      db_labels: env,
      kubernetes_labels: env,
    });
    await bench.create({
      kind: "role",
      version: "v1",
      metadata: { name: "no-prod" },
      spec: { deny: { node_labels: { env: ["prod"] }, app_labels: { env: ["prod"] } } },
    });
    await bench.createUser("alice", ["wide"]);
    robot = await bench.createBot("robot", ["wide", "no-prod"]);
    bot = bench.user(robot);
    await bench.create(
      ...["dev", "prod", "secret"].flatMap((each) => [
        node(`node-${each}`, each),
        db(`db-${each}`, each),
        kube(`kube-${each}`, each),
      ]),
    );
    for (const apps of [
      [app("grafana", { env: "dev", team: "a" }), app("mixed", { env: "dev" })],
      [app("grafana", { env: "dev", team: "a" }), app("mixed", { env: "prod" })],
      [app("grafana", { env: "dev" }), app("vault", { env: "prod" })],
    ])
      await bench.host({ roles: ["App"] }).auth.announceApps({ apps });
  });
  after(async () => await bench[Symbol.asyncDispose]());

  const open = async (as: Services, request: Request): Promise<ListOpenResponse> =>
    await as.auth.listOpen(request);
  const names = async (as: Services, request: Request): Promise<string[]> =>
    (await open(as, request)).resources.map(({ name }) => name);

  const cases: readonly (readonly [string, Request, readonly string[]])[] = [
    ["nodes, less those that a role denies", { kind: "node" }, ["node-dev"]],
    ["databases", { kind: "db" }, ["db-dev", "db-prod"]],
    ["Kubernetes clusters", { kind: "kube_cluster" }, ["kube-dev", "kube-prod"]],
    ["applications, once each", { kind: "app" }, ["grafana"]],
    [
      "fewer roles open more where one denies",
      { kind: "node", roles: ["wide"] },
      ["node-dev", "node-prod"],
    ],
    ["a label must have its value", { kind: "db", labels: { env: "prod" } }, ["db-prod"]],
    ["a star takes any value", { kind: "db", labels: { env: "*" } }, ["db-dev", "db-prod"]],
    ["a star needs the label", { kind: "db", labels: { team: "*" } }, []],
    ["a star is no pattern", { kind: "db", labels: { env: "pr*" } }, []],
    ["all labels must match", { kind: "db", labels: { env: "prod", team: "a" } }, []],
    ["a name that objects have is no label", { kind: "db", labels: { constructor: "*" } }, []],
  ];
  for (const [sentence, request, expected] of cases)
    it(sentence, async () => assert.deepEqual(await names(bot, request), expected));

  it("says where a node is, and nothing of what is behind an application or a database", async () => {
    const { resources: nodes } = await open(bot, { kind: "node" });
    assert.deepEqual(
      nodes.map((found) => toJson(OpenResourceSchema, found)),
      [
        {
          name: "node-dev",
          labels: { env: "dev" },
          description: "the node-dev",
          address: "10.0.0.7:22",
          hostname: "node-dev.example.com",
        },
      ],
    );
    const [grafana] = (await open(bot, { kind: "app" })).resources;
    assert.match(grafana!.address, /^grafana\.[a-z.]+:3080$/);
    const [first] = (await open(bot, { kind: "db" })).resources;
    assert.equal(first!.address, "");
  });

  it("a person sees by the roles that they have", async () => {
    const alice = bench.user({ user: "alice", roles: ["wide"], allowReissue: true });
    assert.deepEqual(await names(alice, { kind: "app" }), ["grafana", "mixed", "vault"]);
  });

  it("an output of a bot sees by its own roles", async () => {
    const { generation: _, ...claims } = { ...robot, roles: ["wide"], allowReissue: false };
    assert.deepEqual(await names(bench.user(claims), { kind: "node" }), ["node-dev", "node-prod"]);
  });

  it("pages neither repeat nor skip, also among the agents of one application", async () => {
    const alice = bench.user({ user: "alice", roles: ["wide"], allowReissue: true });
    for (const kind of ["app", "db"]) {
      const all = await names(alice, { kind });
      const paged: string[] = [];
      for (let pageToken = ""; ;) {
        const page = await open(alice, { kind, pageSize: 1, pageToken });
        paged.push(...page.resources.map(({ name }) => name));
        pageToken = page.nextPageToken;
        if (pageToken === "") break;
      }
      assert.deepEqual(paged, all);
    }
  });

  it("a page token is good for its own query", async () => {
    const { nextPageToken: pageToken } = await open(bot, { kind: "db", pageSize: 1 });
    assert.notEqual(pageToken, "");
    for (const request of [{ kind: "kube_cluster" }, { kind: "db", labels: { env: "*" } }])
      await assert.rejects(open(bot, { ...request, pageToken }), { code: "bad_parameter" });
  });

  it("refuses a role that the bot has not, by its name", async () => {
    await assert.rejects(open(bot, { kind: "app", roles: ["access"] }), {
      code: "access_denied",
      message: 'bot "robot" may not use role "access"; it may use no-prod, wide',
    });
  });

  it("refuses a kind that no role opens", async () => {
    await assert.rejects(open(bot, { kind: "token" }), {
      code: "bad_parameter",
      message: 'kind "token" is unknown; use node, app, db, kube_cluster',
    });
  });

  it("refuses a certificate that is for one application alone", async () => {
    const { generation: _, ...claims } = { ...robot, roles: ["wide"], appName: "grafana" };
    await assert.rejects(open(bench.user(claims), { kind: "app" }), { code: "access_denied" });
  });

  it("refuses a page of more than the store gives", async () => {
    await assert.rejects(open(bot, { kind: "app", pageSize: 100_000 }), { code: "bad_parameter" });
  });
});
