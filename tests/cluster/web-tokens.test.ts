// Join tokens and locks as the page asks for them: filtered by an index, in pages or as a whole.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { startCluster, type TestCluster } from "#testing/cluster";
import { verifiedClient, type WebClient } from "#testing/web-client";

const TOKENS = "/v1/webapi/tokens";
const LOCKS = "/v1/webapi/sites/-/locks";
/** More than comes at once where nobody asks for pages. */
const MANY = 1_100;

suite("join tokens and locks", () => {
  let cluster: TestCluster;
  let editor: WebClient;

  before(async () => {
    cluster = await startCluster();
    await cluster.put({
      kind: "user",
      version: "v1",
      metadata: { name: "ed" },
      spec: { roles: ["editor"] },
    });
    for (let i = 0; i < MANY; i += 550)
      await cluster.put(...Array.from({ length: 550 }, (_, k) => tokenOf(i + k)));
    await cluster.put(named("zz-agent", { roles: ["App"] }), named("zz-node", { roles: ["Node"] }));
    editor = await verifiedClient(cluster, "ed");
  });
  after(() => cluster[Symbol.asyncDispose]());

  const namesIn = async (path: string): Promise<{ names: string[]; next: string }> => {
    const { status, body } = await editor.get(path);
    assert.equal(status, 200, JSON.stringify(body));
    const items = body.items as { name: string }[];
    return { names: items.map(({ name }) => name), next: body.next_key };
  };
  const everyName = async (path: string): Promise<string[]> => {
    const all: string[] = [];
    for (let next = ""; ;) {
      const page = await namesIn(
        next === "" ? path : `${path}&start_key=${encodeURIComponent(next)}`,
      );
      all.push(...page.names);
      if (page.next === "") return all;
      next = page.next;
    }
  };

  test("a caller that asks for no page gets a thousand tokens, and a key to the rest", async () => {
    const { names, next } = await namesIn(TOKENS);
    assert.equal(names.length, 1_000);
    const rest = await namesIn(`${TOKENS}?start_key=${encodeURIComponent(next)}`);
    assert.equal(rest.next, "");
    assert.equal(new Set([...names, ...rest.names]).size, MANY + 2);
  });

  test("tokens come in pages, each once, and by role", async () => {
    const all = await everyName(`${TOKENS}?limit=500`);
    assert.equal(new Set(all).size, MANY + 2);
    assert.deepEqual(await everyName(`${TOKENS}?role=App&limit=1`), ["zz-agent"]);
    assert.equal((await everyName(`${TOKENS}?role=Bot&limit=400`)).length, MANY);
    assert.deepEqual(await everyName(`${TOKENS}?role=Kube&limit=1`), []);
  });

  test("tokens of one bot, beside role=Bot only", async () => {
    assert.deepEqual(await everyName(`${TOKENS}?role=Bot&bot=robot-7`), ["token-0007"]);
    assert.deepEqual(await everyName(`${TOKENS}?role=Bot&bot=robot`), []);
    assert.deepEqual(await everyName(`${TOKENS}?role=App&bot=robot-7&limit=10`), ["zz-agent"]);
    assert.equal((await namesIn(`${TOKENS}?bot=robot-7`)).names.length, 1_000);
  });

  test("refuses a page of none, and a key of another query", async () => {
    assert.equal((await editor.get(`${TOKENS}?limit=0`)).status, 400);
    assert.equal((await editor.get(`${TOKENS}?limit=501`)).status, 400);
    const { next } = await namesIn(`${TOKENS}?limit=1`);
    const other = await editor.get(`${TOKENS}?role=App&start_key=${encodeURIComponent(next)}`);
    assert.equal(other.body.error.code, "bad_parameter");
  });

  test("locks come in pages, those of a target by an index, and several targets at once", async () => {
    const made = await Promise.all(
      Array.from({ length: 5 }, (_, i) => cluster.lock({ user: `bot-robot-${i % 2}` })),
    );
    const ofRole = await cluster.lock({ role: "bot-robot-0" });
    const of = (...targets: string[]) =>
      everyName(`${LOCKS}?in_force_only=true&target=${encodeURIComponent(targets.join(","))}`);
    const sorted = (names: readonly string[]): string[] => names.toSorted();
    assert.deepEqual(await everyName(`${LOCKS}?limit=2`), sorted([...made, ofRole]));
    const ofUser = made.filter((_, i) => i % 2 === 0);
    assert.deepEqual(await of("user:bot-robot-0"), sorted(ofUser));
    assert.deepEqual(await everyName(`${LOCKS}?limit=1&target=user:bot-robot-0`), sorted(ofUser));
    assert.deepEqual(
      sorted(await of("user:bot-robot-0", "role:bot-robot-0")),
      sorted([...ofUser, ofRole]),
    );
    assert.deepEqual(await of("user:bot-robot"), []);
    const many = Array.from({ length: 21 }, (_, i) => `user:u${i}`).join(",");
    const refused = await editor.get(`${LOCKS}?target=${many}`);
    assert.equal(refused.body.error.code, "limit_exceeded");
  });
});

const named = (name: string, spec: object) => ({
  kind: "token",
  version: "v2",
  metadata: { name },
  spec: { join_method: "bound_keypair", ...spec },
});

const tokenOf = (i: number) =>
  named(`token-${String(i).padStart(4, "0")}`, { roles: ["Bot"], bot_name: `robot-${i}` });
