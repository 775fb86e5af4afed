import assert from "node:assert/strict";
import { test } from "node:test";
import type { Caller } from "#domain/access";
import { parseDocument } from "#domain/resources";
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
import { createResourceService } from "./service.ts";

const keypair = (name: string, onboarding: object = {}, spec: object = {}) =>
  documentOf("token", name, {
    bot_name: "ci",
    join_method: "bound_keypair",
    bound_keypair: { onboarding },
    ...spec,
  });
const secretName = "0123456789abcdef0123456789abcdef";
const single = (name = secretName, spec: object = {}) =>
  documentOf("token", name, { bot_name: "ci", join_method: "token", ...spec });

async function open() {
  const world = await ResourceWorld.open();
  const service = createResourceService(world);
  const as = (caller: Caller) => clientOf(service, caller);
  await as(admin).create(documentOf("bot", "ci", { roles: ["access"] }));
  return { world, as, admin: as(admin) };
}

type Bound = { registration_secret?: string; recovery_count: number; bound_public_key: string };
const boundOf = (document: { status?: Record<string, unknown> } | undefined): Bound =>
  document?.status?.["bound_keypair"] as Bound;

test("a bound_keypair token gets a registration secret of its own", async () => {
  const { admin } = await open();
  const [a, b] = (await admin.create(keypair("a"), keypair("b"))).documents;
  assert.match(boundOf(a).registration_secret ?? "", /^[0-9a-f]{32}$/);
  assert.notEqual(boundOf(a).registration_secret, boundOf(b).registration_secret);
  assert.equal(boundOf(a).recovery_count, 0);
  assert.equal(boundOf(a).bound_public_key, "");
});

test("a registration secret that is given is copied to where the join looks", async () => {
  const { admin } = await open();
  const [made] = (await admin.create(keypair("a", { registration_secret: "mine" }))).documents;
  assert.equal(boundOf(made).registration_secret, "mine");
});

test("a token with a registered key needs no secret", async () => {
  const { admin } = await open();
  const [made] = (await admin.create(keypair("a", { initial_public_key: "ssh-ed25519 AAAA" })))
    .documents;
  assert.equal(boundOf(made).registration_secret, undefined);
});

test("an update keeps the server's state, and the secret until another is given", async () => {
  const { admin } = await open();
  const [made] = (await admin.create(keypair("a"))).documents;
  const generated = boundOf(made).registration_secret;
  const [raised] = (
    await admin.upsert(keypair("a", {}, { bound_keypair: { recovery: { limit: 3 } } }))
  ).documents;
  assert.equal(boundOf(raised).registration_secret, generated);
  const [changed] = (await admin.upsert(keypair("a", { registration_secret: "mine" }))).documents;
  assert.equal(boundOf(changed).registration_secret, "mine");
  const [registered] = (
    await admin.upsert(keypair("a", { initial_public_key: "ssh-ed25519 AAAA" }))
  ).documents;
  assert.equal(boundOf(registered).registration_secret, undefined);
});

test("once a key is bound no update brings a secret back, or touches the counters", async () => {
  const { admin, world } = await open();
  await world.put({
    ...keypair("a"),
    status: { bound_keypair: { bound_public_key: "ssh-ed25519 AAAA", recovery_count: 2 } },
  });
  const forged = { bound_keypair: { recovery_count: 0, bound_public_key: "" } };
  const { documents, notices } = await admin.upsert({
    ...keypair("a", { registration_secret: "x" }),
    status: forged,
  });
  assert.partialDeepStrictEqual(boundOf(documents[0]), {
    bound_public_key: "ssh-ed25519 AAAA",
    recovery_count: 2,
  });
  assert.equal(boundOf(documents[0]).registration_secret, undefined);
  assert.match(notices[0]!, /status is the server's/);
});

test("RFD 0205's sample works as it stands there", async () => {
  const { admin } = await open();
  const sample = keypair(
    "my-join-token",
    { initial_public_key: "", registration_secret: "", must_register_before: "" },
    { join_method: "bound-keypair" },
  );
  const [made] = (
    await admin.create({
      ...sample,
      status: { bound_keypair: { registration_secret: "<random>" } },
    })
  ).documents;
  assert.equal(made!.spec["join_method"], "bound_keypair");
  assert.match(boundOf(made).registration_secret ?? "", /^[0-9a-f]{32}$/);
});

const refused: readonly [string, object, RegExp][] = [
  [
    "an unknown bot",
    keypair("t", {}, { bot_name: "cl" }),
    /spec\.bot_name: there is no bot "cl"; did you mean "ci"\?/,
  ],
  ["an unknown method", keypair("t", {}, { join_method: "iam" }), /join_method/],
  [
    "a secret that is too long",
    keypair("t", { registration_secret: "x".repeat(513) }),
    /registration_secret/,
  ],
];
for (const [sentence, document, says] of refused) {
  test(`a token with ${sentence} is refused`, async () => {
    const { admin, world } = await open();
    await refusal(admin.create(document), "bad_parameter", says);
    assert.deepEqual(await world.names("token"), []);
  });
}

test("a token keeps its bot and its method", async () => {
  const { admin } = await open();
  await admin.create(documentOf("bot", "cd"), keypair("a"));
  await refusal(
    admin.upsert(keypair("a", {}, { bot_name: "cd" })),
    "bad_parameter",
    /bot_name: is "ci" and cannot become "cd"/,
  );
  await refusal(admin.upsert(single("a")), "bad_parameter", /join_method: is "bound_keypair"/);
});

test("a name that is the secret and could be guessed is warned of", async () => {
  const { admin } = await open();
  assert.match((await admin.create(single("short"))).notices[0]!, /can be guessed/);
  assert.deepEqual((await admin.create(single())).notices, []);
});

test("names that are secrets stand in no event and no message", async () => {
  const { admin, world } = await open();
  await admin.create(single());
  const again = await refusal(
    admin.create(single()),
    "already_exists",
    /token "0123…" already exists/,
  );
  assert.equal(again.message.includes(secretName), false);
  await admin.upsert(single(secretName, { roles: ["Bot"] }));
  await admin.remove("token", secretName);
  const events = await world.events();
  assert.equal(JSON.stringify(events).includes(secretName), false);
  assert.deepEqual(
    events
      .filter(({ type }) => type.startsWith("token."))
      .map(({ type, fields }) => [type, fields.name]),
    [
      ["token.create", "0123…"],
      ["token.update", "0123…"],
      ["token.delete", "0123…"],
    ],
  );
});

test("secrets of tokens are shown to who may read tokens, and hidden from all others", async () => {
  const { admin, as } = await open();
  await admin.create(keypair("a", { registration_secret: "hush-hush" }), single());
  const lister = as(
    person([roleFor(["token"], ["list", "create", "update"])], { roles: ["access"] }),
  );
  const listed = JSON.stringify(await lister.list("token"));
  assert.equal(listed.includes("hush-hush"), false);
  assert.equal(listed.includes(secretName), false);
  assert(listed.includes("0123…"));
  await refusal(lister.get("token", "a"), "access_denied", /may not read token/);
  const answers = [
    await lister.upsert(keypair("a", { registration_secret: "hush-hush" })),
    await lister.create(keypair("b", { registration_secret: "hush-hush" })),
  ];
  assert.equal(JSON.stringify(answers).includes("hush-hush"), false);
  const reader = as(person([roleFor(["token"], ["read", "list"])]));
  assert.equal((await reader.get("token", "a")).json?.includes("hush-hush"), true);
  assert(JSON.stringify(await reader.list("token")).includes(secretName));
});

test("a filter finds nothing by what its caller may not see", async () => {
  const { admin, as } = await open();
  await admin.create(single());
  const lister = as(person([roleFor(["token"], ["list"])]));
  const reader = as(person([roleFor(["token"], ["list", "read"])]));
  const search = secretName.slice(4, 12);
  assert.deepEqual(answered(await lister.list("token", { search })).documents, []);
  assert.equal(answered(await reader.list("token", { search })).documents.length, 1);
});

test("a document that was listed without its secrets can be sent back without losing them", async () => {
  const { admin, as } = await open();
  await admin.create(keypair("a", { registration_secret: "hush-hush" }));
  const lister = as(person([roleFor(["token"], ["list", "update"])], { roles: ["access"] }));
  const [listed] = answered(await lister.list("token")).documents;
  await lister.update(listed!);
  const { json = "" } = await admin.get("token", "a");
  assert.equal(boundOf(JSON.parse(json)).registration_secret, "hush-hush");
});

test("a token is made by who could be its bot, and for a proxy by who could be anyone", async () => {
  const { as } = await open();
  const maker = roleFor(["token"], ["*"]);
  const outsider = as(person([maker]));
  await refusal(outsider.create(keypair("a")), "access_denied", /may not grant role "access"/);
  await refusal(outsider.create(single()), "access_denied", /may not grant role "access"/);
  await outsider.create(documentOf("token", "agents", { roles: ["App"], join_method: "token" }));
  const proxy = documentOf("token", "proxies", { roles: ["App", "Proxy"], join_method: "token" });
  await refusal(outsider.create(proxy), "access_denied", /may not make a token for Proxy/);
  await as(person([maker, "access"])).create(keypair("a"));
  await as(person(["editor"])).create(proxy, keypair("b"));
});

test("a token that someone else made cannot be turned to one's own use", async () => {
  const { admin, as } = await open();
  await admin.create(keypair("a"));
  const outsider = as(person([roleFor(["token"], ["update", "create"])]));
  await refusal(
    outsider.upsert(keypair("a", { registration_secret: "mine" })),
    "access_denied",
    /may not grant role "access"/,
  );
});

test("the stored token is complete and fits its schema", async () => {
  const { admin, world } = await open();
  await admin.create(
    documentOf("token", "plain", { bot_name: "ci", join_method: "bound_keypair" }),
  );
  const item = await world.store.get("token", "plain");
  const { revision: _, ...metadata } = (await world.resources.require("token", "plain")).metadata;
  assert.deepEqual(item!.value["metadata"], metadata);
  parseDocument(item!.value);
  assert.equal(typeof boundOf(item!.value as never).registration_secret, "string");
});
