import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf } from "#base/kernel";
import { openMemoryStore, type Store } from "#base/storage";
import { ManualClock } from "#testing/clock";
import * as fc from "fast-check";
import { StoreYard } from "#testing/store-yard";
import {
  lastActiveAt,
  MAX_EXAMINED,
  parseDocument,
  Resources,
  storeIndexes,
  writeOf,
  type BotInstance,
  type KindName,
  type ListOptions,
} from "./index.ts";

function world(): { store: Store; resources: Resources; clock: ManualClock } {
  const clock = new ManualClock();
  const store = openMemoryStore({ clock, indexes: storeIndexes });
  return { store, clock, resources: new Resources(store) };
}

const put = async (store: Store, ...documents: readonly object[]): Promise<void> => {
  for (let at = 0; at < documents.length; at += 1_000) {
    const batch = documents.slice(at, at + 1_000);
    await store.commit(batch.map((document) => writeOf(parseDocument(document), "put")));
  }
};

const user = (name: string, roles: string[] = [], labels: Record<string, string> = {}) => ({
  kind: "user",
  version: "v1",
  metadata: { name, labels },
  spec: { roles },
});

const uuid = (n: number): string => `00000000-0000-0000-0000-${n.toString(16).padStart(12, "0")}`;
const instance = (bot: string, n: number, seconds?: number) => ({
  kind: "bot_instance",
  version: "v1",
  metadata: { name: `${bot}:${uuid(n)}` },
  spec: { bot_name: bot, instance_id: uuid(n) },
  status: { generation: 1, ...(seconds === undefined ? {} : heard(seconds)) },
});
const heard = (seconds: number) => ({
  latest_authentications: [
    {
      time: new Date(1_760_000_000_000 + seconds * 1_000).toISOString(),
      join_method: "token",
      token: "t",
      generation: 1,
      key_fingerprint: "",
      remote_addr: "",
      recovery: false,
    },
  ],
});

async function everyName(
  resources: Resources,
  kind: KindName,
  options: ListOptions,
): Promise<string[]> {
  const names: string[] = [];
  let pageToken = "";
  do {
    const page = await resources.list(kind, { ...options, pageToken });
    names.push(...page.resources.map(({ metadata }) => metadata.name));
    pageToken = page.nextPageToken ?? "";
  } while (pageToken);
  return names;
}

const rejects = async (promise: Promise<unknown>, code: string, says: RegExp): Promise<void> => {
  await assert.rejects(promise, (error: Error) => {
    assert.equal(codeOf(error), code);
    assert.match(error.message, says);
    return true;
  });
};

test("a document is read by its name, or missed with the nearest names", async () => {
  const { store, resources } = world();
  await put(store, user("alice"), user("bob"));
  assert.equal((await resources.get("user", "alice"))?.metadata.name, "alice");
  assert.equal(await resources.get("user", "carol"), undefined);
  assert.equal((await resources.require("user", "bob")).metadata.revision, "2");
  await rejects(resources.require("user", "alcie"), "not_found", /did you mean "alice"\?/);
});

test("the names of tokens that are secrets are never suggested", async () => {
  const { store, resources } = world();
  const token = (name: string, join_method: string) => ({
    kind: "token",
    version: "v2",
    metadata: { name },
    spec: { join_method, bot_name: "b" },
  });
  await put(store, token("fleet-secret", "token"), token("fleet-keypair", "bound_keypair"));
  await rejects(resources.require("token", "fleet-secrets"), "not_found", /"fleet-secrets"$/);
  await rejects(resources.require("token", "fleet-keypairs"), "not_found", /"fleet-keypair"\?/);
});

test("a document vanishes when it expires", async () => {
  const { store, resources, clock } = world();
  const expires = new Date(clock.now() + 1_000).toISOString();
  const spec = { target: { user: "a" }, expires };
  await put(store, { kind: "lock", version: "v2", metadata: { name: "l" }, spec });
  assert(await resources.get("lock", "l"));
  await clock.advance(1_000);
  assert.equal(await resources.get("lock", "l"), undefined);
});

test("a filter looks for text, labels and fields, and all must fit", async () => {
  const { store, resources } = world();
  await put(
    store,
    user("alice", ["access"], { team: "Blue" }),
    user("bob", ["access", "editor"], { team: "red" }),
    user("carol", ["auditor"], { team: "blue", site: "Blueberry" }),
  );
  const cases: readonly [ListOptions, string[]][] = [
    [{}, ["alice", "bob", "carol"]],
    [{ search: "BLUE" }, ["alice", "carol"]],
    [{ search: "edit" }, ["bob"]],
    [{ labels: { team: "blue" } }, ["carol"]],
    [{ labels: { constructor: "x" } }, []],
    [{ fields: { role: "access" } }, ["alice", "bob"]],
    [{ fields: { role: "acces" } }, []],
    [{ fields: { role: "access" }, search: "b", descending: true }, ["bob", "alice"]],
    [{ fields: { role: "access" }, labels: { team: "red" } }, ["bob"]],
  ];
  for (const [options, expected] of cases)
    assert.deepEqual(
      await everyName(resources, "user", options),
      expected,
      JSON.stringify(options),
    );
});

const refusedLists: readonly [string, KindName, ListOptions, RegExp][] = [
  [
    "an unknown field",
    "token",
    { fields: { bot_nam: "x" } },
    /"bot_nam".*did you mean "bot_name"\?/,
  ],
  ["an inherited field", "token", { fields: { toString: "x" } }, /"toString" is not a field/],
  ["an unknown sort", "bot_instance", { sort: "last_active" }, /did you mean "last_active_at"\?/],
  ["a sort by an index that is none", "bot_instance", { sort: "bot_name" }, /cannot be sorted/],
  ["a page that is too large", "user", { pageSize: 1_001 }, /page size "1001"/],
  ["half a page", "user", { pageSize: 0.5 }, /page size "0.5"/],
  ["a token of another making", "user", { pageToken: "eyJhZnRlciI6IngifQ" }, /page token/],
  ["a token that is too long", "user", { pageToken: "A".repeat(10_000) }, /page token/],
];
for (const [sentence, kind, options, says] of refusedLists) {
  test(`a list refuses ${sentence}`, async () => {
    await rejects(world().resources.list(kind, options), "bad_parameter", says);
  });
}

/** An instance that was last heard of then, or never; it has words of every field. */
const reporting = (n: number) => {
  const bot = n % 3 === 0 ? "red" : "blue";
  const beat = {
    time: new Date(1_760_000_000_000 + ((n * 7) % 11) * 1_000).toISOString(),
    version: `1.${n % 2}.0`,
    hostname: `Host-${n}`,
    os: "linux",
    architecture: "x64",
    uptime_seconds: 1,
    one_shot: false,
    kind: "tbot",
    configuration: "",
  };
  const service = { name: "a", type: "identity", updated_at: beat.time };
  const plain = instance(bot, n, (n * 3) % 7);
  if (n % 5 === 4) return instance(bot, n);
  return {
    ...plain,
    metadata: { ...plain.metadata, labels: n % 4 === 0 ? { site: "North\u0001Sea" } : {} },
    status: {
      ...plain.status,
      latest_heartbeats: [beat],
      service_health: [{ ...service, status: n % 7 === 0 ? "failed" : "healthy" }],
    },
  };
};

const stores: Readonly<Record<string, () => Promise<{ store: Store; yard?: StoreYard }>>> = {
  memory: async () => world(),
  "SQLite, which walks": () => sqlite({ walk: 3, gather: 1 }),
  "SQLite, which gathers": () => sqlite({ walk: 1, gather: 100 }),
};
const sqlite = async (searchLimits: { walk: number; gather: number }) => {
  const yard = await StoreYard.make();
  const store = await yard.open(yard.fresh(), { indexes: storeIndexes, searchLimits });
  return { store, yard };
};

for (const [name, open] of Object.entries(stores))
  test(`pages bring everything once, in order, whatever filter, sort and size: ${name}`, async () => {
    const { store, yard } = await open();
    await using _yard = yard;
    await using _store = store;
    const resources = new Resources(store);
    const instances = Array.from({ length: 30 }, (_, n) => reporting(n));
    await put(store, ...instances);
    const all = instances.map((each) => parseDocument(each) as BotInstance);
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          pageSize: fc.integer({ min: 1, max: 12 }),
          descending: fc.boolean(),
          sort: fc.constantFrom("name", "", "last_active_at"),
          fields: fc.record(
            {
              bot_name: fc.constantFrom("red", "blue", "no"),
              version: fc.constantFrom("1.0.0", "1.1.0", "1.1"),
              health: fc.constantFrom("failed", "healthy"),
              hostname: fc.constantFrom("Host-7", "host-7", "Host"),
            },
            { requiredKeys: [] },
          ),
          labels: fc.constantFrom({}, {}, { site: "North\u0001Sea" }, { site: "North" }),
          search: fc.constantFrom("", "0000000a", " RED ", "host-1", "h\u0001s", "1.1", "no"),
        }),
        async (options) => {
          const names = await everyName(resources, "bot_instance", options);
          assert.deepEqual(names, namesWanted(all, options));
        },
      ),
      { numRuns: 150 },
    );
  });

/** The plainest way to the same: look at every document, and sort. */
function namesWanted(all: readonly BotInstance[], options: ListOptions): readonly string[] {
  const { search = "", fields = {}, labels = {}, sort, descending } = options;
  const valuesOf = (each: BotInstance): Record<string, string | undefined> => ({
    bot_name: each.spec.bot_name,
    hostname: each.status?.latest_heartbeats[0]?.hostname,
    version: each.status?.latest_heartbeats[0]?.version,
    os: each.status?.latest_heartbeats[0]?.os,
    join_method: each.status?.latest_authentications[0]?.join_method,
    health: each.status?.service_health[0]?.status,
  });
  const wordsOf = (each: BotInstance) => [
    each.metadata.name,
    ...Object.entries(each.metadata.labels).flat(),
    ...Object.values(valuesOf(each)),
  ];
  const sortKey = (each: BotInstance): string =>
    `${sort === "last_active_at" ? lastActiveAt(each) : ""} ${each.metadata.name}`;
  const names = all
    .filter((each) => Object.entries(fields).every(([key, value]) => valuesOf(each)[key] === value))
    .filter(({ metadata }) =>
      Object.entries(labels).every(([key, value]) => metadata.labels[key] === value),
    )
    .filter((each) =>
      wordsOf(each).some((word) => word?.toLowerCase().includes(search.trim().toLowerCase())),
    )
    .toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1))
    .map(({ metadata }) => metadata.name);
  return descending ? names.toReversed() : names;
}

test("what stays in place is neither repeated nor skipped while others come and go", async () => {
  const names = Array.from({ length: 60 }, (_, n) => `u${String(n * 10).padStart(4, "0")}`);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ at: fc.nat(600), keep: fc.boolean() }), { maxLength: 30 }),
      fc.integer({ min: 1, max: 9 }),
      fc.boolean(),
      fc.constantFrom({}, { search: "u" }, { fields: { role: "r" } }),
      async (writes, pageSize, descending, filter) => {
        const { store, resources } = world();
        await put(store, ...names.map((name) => user(name, ["r"])));
        const touched = new Set<string>();
        const seen: string[] = [];
        let pageToken = "";
        do {
          const page = await resources.list("user", { ...filter, pageSize, descending, pageToken });
          seen.push(...page.resources.map(({ metadata }) => metadata.name));
          pageToken = page.nextPageToken ?? "";
          for (const { at, keep } of writes.splice(0, 3)) {
            const name = `u${String(at).padStart(4, "0")}`;
            touched.add(name);
            if (keep) await put(store, user(name, ["r"]));
            else if (await store.get("user", name))
              await store.commit([{ op: "delete", kind: "user", name }]);
          }
        } while (pageToken);
        const stable = names.filter((name) => !touched.has(name));
        const kept = seen.filter((name) => stable.includes(name));
        assert.deepEqual(kept, descending ? stable.toReversed() : stable);
        assert.equal(new Set(seen).size, seen.length);
      },
    ),
    { numRuns: 60 },
  );
});

test("a page token opens only the query that it was made for, and only whole", async () => {
  const { store, resources } = world();
  await put(store, user("a", ["r"]), user("b", ["r"]), user("c", ["r"]));
  const options = { fields: { role: "r" }, pageSize: 1 };
  const { nextPageToken: token = "" } = await resources.list("user", options);
  assert.equal(
    (await resources.list("user", { ...options, pageToken: token })).resources.length,
    1,
  );
  for (const other of [
    { descending: true },
    { search: "x" },
    { labels: { a: "b" } },
    { fields: {} },
  ])
    await rejects(
      resources.list("user", { ...options, ...other, pageToken: token }),
      "bad_parameter",
      /page token/,
    );
  await rejects(resources.list("bot", { ...options, pageToken: token }), "bad_parameter", /token/);
  for (let at = 0; at < token.length; at++) {
    const swapped = token[at] === "A" ? "B" : "A";
    const tampered = `${token.slice(0, at)}${swapped}${token.slice(at + 1)}`;
    if (Buffer.from(tampered, "base64url").equals(Buffer.from(token, "base64url"))) continue;
    await rejects(
      resources.list("user", { ...options, pageToken: tampered }),
      "bad_parameter",
      /page token/,
    );
  }
});

test("a page token hides names, and serves every server and restart of the cluster", async () => {
  const { store, resources } = world();
  await put(store, user("a-very-telling-name"), user("b"));
  const { nextPageToken: token = "" } = await resources.list("user", { pageSize: 1 });
  assert.equal(Buffer.from(token, "base64url").toString("latin1").includes("telling"), false);
  const other = await new Resources(store).list("user", { pageSize: 1, pageToken: token });
  assert.deepEqual(
    other.resources.map(({ metadata }) => metadata.name),
    ["b"],
  );
});

test("two servers that make the first page token at once agree on its key", async () => {
  const { store } = world();
  await put(store, user("a"), user("b"));
  const servers = Array.from({ length: 4 }, () => new Resources(store));
  const pages = await Promise.all(servers.map((server) => server.list("user", { pageSize: 1 })));
  for (const { nextPageToken: pageToken = "" } of pages)
    for (const server of servers)
      assert.equal((await server.list("user", { pageSize: 1, pageToken })).resources.length, 1);
});

test("a filter that matches little ends its page after a bounded number of documents", async () => {
  const { store, resources } = world();
  const lock = (name: string) => ({
    kind: "lock",
    version: "v2",
    metadata: { name },
    spec: { target: { user: "mallory" } },
  });
  const names = Array.from(
    { length: MAX_EXAMINED + 500 },
    (_, n) => `u${String(n).padStart(5, "0")}`,
  );
  await put(store, ...names.map(lock), lock("z-the-one"));
  const first = await resources.list("lock", { search: "the-one" });
  assert.deepEqual(first.resources, []);
  assert(first.nextPageToken);
  const second = await resources.list("lock", {
    search: "the-one",
    pageToken: first.nextPageToken,
  });
  assert.equal(second.resources.length, 1);
  assert.equal(second.nextPageToken, undefined);
});

test("all documents of a range come, page after page", async () => {
  const { store, resources } = world();
  const names = Array.from({ length: 2_100 }, (_, n) => `u${n}`);
  await put(store, ...names.map((name) => user(name)));
  let count = 0;
  for await (const each of resources.all("user")) count += each.kind === "user" ? 1 : 0;
  assert.equal(count, 2_100);
  await put(store, instance("red", 1), instance("red", 2), instance("redder", 3));
  const red: string[] = [];
  for await (const each of resources.all("bot_instance", { prefix: "red:" }))
    red.push(each.spec.instance_id);
  assert.deepEqual(red, [uuid(1), uuid(2)]);
});
