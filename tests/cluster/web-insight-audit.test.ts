// The audit log as its page asks for it: filters, one event, files of it.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { startCluster, type TestCluster } from "#testing/cluster";
import { codeAt, WebClient } from "#testing/web-client";

const EVENTS = "/v1/webapi/sites/-/events";

interface Shown {
  readonly id: string;
  readonly type: string;
  readonly time: string;
  readonly fields: Record<string, unknown>;
}

suite("the audit log of the page", () => {
  let cluster: TestCluster;
  let page: WebClient;

  before(async () => {
    cluster = await startCluster({ name: "audit.test" });
    await cluster.put(
      { kind: "user", version: "v1", metadata: { name: "ed" }, spec: { roles: ["auditor"] } },
      { kind: "user", version: "v1", metadata: { name: "no" }, spec: { roles: [] } },
    );
    page = await signIn("ed");
    for (const roles of [["=cmd|'/c calc'!A1"], ["@sum", 'say "hi", you'], ["plain"]])
      cluster.cluster.audit.emit({
        type: "cert.issue",
        actor: { kind: "bot", name: "robot" },
        remoteAddr: "=1+1",
        fields: { roles, ttl_seconds: 60 },
      });
    cluster.cluster.audit.emit({
      type: "cert.issue.denied",
      actor: { kind: "bot", name: "robot" },
      remoteAddr: "192.0.2.1:1",
      fields: { roles: ["editor"], reason: "no" },
    });
    await cluster.cluster.audit.flush();
  });
  after(() => cluster[Symbol.asyncDispose]());

  const signIn = async (name: string): Promise<WebClient> => {
    const { url } = await cluster.admin.auth.inviteUser({ user: name });
    const path = `/v1/webapi/invitations/${url.split("#")[1]}`;
    const client = new WebClient(cluster);
    const { totp_secret: secret } = (await client.get(path)).body;
    const answer = { password: "correct horse battery", code: codeAt(secret, Date.now()) };
    assert.equal((await client.post(path, answer)).status, 200);
    return client;
  };
  const search = async (query: string): Promise<Shown[]> =>
    (await page.get(`${EVENTS}/search?${query}`)).body.items;

  test("every known type can be picked, with what it tells of", async () => {
    const { body } = await page.get(`${EVENTS}/types`);
    const types = new Map(
      body.items.map((each: Record<string, string>) => [each["type"], each["code"]]),
    );
    assert.equal(types.get("bot.join"), "success");
    assert.equal(types.get("bot.join.failed"), "failure");
  });

  test("failures and successes are told apart, alone and beside other filters", async () => {
    assert.deepEqual((await search("bot=robot&code=failure")).map(typeOf), ["cert.issue.denied"]);
    assert.equal((await search("bot=robot&code=success")).length, 3);
    const failed = await search("code=failure");
    assert.ok(failed.length > 0 && failed.every(({ type }) => /failed|denied|exceeded/.test(type)));
    assert.deepEqual(await search("type=cert.issue&code=failure"), []);
    assert.equal((await page.get(`${EVENTS}/search?code=maybe`)).status, 400);
  });

  test("a range of time takes its start and leaves out its end", async () => {
    const [event] = await search("type=cert.issue.denied");
    const at = Date.parse(event!.time);
    assert.deepEqual((await search(`type=cert.issue.denied&from=${at}&to=${at + 1}`)).length, 1);
    assert.deepEqual(await search(`type=cert.issue.denied&to=${at}`), []);
    assert.deepEqual(await search(`type=cert.issue.denied&from=${at + 1}`), []);
  });

  test("one event has an address of its own", async () => {
    const [event] = await search("type=cert.issue.denied");
    assert.deepEqual((await page.get(`${EVENTS}/${event!.id}`)).body, event);
    const missing = await page.get(`${EVENTS}/01900000-0000-7000-8000-000000000000`);
    assert.equal(missing.status, 404);
    assert.match(missing.body.error.message, /there is no event/);
  });

  test("a filter becomes a file of JSON lines, and that is an event", async () => {
    const { headers, body } = await page.get(`${EVENTS}/export?format=jsonl&bot=robot`);
    assert.equal(headers["content-type"], "application/x-ndjson");
    assert.match(
      String(headers["content-disposition"]),
      /^attachment; filename="audit\.test-events-[\dT-]+Z\.jsonl"$/,
    );
    const lines = String(body)
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Shown);
    assert.deepEqual(lines, await search("bot=robot"));
    const [told] = await search("type=audit.export");
    assert.partialDeepStrictEqual(told, {
      actor: { kind: "user", name: "ed" },
      fields: { filter: ["bot=robot"] },
    });
  });

  test("no cell of the CSV is a formula, and each row is one event", async () => {
    const { headers, body } = await page.get(
      `${EVENTS}/export?format=csv&bot=robot&type=cert.issue`,
    );
    assert.equal(headers["content-type"], "text/csv; charset=utf-8");
    const rows = String(body).trimEnd().split("\r\n");
    assert.equal(
      rows[0],
      "id,time,type,code,actor_kind,actor_name,actor_instance,remote_addr,fields",
    );
    assert.equal(rows.length, 4);
    for (const row of rows.slice(1)) assert.match(row, /,bot,robot,,'=1\+1,"\{/);
    assert.match(rows[2]!, /\\""hi\\"", you/);
  });

  test("who may not see the log gets no file, and no half of one", async () => {
    const other = await signIn("no");
    const { status, headers, body } = await other.get(`${EVENTS}/export?format=csv`);
    assert.equal(status, 403);
    assert.equal(headers["content-disposition"], undefined);
    assert.equal(body.error.code, "access_denied");
  });

  test("a file holds so many events, and says at its end that there are more", async () => {
    const limit = 100_000;
    const event = (n: number) =>
      cluster.cluster.audit.write({
        type: "user.login",
        actor: { kind: "user", name: "busy" },
        fields: { name: "busy", method: String(n) },
      });
    for (let n = 0; n < limit + 500; n += 500)
      await cluster.store.commit(Array.from({ length: 500 }, (_, each) => event(n + each)));
    const { body } = await page.get(`${EVENTS}/export?format=jsonl&user=busy`);
    const lines = String(body).trimEnd().split("\n");
    assert.equal(lines.length, limit + 1);
    assert.match(lines.at(-1)!, /only the newest 100000 events are here/);
    const fields = lines.slice(0, -1).map((line) => (JSON.parse(line) as Shown).fields["method"]);
    assert.equal(new Set(fields).size, limit);
  });
});

const typeOf = ({ type }: Shown): string => type;
