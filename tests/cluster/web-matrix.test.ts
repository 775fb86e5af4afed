// Every endpoint of the web page, asked by everybody: the table is complete against the OpenAPI
// document, and what is answered is what the document says.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, suite, test } from "node:test";
import * as z from "zod";
import { ManualClock } from "#testing/clock";
import { startCluster, type TestCluster } from "#testing/cluster";
import { WebClient, type WebReply } from "#testing/web-client";
import { WebPerson } from "#testing/web-person";

/** The callers of the columns below, in their order; all but the last have given a second factor. */
const columns = [
  "stranger",
  "viewer",
  "editor",
  "auditor",
  "access",
  "none",
  "unverified",
] as const;
type Column = (typeof columns)[number];

const SITE = "/v1/webapi/sites/{site}";
const BOT = `${SITE}/machine-id/bot`;
const KIND = `${SITE}/resources/{kind}`;
const ACCOUNT = "/v1/webapi/account";

/** What a call of one row is made of; `own` is a name that no other column has. */
interface Asked {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly body?: unknown;
}
interface Row {
  /**
   * `+` it answers; `-` it is denied; `m` it asks for a second factor; `?` one is told to sign in;
   * `o` it is open to strangers, and refuses what was sent.
   */
  readonly cells: string;
  readonly ask?: (own: string) => Asked | Promise<Asked>;
  /** The call ends its session: each column gets another one. */
  readonly ends?: boolean;
}

suite("every endpoint, asked by everybody", () => {
  let cluster: TestCluster;
  const clock = new ManualClock(Date.now());
  const people = new Map<Column, WebPerson>();
  const pages = new Map<Column, WebClient>();
  const instance = randomUUID();
  let locks: Readonly<Record<string, string>> = {};
  let token = "";
  let event = "";

  const bot = (name: string) => ({ params: { name } });
  const role = (name: string, rules: readonly object[] = []) => ({
    kind: "role",
    version: "v1",
    metadata: { name },
    spec: { allow: { rules } },
  });
  const passkey = { challenge_id: "x", response: {} };
  const ofRole = (name: string) => ({ params: { kind: "role", name } });

  //                                                       st vi ed au ac no un
  const matrix: Readonly<Record<string, Row>> = {
    "GET /v1/webapi/invitations/{token}": {
      cells: "                                              +  +  +  +  +  +  +",
      ask: async () => ({ params: { token: await invitation() } }),
    },
    "POST /v1/webapi/invitations/{token}": {
      cells: "                                              o  o  o  o  o  o  o",
      ask: async () => ({ params: { token: await invitation() }, body: { password: "short" } }),
    },
    "POST /v1/webapi/invitations/{token}/passkey": {
      cells: "                                              +  +  +  +  +  +  +",
      ask: async () => ({ params: { token: await invitation() } }),
    },
    "POST /v1/webapi/sessions": {
      cells: "                                              o  o  o  o  o  o  o",
      ask: () => ({ body: { user: "nobody" } }),
    },
    "POST /v1/webapi/sessions/passkey/begin": {
      cells: "                                              +  +  +  +  +  +  +",
    },
    "POST /v1/webapi/sessions/passkey": {
      cells: "                                              o  o  o  o  o  o  o",
      ask: () => ({ body: { response: {} } }),
    },
    "DELETE /v1/webapi/sessions": {
      cells: "                                              ?  +  +  +  +  +  +",
      ends: true,
    },
    "DELETE /v1/webapi/sessions/all": {
      cells: "                                              ?  +  +  +  +  +  +",
      ends: true,
    },
    "POST /v1/webapi/mfa/begin": {
      cells: "                                              ?  +  +  +  +  +  +",
    },
    "POST /v1/webapi/mfa": {
      cells: "                                              ?  o  o  o  o  o  o",
      ask: () => ({ body: {} }),
    },
    [`GET ${SITE}/live`]: { cells: "                        ?  +  +  +  +  +  +" },
    [`GET ${SITE}/context`]: { cells: "                     ?  +  +  +  +  +  +" },

    // One's own account: whoever one is.
    [`GET ${ACCOUNT}`]: { cells: "                          ?  +  +  +  +  +  +" },
    [`GET ${ACCOUNT}/sessions`]: { cells: "                 ?  +  +  +  +  +  +" },
    [`DELETE ${ACCOUNT}/sessions`]: {
      cells: "                                              ?  +  +  +  +  +  +",
      ends: true,
    },
    [`DELETE ${ACCOUNT}/sessions/{id}`]: {
      cells: "                                              ?  o  o  o  o  o  o",
      ask: () => ({ params: { id: "nothing" } }),
    },
    [`POST ${ACCOUNT}/passkeys/begin`]: { cells: "          ?  +  +  +  +  +  m" },
    [`POST ${ACCOUNT}/passkeys`]: {
      cells: "                                              ?  o  o  o  o  o  m",
      ask: () => ({ body: { name: "x", passkey } }),
    },
    [`DELETE ${ACCOUNT}/passkeys/{id}`]: {
      cells: "                                              ?  o  o  o  o  o  m",
      ask: () => ({ params: { id: "nothing" } }),
    },
    [`POST ${ACCOUNT}/authenticator`]: { cells: "           ?  +  +  +  +  +  m" },
    [`PUT ${ACCOUNT}/password`]: {
      cells: "                                              ?  o  o  o  o  o  m",
      ask: () => ({ body: { password: "short" } }),
    },
    [`DELETE ${ACCOUNT}/password`]: { cells: "              ?  o  o  o  o  o  m" },

    [`GET ${BOT}`]: { cells: "                              ?  +  +  +  -  -  +" },
    [`POST ${BOT}`]: {
      cells: "                                              ?  -  +  -  -  -  m",
      ask: (own) => ({ body: { name: `made-${own}`, roles: ["access"] } }),
    },
    [`GET ${BOT}/{name}`]: {
      cells: "                                              ?  +  +  +  -  -  +",
      ask: () => bot("robot"),
    },
    [`DELETE ${BOT}/{name}`]: {
      cells: "                                              ?  -  +  -  -  -  m",
      ask: (own) => bot(`doomed-${own}`),
    },
    [`PUT /v2/webapi/sites/{site}/machine-id/bot/{name}`]: {
      cells: "                                              ?  -  +  -  -  -  m",
      ask: async () => ({
        ...bot("robot"),
        body: {
          roles: ["access"],
          traits: [],
          max_session_ttl: "1h",
          revision: (await cluster.resources.require("bot", "robot")).metadata.revision,
        },
      }),
    },
    [`GET ${BOT}/{name}/activity`]: {
      cells: "                                              ?  -  +  +  -  -  +",
      ask: () => bot("robot"),
    },
    [`GET ${BOT}/{name}/sessions`]: {
      cells: "                                              ?  -  +  +  -  -  +",
      ask: () => bot("robot"),
    },
    [`GET ${BOT}/{name}/access-graph`]: {
      cells: "                                              ?  +  +  +  -  -  +",
      ask: () => bot("robot"),
    },
    [`GET ${BOT}/{name}/bot-instance/{id}`]: {
      cells: "                                              ?  -  +  +  -  -  +",
      ask: () => ({ params: { name: "robot", id: instance } }),
    },
    [`GET ${SITE}/machine-id/bot-instance`]: { cells: "     ?  -  +  +  -  -  +" },
    [`GET ${SITE}/machine-id/bot-instance/summary`]: {
      cells: "                                              ?  -  +  +  -  -  +",
    },

    "GET /v1/webapi/tokens": { cells: "                     ?  -  +  -  -  -  m" },
    [`GET ${SITE}/tokens/{id}`]: {
      cells: "                                              ?  -  +  -  -  -  m",
      ask: () => ({ params: { id: token } }),
    },
    [`POST ${SITE}/tokens/{id}/reset`]: {
      cells: "                                              ?  -  o  -  -  -  m",
      ask: () => ({ params: { id: token } }),
    },
    [`GET ${SITE}/locks`]: { cells: "                       ?  -  +  +  -  -  +" },
    [`PUT ${SITE}/locks`]: {
      cells: "                                              ?  -  +  -  -  -  m",
      ask: (own) => ({ body: { targets: { user: `nobody-${own}` }, message: "", ttl: "1h" } }),
    },
    [`DELETE ${SITE}/locks/{name}`]: {
      cells: "                                              ?  -  +  -  -  -  m",
      ask: (own) => ({ params: { name: locks[own]! } }),
    },

    [`GET ${KIND}`]: {
      cells: "                                              ?  -  +  +  -  -  +",
      ask: () => ({ params: { kind: "role" } }),
    },
    [`POST ${KIND}`]: {
      cells: "                                              ?  -  +  -  -  -  m",
      ask: (own) => ({ params: { kind: "role" }, body: role(`made-${own}`) }),
    },
    [`PUT ${KIND}`]: {
      cells: "                                              ?  -  +  -  -  -  m",
      ask: async () => ({
        params: { kind: "role" },
        body: { ...(await cluster.resources.require("role", "kept")) },
      }),
    },
    [`GET ${KIND}/{name}`]: {
      cells: "                                              ?  -  +  +  -  -  +",
      ask: () => ofRole("kept"),
    },
    [`DELETE ${KIND}/{name}`]: {
      cells: "                                              ?  -  +  -  -  -  m",
      ask: (own) => ofRole(`doomed-${own}`),
    },
    [`GET ${KIND}/{name}/yaml`]: {
      cells: "                                              ?  -  +  +  -  -  +",
      ask: () => ofRole("kept"),
    },
    // Nothing is written, and the answer says what the person may not.
    [`POST ${KIND}/validate`]: {
      cells: "                                              ?  +  +  +  +  +  +",
      ask: (own) => ({ params: { kind: "role" }, body: { yaml: JSON.stringify(role(own)) } }),
    },
    [`GET ${KIND}/{name}/openers`]: {
      cells: "                                              ?  -  +  +  -  -  +",
      ask: () => ({ params: { kind: "node", name: "node" } }),
    },
    [`GET ${SITE}/schemas/{kind}`]: {
      cells: "                                              ?  +  +  +  +  +  +",
      ask: () => ({ params: { kind: "role" } }),
    },
    [`POST ${SITE}/users/{name}/invitation`]: {
      cells: "                                              ?  -  +  -  -  -  m",
      ask: () => ({ ...bot("guest"), body: { recovery: false } }),
    },
    [`GET ${SITE}/users/{name}/sign-in`]: {
      cells: "                                              ?  -  +  +  -  -  +",
      ask: () => bot("guest"),
    },

    [`GET ${SITE}/status`]: { cells: "                      ?  -  +  +  -  -  +" },
    [`GET ${SITE}/alerts`]: { cells: "                      ?  -  +  +  -  -  +" },
    [`GET ${SITE}/events/search`]: { cells: "               ?  -  +  +  -  -  +" },
    [`GET ${SITE}/events/types`]: { cells: "                ?  +  +  +  +  +  +" },
    [`GET ${SITE}/events/export`]: {
      cells: "                                              ?  -  +  +  -  -  +",
      ask: () => ({ query: "?format=csv" }),
    },
    [`GET ${SITE}/events/{id}`]: {
      cells: "                                              ?  -  +  +  -  -  +",
      ask: () => ({ params: { id: event } }),
    },
  };

  const invitation = async (): Promise<string> =>
    (await cluster.admin.auth.inviteUser({ user: "guest" })).url.split("#")[1]!;

  before(async () => {
    cluster = await startCluster({ clock });
    const viewing = [{ resources: ["bot"], verbs: ["list", "read"] }];
    await cluster.put(role("viewer", viewing), role("kept"));
    const roles: Partial<Record<Column, string[]>> = { none: [], unverified: ["editor"] };
    for (const name of columns.slice(1)) {
      const about = { name, roles: roles[name] ?? [name] };
      people.set(name, await WebPerson.make(cluster, clock, about));
    }
    await cluster.put({
      kind: "user",
      version: "v1",
      metadata: { name: "guest" },
      spec: { roles: ["access"] },
    });
    await makeResources();
    pages.set("stranger", new WebClient(cluster));
    for (const [column, person] of people) pages.set(column, await person.signIn());
    for (const [column, person] of people)
      if (column !== "unverified") await person.verify(pages.get(column)!);
    const editor = pages.get("editor")!;
    [{ id: token }] = (await editor.get("/v1/webapi/tokens")).body.items;
    [{ id: event }] = (await cluster.events("bot.create")) as { id: string }[] as [{ id: string }];
  });
  after(() => cluster[Symbol.asyncDispose]());

  const makeResources = async (): Promise<void> => {
    const bots = ["robot", ...columns.map((column) => `doomed-${column}`)].map((name) => ({
      kind: "bot",
      version: "v1",
      metadata: { name },
      spec: { roles: ["access"] },
    }));
    const documents = bots.map((each) => ({ json: JSON.stringify(each) }));
    await cluster.admin.resources.create({ documents });
    await cluster.put(...columns.map((column) => role(`doomed-${column}`)));
    await cluster.put(
      {
        kind: "bot_instance",
        version: "v1",
        metadata: { name: `robot:${instance}` },
        spec: { bot_name: "robot", instance_id: instance },
        status: { generation: 1 },
      },
      {
        kind: "token",
        version: "v2",
        metadata: { name: "robot-token" },
        spec: { roles: ["Bot"], bot_name: "robot", join_method: "token" },
      },
      {
        kind: "node",
        version: "v1",
        metadata: { name: "node" },
        spec: { hostname: "node", addr: "127.0.0.1:22" },
      },
    );
    const made = columns.map(async (column) => {
      return [column, await cluster.lock({ user: `locked-${column}` })] as const;
    });
    locks = Object.fromEntries(await Promise.all(made));
  };

  /** The document, as the page of a program would read it. */
  const described = async (): Promise<Description> =>
    (await new WebClient(cluster).get("/v1/webapi/openapi.json")).body;

  test("the table is complete", async () => {
    const { paths } = await described();
    const known = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    assert.deepEqual(Object.keys(matrix).sort(), known.sort());
  });

  /** What ends sessions comes last: signing in again takes time, and a second factor counts for minutes. */
  const rows = Object.entries(matrix).sort(([, a], [, b]) => Number(!!a.ends) - Number(!!b.ends));
  for (const [name, row] of rows)
    test(name, async () => {
      const [method, path] = name.split(" ") as [string, string];
      const { responses } = (await described()).paths[path]![method.toLowerCase()]!;
      const answered: string[] = [];
      for (const column of columns) {
        const page = await pageOf(column, row);
        const { params = {}, query = "", body } = (await row.ask?.(column)) ?? {};
        const filled = path.replaceAll(/\{(\w+)\}/g, (_, key: string) =>
          encodeURIComponent(key === "site" ? "-" : params[key]!),
        );
        const reply = await page.call(method, filled + query, body);
        answered.push(wordOf(reply));
        assertDescribed(reply, responses, `${name} by ${column}`);
      }
      assert.equal(answered.join("  "), row.cells.trim(), columns.join(" "));
    });

  const pageOf = async (column: Column, { ends }: Row): Promise<WebClient> =>
    ends && column !== "stranger" ? await people.get(column)!.signIn() : pages.get(column)!;
});

interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
}
interface Described {
  readonly responses: Responses;
}
type Responses = Readonly<Record<string, { content?: Record<string, { schema: object }> }>>;

function wordOf({ status, body }: WebReply): string {
  if (status === 200) return "+";
  assert.ok(status < 500, `${status}: ${JSON.stringify(body)}`);
  if (body.error.requires_mfa) return "m";
  if (body.error.signed_out) return "?";
  return status === 403 ? "-" : "o";
}

/** With nothing in it that the description does not name. */
function assertDescribed({ status, body, headers }: WebReply, of: Responses, what: string): void {
  const [type = ""] = String(headers["content-type"]).split(";");
  const schema = (of[String(status)] ?? of["default"])?.content?.[type]?.schema;
  assert.ok(schema, `${what}: ${status} ${type} is not described`);
  const found = z.fromJSONSchema(strict(schema) as Parameters<typeof z.fromJSONSchema>[0]);
  const { error } = found.safeParse(body);
  assert.equal(error && `${what}: ${z.prettifyError(error)}`, undefined);
}

/** Objects with named properties have no others. */
function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== "object" || schema === null) return schema;
  const inner = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [key, strict(value)]),
  );
  return "properties" in inner ? { additionalProperties: false, ...inner } : inner;
}
