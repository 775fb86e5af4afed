import assert from "node:assert/strict";
import { test } from "node:test";
import { unavailable } from "#base/kernel";
import type { Caller } from "#domain/access";
import { kinds } from "#domain/resources";
import {
  admin,
  answered,
  clientOf,
  documentOf,
  person,
  refusal,
  ResourceWorld,
  roleFor,
} from "#testing/resource-world";
import { MAX_DOCUMENTS } from "./documents.ts";
import { createResourceService } from "./service.ts";

const role = (name: string, metadata: object = {}, spec: object = {}) =>
  documentOf("role", name, spec, metadata);
const user = (name: string, roles: string[] = [], metadata: object = {}) =>
  documentOf("user", name, { roles }, metadata);
const lock = (name: string, target = "mallory", spec: object = {}) =>
  documentOf("lock", name, { target: { user: target }, ...spec });

async function open() {
  const world = await ResourceWorld.open();
  const service = createResourceService(world);
  return {
    world,
    as: (caller: Caller) => clientOf(service, caller),
    admin: clientOf(service, admin),
  };
}

test("what is created is there, with its revision, and can be listed", async () => {
  const { admin } = await open();
  const { documents, notices } = await admin.create(
    user("bob", ["access"], { labels: { team: "a" } }),
    user("eve"),
  );
  assert.deepEqual(notices, []);
  assert.deepEqual(
    documents.map(({ metadata }) => metadata.name),
    ["bob", "eve"],
  );
  const { json = "" } = await admin.get("user", "bob");
  assert.deepEqual(JSON.parse(json), documents[0]);
  assert.equal(documents[0]!.spec["created_by"], "admin");
  const listed = answered(await admin.list("users", { labels: { team: "a" } }));
  assert.deepEqual(listed.documents, [documents[0]]);
});

test("a list goes on with its page token, and ends", async () => {
  const { admin } = await open();
  await admin.create(user("a"), user("b"), user("c"));
  const first = await admin.list("user", { pageSize: 2, descending: true });
  assert.deepEqual(
    answered(first).documents.map(({ metadata }) => metadata.name),
    ["c", "b"],
  );
  const pageToken = first.nextPageToken ?? "";
  const second = await admin.list("user", { pageSize: 2, descending: true, pageToken });
  assert.deepEqual(
    answered(second).documents.map(({ metadata }) => metadata.name),
    ["a"],
  );
  assert.equal(second.nextPageToken, "");
  await refusal(admin.list("user", { pageToken }), "bad_parameter", /page token/);
  const tampered = pageToken.replace(/.$/, (last) => (last === "A" ? "Q" : "A"));
  await refusal(
    admin.list("user", { pageSize: 2, descending: true, pageToken: tampered }),
    "bad_parameter",
    /page token/,
  );
});

test("a write of several documents is done whole or not at all", async () => {
  const { admin, world } = await open();
  await admin.create(user("taken"));
  const before = [await world.names("user", "role"), (await world.events()).length];
  await refusal(
    admin.create(user("new"), role("new"), user("taken")),
    "already_exists",
    /user "taken" already exists/,
  );
  await refusal(
    admin.create(user("new"), user("bad", ["nowhere"])),
    "bad_parameter",
    /no role "nowhere"/,
  );
  await refusal(admin.create(user("new"), user("new")), "bad_parameter", /stands twice/);
  await refusal(admin.update(user("taken")), "bad_parameter", /no metadata\.revision/);
  assert.deepEqual([await world.names("user", "role"), (await world.events()).length], before);
});

test("all faults of all documents are told at once", async () => {
  const { admin } = await open();
  const bad = { ...user("x"), spec: { rols: [], traits: 3 } };
  const error = await refusal(
    admin.create(bad, user("ok"), { kind: "usr" }),
    "bad_parameter",
    /document 1: /,
  );
  for (const part of [
    /spec\.rols: unknown field; did you mean "roles"/,
    /spec\.traits/,
    /document 3: "usr" is not a kind/,
  ])
    assert.match(error.message, part);
});

test("documents of a write may refer to each other, in any order", async () => {
  const { admin, world } = await open();
  await admin.create(user("bob", ["fresh"]), role("fresh"));
  assert.deepEqual(await world.names("user"), ["user/bob"]);
});

const sizes: readonly [string, number][] = [
  ["no document", 0],
  ["too many documents", MAX_DOCUMENTS + 1],
];
for (const [sentence, count] of sizes) {
  test(`a write of ${sentence} is refused`, async () => {
    const documents = Array.from({ length: count }, (_, n) => user(`u${n}`));
    await refusal((await open()).admin.create(...documents), "bad_parameter", /1 to 100 documents/);
  });
}

test("a full write of bots fits into one commit", async () => {
  const { admin, world } = await open();
  await admin.create(
    ...Array.from({ length: MAX_DOCUMENTS }, (_, n) =>
      documentOf("bot", `b${n}`, { roles: ["access", "editor", "auditor"] }),
    ),
  );
  assert.equal((await world.names("user")).length, MAX_DOCUMENTS);
});

test("a dry run checks everything and writes nothing", async () => {
  const { admin, world } = await open();
  const position = await world.store.position();
  const { documents } = await admin.dryRun(documentOf("bot", "ci", { roles: ["access"] }));
  assert.deepEqual(documents[0]!.status, {
    user_name: "bot-ci",
    role_name: "bot-ci",
    created_at: "2026-01-01T00:00:00.000Z",
    created_by: "admin",
  });
  assert.equal(documents[0]!.metadata.revision, undefined);
  await refusal(admin.dryRun(user("x", ["acces"])), "bad_parameter", /did you mean "access"\?/);
  assert.equal(await world.store.position(), position);
});

test("an incoming status is dropped, and that is said", async () => {
  const { admin } = await open();
  const { documents, notices } = await admin.create({
    ...documentOf("bot", "ci"),
    status: { user_name: "root", evil: 1 },
  });
  assert.deepEqual(notices, ['bot "ci": status is the server\'s and was ignored']);
  assert.deepEqual(documents[0]!.status, {
    user_name: "bot-ci",
    role_name: "bot-ci",
    created_at: "2026-01-01T00:00:00.000Z",
    created_by: "admin",
  });
});

test("an update needs the revision that was read, and says so when it is old", async () => {
  const { admin } = await open();
  const [made] = (await admin.create(user("bob"))).documents;
  const [changed] = (await admin.update({ ...made, spec: { roles: ["access"] } })).documents;
  assert.notEqual(changed!.metadata.revision, made!.metadata.revision);
  await refusal(
    admin.update({ ...made, spec: {} }),
    "compare_failed",
    /was changed since .* read it again/,
  );
  await refusal(admin.upsert({ ...made, spec: {} }), "compare_failed", /read it again/);
  await admin.upsert(user("bob"));
  await admin.remove("user", "bob");
  await refusal(admin.update(changed!), "not_found", /no user "bob"/);
  await refusal(
    admin.upsert(changed!),
    "compare_failed",
    /was deleted since .* leave metadata\.revision out/,
  );
});

test("of many that create the same document at once, one succeeds", async () => {
  const { admin, world } = await open();
  const all = await Promise.allSettled(
    Array.from({ length: 8 }, async () => await admin.create(documentOf("bot", "ci"))),
  );
  assert.equal(all.filter(({ status }) => status === "fulfilled").length, 1);
  for (const each of all)
    if (each.status === "rejected")
      await refusal(Promise.reject(each.reason), "already_exists", /bot "ci" already exists/);
  assert.equal((await world.events("bot.create")).length, 1);
});

test("of many that update from the same revision at once, one succeeds", async () => {
  const { admin } = await open();
  const [made] = (await admin.create(user("bob"))).documents;
  const all = await Promise.allSettled(
    Array.from(
      { length: 5 },
      async (_, n) => await admin.update({ ...made, spec: { traits: { n: [String(n)] } } }),
    ),
  );
  assert.equal(all.filter(({ status }) => status === "fulfilled").length, 1);
  for (const each of all)
    if (each.status === "rejected")
      await refusal(Promise.reject(each.reason), "compare_failed", /was changed since/);
});

test("an upsert without a revision wins over what others write meanwhile", async () => {
  const { admin, world } = await open();
  await admin.create(user("bob"));
  let times = 0;
  world.store.before = async () => {
    if (times++ < 2) await world.interfere(user("bob", [String(times)]));
  };
  const { documents } = await admin.upsert(user("bob", ["access"]));
  assert.deepEqual(documents[0]!.spec["roles"], ["access"]);
  assert.equal((await world.events("user.update")).length, 1);
});

test("a write that others never let through ends, and says so", async () => {
  const { admin, world } = await open();
  await admin.create(user("bob"));
  world.store.before = async () => await world.interfere(user("bob"));
  await refusal(admin.upsert(user("bob")), "compare_failed", /others keep changing/);
});

test("a store that is away is unavailable, and nothing is kept", async () => {
  const { admin, world } = await open();
  world.store.before = () => {
    throw unavailable("the disk is full");
  };
  await refusal(admin.create(user("bob")), "unavailable", /disk is full/);
  world.store.before = undefined;
  assert.deepEqual(await world.names("user"), []);
});

test("a role that goes while it is granted is noticed", async () => {
  const { admin, world } = await open();
  await admin.create(role("fleeting"));
  let gone = false;
  world.store.before = async () => {
    if (!gone) await world.store.inner.commit([{ op: "delete", kind: "role", name: "fleeting" }]);
    gone = true;
  };
  await refusal(admin.create(user("bob", ["fleeting"])), "bad_parameter", /no role "fleeting"/);
  assert.deepEqual(await world.names("user"), []);
});

test("what would be over already is refused", async () => {
  const { admin, world } = await open();
  const past = { expires: new Date(world.clock.now()).toISOString() };
  await refusal(
    admin.create(user("bob", [], past)),
    "bad_parameter",
    /user "bob" would expire at .* passed/,
  );
  await refusal(admin.create(lock("l", "bob", past)), "bad_parameter", /lock "l" would expire/);
});

test("labels of the server can neither be set nor lost", async () => {
  const { admin } = await open();
  const mine = { labels: { "tenon.internal/bot": "ci", "tenon.internal/x": "1", team: "a" } };
  const { documents, notices } = await admin.create(user("bob", [], mine));
  assert.deepEqual(documents[0]!.metadata.labels, { team: "a" });
  assert.equal(notices.length, 2);
  assert.match(notices[0]!, /label "tenon\.internal\/bot" is the server's and was ignored/);
  const edited = (await admin.upsert(role("access", { labels: { team: "b" } }))).documents[0]!;
  assert.deepEqual(edited.metadata.labels, { team: "b", "tenon.internal/builtin": "true" });
  assert.deepEqual((await admin.upsert(edited)).notices, []);
});

test("every change has its event, in the same commit, with who made it and never a value", async () => {
  const { admin, as, world } = await open();
  const editor = as(person(["editor"], { user: "ed" }));
  const made = (
    await editor.create(user("bob", ["access"]), lock("l", "bob", { message: "hm" }), role("r"))
  ).documents;
  await editor.update({ ...made[0], spec: { roles: [], traits: { team: ["blue-value"] } } });
  await editor.remove("lock", "l");
  await admin.remove("role", "r");
  const events = await world.events();
  assert.deepEqual(
    events.map(({ type, actor, fields }) => [type, actor.name, fields]),
    [
      ["user.create", "ed", { name: "bob" }],
      ["lock.create", "ed", { name: "l", target: "user:bob", message: "hm" }],
      ["role.create", "ed", { name: "r" }],
      ["user.update", "ed", { name: "bob", changed: ["spec.roles", "spec.traits.team"] }],
      ["lock.delete", "ed", { name: "l", target: "user:bob" }],
      ["role.delete", "", { name: "r" }],
    ],
  );
  assert(
    events.every(({ remote_addr, code }) => remote_addr === "192.0.2.7" && code === "success"),
  );
  assert.equal(JSON.stringify(events).includes("blue-value"), false);
});

test("a lock on nobody is made, and warned of to who may know", async () => {
  const { admin, as } = await open();
  await admin.create(user("mallory"));
  const notice =
    'there is no user "malory"; did you mean "mallory"?; the lock is for one that may come';
  assert.deepEqual((await admin.create(lock("a", "malory"))).notices, [notice]);
  assert.deepEqual((await admin.create(lock("b", "mallory"))).notices, []);
  const locker = as(person([roleFor(["lock"], ["create"])]));
  assert.deepEqual((await locker.create(lock("c", "malory"))).notices, []);
});

test("a lock knows who made it and when, whatever its document says", async () => {
  const { as, world } = await open();
  const editor = as(person(["editor"], { user: "ed" }));
  const [made] = (await editor.create(lock("l", "bob", { created_by: "someone" }))).documents;
  assert.partialDeepStrictEqual(made!.spec, {
    created_by: "ed",
    created_at: new Date(world.clock.now()).toISOString(),
  });
  await world.clock.advance(5_000);
  const [after] = (await as(admin).update({ ...made, spec: { target: { user: "bob" } } }))
    .documents;
  assert.equal(after!.spec["created_at"], made!.spec["created_at"]);
  assert.equal(after!.spec["created_by"], "ed");
});

const missing: readonly [string, string, string, RegExp][] = [
  ["the nearest name", "role", "acess", /no role "acess"; did you mean "access"\?/],
  ["an unknown kind", "rolle", "x", /"rolle" is not a kind.*did you mean "role"\?/],
];
for (const [sentence, kind, name, says] of missing) {
  test(`what is not there is told with ${sentence}`, async () => {
    const { admin } = await open();
    const code = kind === "role" ? "not_found" : "bad_parameter";
    await refusal(admin.get(kind, name), code, says);
    await refusal(admin.remove(kind, name), code, says);
  });
}

test("names are suggested only to who may list them", async () => {
  const { as } = await open();
  const reader = as(person([roleFor(["role"], ["read", "delete", "update"])]));
  await refusal(reader.get("role", "acess"), "not_found", /no role "acess"$/);
  await refusal(reader.remove("role", "acess"), "not_found", /no role "acess"$/);
  await refusal(reader.update(role("acess")), "not_found", /no role "acess"$/);
});

test("each call needs its verb on the kind, and a denied one writes nothing", async () => {
  const { as, admin, world } = await open();
  const [bob] = (await admin.create(user("bob"))).documents;
  const position = await world.store.position();
  const calls = {
    read: (by: ReturnType<typeof as>) => by.get("user", "bob"),
    list: (by: ReturnType<typeof as>) => by.list("user"),
    create: (by: ReturnType<typeof as>) => by.create(user("new")),
    update: (by: ReturnType<typeof as>) => by.update(bob!),
    delete: (by: ReturnType<typeof as>) => by.remove("user", "bob"),
  } as const;
  for (const [verb, call] of Object.entries(calls)) {
    const others = Object.keys(calls).filter((other) => other !== verb);
    await refusal(
      call(as(person([roleFor(["user"], others)]))),
      "access_denied",
      new RegExp(`may not ${verb} user`),
    );
    await refusal(call(as(person([roleFor(["bot"], ["*"])]))), "access_denied", /may not/);
    await refusal(call(as({ kind: "anonymous" })), "unauthenticated", /needs a certificate/);
  }
  const partly = as(person([roleFor(["user"], ["update"])]));
  await refusal(partly.upsert(user("bob")), "access_denied", /may not create user/);
  assert.equal(await world.store.position(), position);
  await calls.update(as(person([roleFor(["user"], ["update"])])));
  await calls.delete(as(person([roleFor(["user"], ["delete"])])));
});

test("a write is denied as a whole when one of its kinds is", async () => {
  const { as, world } = await open();
  const by = as(person([roleFor(["user"], ["*"])]));
  await refusal(by.create(user("bob"), lock("l")), "access_denied", /may not create lock/);
  assert.deepEqual(await world.names("user"), []);
});

test("kinds of the server are written by nobody else, not even at the local socket", async () => {
  const { admin } = await open();
  const uuid = "00000000-0000-0000-0000-000000000001";
  const documents: Record<string, object> = {
    app: documentOf("app", `web:${uuid}`, { uri: "http://x:1", host_id: uuid }),
    bot_instance: documentOf("bot_instance", `ci:${uuid}`, { bot_name: "ci", instance_id: uuid }),
    cert_authority: documentOf("cert_authority", "user", {
      type: "user",
      cluster_name: "c",
      active: { key_id: "k", created_at: "2026-01-01T00:00:00Z" },
    }),
  };
  const servers = Object.values(kinds).filter(({ writable }) => writable === "server");
  assert.deepEqual(servers.map(({ kind }) => kind).sort(), Object.keys(documents).sort());
  for (const [kind, document] of Object.entries(documents)) {
    await refusal(admin.create(document), "access_denied", /written only by the cluster itself/);
    await refusal(admin.upsert(document), "access_denied", /written only by the cluster itself/);
    await refusal(admin.remove(kind, "x"), "access_denied", /written only by the cluster itself/);
  }
});

test("a delete may be bound to a revision", async () => {
  const { admin } = await open();
  const [made] = (await admin.create(user("bob"))).documents;
  await admin.upsert(user("bob", ["access"]));
  await refusal(
    admin.remove("user", "bob", made!.metadata.revision),
    "compare_failed",
    /read it again before deleting/,
  );
  assert.deepEqual(await admin.remove("user", "bob"), ["user/bob"]);
});

test("roles stay while they come with the cluster or are granted", async () => {
  const { admin } = await open();
  await refusal(admin.remove("role", "editor"), "bad_parameter", /comes with the cluster/);
  await admin.create(role("r"), user("bob", ["r"]), documentOf("bot", "ci", { roles: ["r"] }));
  await refusal(
    admin.remove("role", "r"),
    "bad_parameter",
    /still granted to bot "ci", user "bob"/,
  );
  await admin.remove("bot", "ci");
  await admin.remove("user", "bob");
  assert.deepEqual(await admin.remove("role", "r"), ["role/r"]);
});

test("roles that a role lets impersonate exist", async () => {
  const { admin } = await open();
  const may = (...roles: string[]) => ({ allow: { impersonate: { roles } } });
  await refusal(
    admin.create(role("r", {}, may("acces"))),
    "bad_parameter",
    /impersonate\.roles\[0\]: there is no role "acces"/,
  );
  await admin.create(role("r", {}, may("r", "access", "ops-*")));
});

test("the cluster's settings can be changed, but not its name, nor deleted", async () => {
  const { admin, world } = await open();
  const config = (spec: object) => documentOf("cluster_config", "cluster", spec);
  await world.put(config({ cluster_name: "c" }));
  await admin.upsert(config({ cluster_name: "c", audit_retention: "24h" }));
  await refusal(
    admin.upsert(config({ cluster_name: "d" })),
    "bad_parameter",
    /cluster_name: the cluster is "c"/,
  );
  await refusal(admin.remove("cluster_config", "cluster"), "bad_parameter", /cannot be deleted/);
});

test("nobody grants roles or traits that they do not have, unless they may write roles", async () => {
  const { as, admin } = await open();
  await admin.create(role("held"), role("borrowed"), role("other"));
  const maker = roleFor(["user", "bot"], ["*"], { impersonate: { roles: ["borrowed"] } });
  const held = (await import("#domain/resources")).roleKind.schema.parse(role("held"));
  const some = as(person([maker, held], { traits: { team: ["blue"] } }));
  await some.create(user("a", ["held", "borrowed"]), documentOf("bot", "b", { roles: ["held"] }));
  await refusal(some.create(user("c", ["other"])), "access_denied", /may not grant role "other"/);
  await refusal(
    some.create(documentOf("bot", "d", { roles: ["other"] })),
    "access_denied",
    /may not grant role "other"/,
  );
  await some.create(documentOf("user", "e", { traits: { team: ["blue"] } }));
  await refusal(
    some.create(documentOf("user", "f", { traits: { team: ["red"] } })),
    "access_denied",
    /trait "team"/,
  );
  await refusal(
    some.create(documentOf("user", "f", { traits: { logins: ["root"] } })),
    "access_denied",
    /trait "logins"/,
  );
  await refusal(
    some.create(documentOf("bot", "f", { traits: [{ name: "logins", values: ["root"] }] })),
    "access_denied",
    /trait "logins"/,
  );
  await admin.create(user("strong", ["other"]));
  await some.upsert(documentOf("user", "strong", { roles: ["other", "held"] }));
  await as(person(["editor"])).create(
    documentOf("user", "g", { roles: ["other"], traits: { logins: ["root"] } }),
  );
});

test("a rule for any kind does not let anyone write roles, users, bots or tokens", async () => {
  const { as } = await open();
  const any = as(person([roleFor(["*"], ["*"])]));
  await any.create(lock("l"));
  for (const document of [
    role("r"),
    user("u"),
    documentOf("bot", "b"),
    documentOf("token", "t", { roles: ["App"], join_method: "token" }),
  ])
    await refusal(
      any.create(document),
      "access_denied",
      new RegExp(`may not create ${document.kind}`),
    );
});

const malformed: readonly [string, string, RegExp][] = [
  ["no JSON", "{", /not valid JSON/],
  ["an empty text", "", /not valid JSON/],
  ["a list", "[]", /must be an object/],
  ["a number", "7", /must be an object/],
  ["a document without a kind", "{}", /needs a kind/],
  ["a name that leads elsewhere", JSON.stringify(user("../../x")), /metadata\.name/],
  ["a text of a megabyte", JSON.stringify(user("x".repeat(1_100_000))), /larger than/],
  [
    "a deep nest",
    `{"kind":"user","spec":${"[".repeat(50_000)}${"]".repeat(50_000)}}`,
    /nested over/,
  ],
];
for (const [sentence, json, says] of malformed) {
  test(`a write of ${sentence} is a bad parameter`, async () => {
    await refusal((await open()).admin.create(json), "bad_parameter", says);
  });
}
