import assert from "node:assert/strict";
import { test } from "node:test";
import { unavailable } from "#base/kernel";
import type { Caller } from "#domain/access";
import {
  admin,
  clientOf,
  documentOf,
  person,
  refusal,
  ResourceWorld,
  roleFor,
} from "#testing/resource-world";
import { createResourceService } from "./service.ts";

const bot = (name: string, spec: object = {}, metadata: object = {}) =>
  documentOf("bot", name, spec, metadata);
const token = (name: string, bot_name: string, join_method = "bound_keypair") =>
  documentOf("token", name, { bot_name, join_method });
const uuid = (n: number): string => `00000000-0000-0000-0000-${n.toString(16).padStart(12, "0")}`;
const instance = (bot_name: string, n: number, joinedAt?: number) => ({
  ...documentOf("bot_instance", `${bot_name}:${uuid(n)}`, { bot_name, instance_id: uuid(n) }),
  status: { generation: 1, ...(joinedAt === undefined ? {} : joined(joinedAt)) },
});
const joined = (at: number) => ({
  latest_authentications: [
    {
      time: new Date(at).toISOString(),
      join_method: "token",
      token: "t",
      generation: 1,
      key_fingerprint: "",
      remote_addr: "",
      recovery: true,
    },
  ],
});

async function open() {
  const world = await ResourceWorld.open();
  const service = createResourceService(world);
  return {
    world,
    as: (caller: Caller) => clientOf(service, caller),
    admin: clientOf(service, admin),
  };
}

const traits = [{ name: "team", values: ["blue"] }];

test("a bot comes with its user and role, which let it be exactly its roles", async () => {
  const { admin, world } = await open();
  const { documents } = await admin.create(
    bot(
      "ci",
      { roles: ["access", "auditor"], traits, max_session_ttl: "30m" },
      { labels: { a: "b" } },
    ),
  );
  assert.deepEqual(documents[0]!.status, {
    user_name: "bot-ci",
    role_name: "bot-ci",
    created_at: "2026-01-01T00:00:00.000Z",
    created_by: "admin",
  });
  const user = await world.resources.require("user", "bot-ci");
  assert.deepEqual(user.spec, {
    roles: ["bot-ci"],
    traits: { team: ["blue"] },
    created_by: "bot:ci",
  });
  assert.deepEqual(user.metadata.labels, { "tenon.internal/bot": "ci" });
  const role = await world.resources.require("role", "bot-ci");
  assert.deepEqual(role.spec.allow.impersonate, { users: [], roles: ["access", "auditor"] });
  assert.deepEqual(role.spec.allow.rules, []);
  assert.equal(role.spec.options.max_session_ttl, "30m");
  assert.deepEqual(role.metadata.labels, { "tenon.internal/bot": "ci" });
  const events = await world.events();
  assert.deepEqual(
    events.map(({ type, fields }) => [type, fields]),
    [["bot.create", { name: "ci", roles: ["access", "auditor"] }]],
  );
});

test("a bot's user and role follow every change of the bot", async () => {
  const { admin, world } = await open();
  const [made] = (await admin.create(bot("ci", { roles: ["access"], traits }))).documents;
  await admin.update({ ...made, spec: { roles: ["auditor"], max_session_ttl: "1h" } });
  const role = await world.resources.require("role", "bot-ci");
  assert.deepEqual(role.spec.allow.impersonate.roles, ["auditor"]);
  assert.equal(role.spec.options.max_session_ttl, "1h");
  assert.deepEqual((await world.resources.require("user", "bot-ci")).spec.traits, {});
  const [updated] = await world.events("bot.update");
  assert.deepEqual(updated!.fields.changed, ["spec.roles", "spec.traits", "spec.max_session_ttl"]);
});

test("a bot's user and role end with it", async () => {
  const { admin, world } = await open();
  const expires = new Date(world.clock.now() + 60_000).toISOString();
  await admin.create(bot("ci", {}, { expires }));
  await world.clock.advance(60_000);
  const left = await world.names("bot", "user", "role");
  assert.deepEqual(left, ["role/access", "role/auditor", "role/editor"]);
});

test("a bot's user and role are edited only through the bot, also at the local socket", async () => {
  const { admin, as } = await open();
  await admin.create(bot("ci"));
  for (const by of [admin, as(person(["editor"]))]) {
    for (const kind of ["user", "role"] as const) {
      const own = JSON.parse((await by.get(kind, "bot-ci")).json ?? "");
      const says = new RegExp(`${kind} "bot-ci" belongs to bot "ci" .* edit or delete the bot`);
      await refusal(by.update({ ...own, spec: {} }), "bad_parameter", says);
      await refusal(by.upsert(documentOf(kind, "bot-ci")), "bad_parameter", says);
      await refusal(by.remove(kind, "bot-ci"), "bad_parameter", says);
    }
  }
});

test("a bot does not take over a user or role that is there", async () => {
  for (const kind of ["user", "role"]) {
    const { admin, world } = await open();
    await admin.create(documentOf(kind, "bot-ci", kind === "user" ? { roles: ["access"] } : {}));
    const says = new RegExp(`${kind} "bot-ci" already exists and is not this bot's`);
    await refusal(admin.create(bot("ci")), "already_exists", says);
    await refusal(admin.upsert(bot("ci")), "already_exists", says);
    assert.deepEqual(await world.names("bot"), []);
  }
});

test("a bot's user cannot be written beside the bot", async () => {
  const { admin } = await open();
  await refusal(
    admin.create(bot("ci"), documentOf("user", "bot-ci")),
    "bad_parameter",
    /user "bot-ci" follows from another/,
  );
});

const refusedBots: readonly [string, object, RegExp][] = [
  [
    "an unknown role",
    { roles: ["access", "acess"] },
    /spec\.roles\[1\]: there is no role "acess"; did you mean "access"\?/,
  ],
  ["another bot's own role", { roles: ["bot-other"] }, /role "bot-other" belongs to bot "other"/],
  ["its own role", { roles: ["bot-ci"] }, /no role "bot-ci"/],
  ["an unknown field", { role: ["access"] }, /did you mean "roles"\?/],
  ["a time that is none", { max_session_ttl: "soon" }, /max_session_ttl: must be a duration/],
];
for (const [sentence, spec, says] of refusedBots) {
  test(`a bot with ${sentence} is refused`, async () => {
    const { admin, world } = await open();
    await admin.create(bot("other"));
    await refusal(admin.create(bot("ci", spec)), "bad_parameter", says);
    assert.deepEqual(await world.names("bot", "user"), ["bot/other", "user/bot-other"]);
  });
}

test("a bot's own role cannot be granted to people either", async () => {
  const { admin } = await open();
  await admin.create(bot("ci"));
  await refusal(
    admin.create(documentOf("user", "bob", { roles: ["bot-ci"] })),
    "bad_parameter",
    /cannot be granted/,
  );
});

test("a bot takes its user, role, tokens and instances with it, and nothing of others", async () => {
  const { admin, world } = await open();
  await admin.create(bot("ci"), bot("ci2"));
  await admin.create(
    token("ci-token", "ci"),
    token("0123456789abcdef", "ci", "token"),
    token("ci2-token", "ci2"),
  );
  await world.put(instance("ci", 1), instance("ci", 2), instance("ci2", 3));
  const deleted = await admin.remove("bot", "ci");
  assert.deepEqual(deleted.toSorted(), [
    "bot/ci",
    `bot_instance/ci:${uuid(1)}`,
    `bot_instance/ci:${uuid(2)}`,
    "role/bot-ci",
    "token/0123…",
    "token/ci-token",
    "user/bot-ci",
  ]);
  assert.deepEqual(await world.names("bot", "user", "token", "bot_instance"), [
    "bot/ci2",
    "user/bot-ci2",
    "token/ci2-token",
    `bot_instance/ci2:${uuid(3)}`,
  ]);
  const [event] = await world.events("bot.delete");
  assert.deepEqual(event!.fields, { name: "ci", tokens: 2, instances: 2 });
  const gone = (await world.events("token.delete")).map(({ fields }) => fields);
  assert.deepEqual(gone, [
    { name: "0123…", join_method: "token", bot: "ci" },
    { name: "ci-token", join_method: "bound_keypair", bot: "ci" },
  ]);
  await refusal(admin.remove("bot", "ci"), "not_found", /no bot "ci"/);
});

test("certificates of a deleted bot's instances are cut off while they could be valid", async () => {
  const { admin, world } = await open();
  const now = world.clock.now();
  const ttls = { max_bot_identity_ttl: "2h", max_credential_ttl: "1h" };
  await world.put(
    documentOf("cluster_config", "cluster", { cluster_name: "c", ...ttls }),
    instance("ci", 1, now - 3_600_000),
    instance("ci", 2, now - 4 * 3_600_000),
    instance("ci", 3),
  );
  await admin.create(bot("other"));
  await world.put(bot("ci"));
  await admin.remove("bot", "ci");
  const locks = [];
  for await (const lock of world.resources.all("lock")) locks.push(lock);
  assert.equal(locks.length, 1);
  assert.partialDeepStrictEqual(locks[0]!.spec, {
    target: { bot_instance_id: uuid(1) },
    message: 'bot "ci" was deleted',
    expires: new Date(now + 2 * 3_600_000).toISOString(),
  });
});

test("a bot of thousands of instances goes in several commits, each within the store's limit", async () => {
  const { admin, world } = await open();
  await admin.create(bot("big"), token("t", "big"));
  await world.put(
    ...Array.from({ length: 2_500 }, (_, n) => instance("big", n, world.clock.now())),
  );
  await world.put(documentOf("cluster_config", "cluster", { cluster_name: "c" }));
  const deleted = await admin.remove("bot", "big");
  assert.equal(deleted.length, 2_504);
  assert.deepEqual(await world.names("bot", "bot_instance", "token", "user"), []);
  assert.equal((await world.events("bot.delete"))[0]!.fields.instances, 2_500);
});

test("a delete that was cut short leaves the bot, and deleting it again goes on", async () => {
  const { admin, world } = await open();
  await admin.create(bot("big"), token("t", "big"));
  await world.put(...Array.from({ length: 1_000 }, (_, n) => instance("big", n)));
  const start = world.store.commits;
  world.store.before = () => {
    if (world.store.commits - start === 2) throw unavailable("the power went");
  };
  await refusal(admin.remove("bot", "big"), "unavailable", /power/);
  assert.deepEqual(await world.names("bot", "user", "token"), ["bot/big", "user/bot-big"]);
  const left = (await world.names("bot_instance")).length;
  assert(left > 0 && left < 1_000);
  world.store.before = undefined;
  await admin.remove("bot", "big");
  assert.deepEqual(await world.names("bot", "user", "bot_instance"), []);
});

test("a token that is made while its bot is deleted does not outlive it", async () => {
  const { admin, world } = await open();
  await admin.create(bot("ci"));
  let made = false;
  world.store.before = async (writes) => {
    if (made || !writes.some(({ op, kind }) => op === "delete" && kind === "bot")) return;
    made = true;
    await world.interfere(token("late", "ci"));
  };
  await admin.remove("bot", "ci");
  assert.equal(made, true);
  assert.deepEqual(await world.names("bot", "token"), []);
});

test("a bot that goes while a token is made for it is noticed", async () => {
  const { admin, world } = await open();
  await admin.create(bot("ci"));
  let gone = false;
  world.store.before = async () => {
    if (!gone) await world.store.inner.commit([{ op: "delete", kind: "bot", name: "ci" }]);
    gone = true;
  };
  await refusal(
    admin.create(token("t", "ci")),
    "bad_parameter",
    /spec\.bot_name: there is no bot "ci"/,
  );
  assert.deepEqual(await world.names("token"), []);
});

test("a join that makes an instance while the bot is deleted is swept up", async () => {
  const { admin, world } = await open();
  await admin.create(bot("ci"));
  await admin.create(token("t", "ci"));
  let joinedMeanwhile = false;
  world.store.before = async (writes) => {
    if (joinedMeanwhile || !writes.some(({ op, kind }) => op === "delete" && kind === "bot"))
      return;
    joinedMeanwhile = true;
    await world.interfere(token("t", "ci"));
    await world.interfere(instance("ci", 9));
  };
  await admin.remove("bot", "ci");
  assert.deepEqual(await world.names("token", "bot_instance"), []);
});

test("what a bot of the same name left behind does not serve the new one", async () => {
  const { admin, world } = await open();
  await world.put(token("orphan", "ci"), instance("ci", 1));
  await world.put(
    documentOf("user", "bot-ci", { roles: ["access"] }, { labels: { "tenon.internal/bot": "ci" } }),
  );
  await admin.create(bot("ci"));
  assert.deepEqual(await world.names("token", "bot_instance"), []);
  assert.deepEqual((await world.resources.require("user", "bot-ci")).spec.roles, ["bot-ci"]);
});

test("leftovers are cleared only while the bot is not there", async () => {
  const { admin, world } = await open();
  await world.put(...Array.from({ length: 900 }, (_, n) => instance("ci", n)));
  let created = false;
  world.store.before = async () => {
    if (created) return;
    created = true;
    await world.interfere(bot("ci"));
    await world.interfere(token("fresh", "ci"));
  };
  await refusal(admin.create(bot("ci")), "already_exists", /bot "ci" already exists/);
  assert.deepEqual(await world.names("token"), ["token/fresh"]);
});

test("a dry run of a bot with leftovers deletes nothing", async () => {
  const { admin, world } = await open();
  await world.put(...Array.from({ length: 900 }, (_, n) => instance("ci", n)));
  const position = await world.store.position();
  await admin.dryRun(bot("ci"));
  assert.equal(await world.store.position(), position);
});

test("who may delete bots deletes what hangs on them, and needs no more for it", async () => {
  const { admin, as, world } = await open();
  await admin.create(bot("ci"), documentOf("role", "r"));
  await admin.create(token("t", "ci"));
  const deleter = as(person([roleFor(["bot"], ["delete"])]));
  await refusal(deleter.remove("token", "t"), "access_denied", /may not delete token/);
  await deleter.remove("bot", "ci");
  assert.deepEqual(await world.names("bot", "token"), []);
});
