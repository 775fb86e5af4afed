import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf } from "#base/kernel";
import { openMemoryStore } from "#base/storage";
import { deleteOf, lockKind, storeIndexes, writeOf, type Lock } from "#domain/resources";
import { ManualClock } from "#testing/clock";
import { until } from "#testing/wait";
import {
  followLocks,
  LockSet,
  lockTargetsOf,
  type HostIdentity,
  type UserIdentity,
} from "./index.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");

const lock = (name: string, target: object, spec: object = {}): Lock =>
  lockKind.schema.parse({
    kind: "lock",
    version: "v2",
    metadata: { name },
    spec: { target, ...spec },
  });

const bot: UserIdentity = {
  user: "bot-ci",
  roles: ["bot-ci", "access"],
  traits: {},
  logins: ["root"],
  botName: "ci",
  botInstanceId: "i1",
  generation: 3,
  joinToken: "ci-token",
  boundKeyFingerprint: "SHA256:abc",
  allowReissue: true,
  expires: 0,
};
const host: HostIdentity = { hostId: "h1", roles: ["App"], joinToken: "t", expires: 0 };

test("an identity is locked by any of what it is", () => {
  assert.deepEqual([...lockTargetsOf(bot)].sort(), [
    "bot_instance_id:i1",
    "join_token:ci-token",
    "public_key:SHA256:abc",
    "role:access",
    "role:bot-ci",
    "user:bot-ci",
  ]);
  assert.deepEqual(lockTargetsOf(host), ["server_id:h1", "join_token:t"]);
  const bound = { ...host, instanceId: "i2", generation: 1, boundKeyFingerprint: "SHA256:def" };
  assert.deepEqual(lockTargetsOf(bound), [
    "server_id:h1",
    "bot_instance_id:i2",
    "public_key:SHA256:def",
    "join_token:t",
  ]);
  const person: UserIdentity = {
    user: "a",
    roles: [],
    traits: {},
    logins: [],
    allowReissue: false,
    expires: 0,
  };
  assert.deepEqual(lockTargetsOf(person), ["user:a"]);
});

const targets: readonly [object, UserIdentity | HostIdentity, boolean][] = [
  [{ user: "bot-ci" }, bot, true],
  [{ user: "bot-c" }, bot, false],
  [{ role: "access" }, bot, true],
  [{ bot_instance_id: "i1" }, bot, true],
  [{ bot_instance_id: "i2" }, bot, false],
  [{ join_token: "ci-token" }, bot, true],
  [{ public_key: "SHA256:abc" }, bot, true],
  [{ login: "root" }, bot, false],
  [{ server_id: "h1" }, host, true],
  [{ server_id: "h2" }, host, false],
  [{ join_token: "t" }, host, true],
  [{ role: "App" }, host, false],
];
for (const [target, identity, expected] of targets) {
  const who = "user" in identity ? identity.user : identity.hostId;
  test(`a lock on ${JSON.stringify(target)} ${expected ? "stops" : "leaves"} ${who}`, () => {
    const set = new LockSet();
    set.put(lock("l", target));
    assert.equal(set.match(identity, NOW) !== undefined, expected);
  });
}

test("a lock counts until it ends, and a longer one behind it then", () => {
  const set = new LockSet();
  const expires = new Date(NOW + 1_000).toISOString();
  set.replace([lock("short", { user: "bot-ci" }, { expires, message: "looking into it" })]);
  assert.equal(set.match(bot, NOW + 999)?.metadata.name, "short");
  assert.equal(set.match(bot, NOW + 1_000), undefined);
  set.put(lock("long", { user: "bot-ci" }));
  assert.equal(set.match(bot, NOW + 1_000)?.metadata.name, "long");
  assert.throws(
    () => set.check(bot, NOW),
    (error: Error) =>
      codeOf(error) === "access_denied" &&
      error.message === `user "bot-ci" is locked: looking into it`,
  );
  set.check(host, NOW);
});

test("a lock that is written again counts for its new target only", () => {
  const set = new LockSet();
  set.put(lock("l", { user: "bot-ci" }));
  set.put(lock("l", { user: "other" }));
  assert.equal(set.match(bot, NOW), undefined);
  assert.equal(set.size, 1);
  set.remove("l");
  set.remove("never-there");
  assert.equal(set.inForce(["user:other"], NOW), undefined);
  assert.deepEqual(set.all(), []);
});

test("listeners hear of every change until they are disposed", () => {
  const set = new LockSet();
  let heard = 0;
  const listening = set.onChange(() => (heard += 1));
  set.put(lock("l", { user: "a" }));
  set.remove("l");
  set.replace([]);
  assert.equal(heard, 3);
  listening[Symbol.dispose]();
  set.put(lock("l", { user: "a" }));
  assert.equal(heard, 3);
});

test("a set that follows the store has its locks, and each change of them", async () => {
  const clock = new ManualClock(NOW);
  await using store = openMemoryStore({ clock, indexes: storeIndexes });
  await store.commit([writeOf(lock("old", { user: "old" }), "create")]);
  const [set, stop] = [new LockSet(), new AbortController()];
  set.put(lock("forgotten", { user: "forgotten" }));
  const ready = Promise.withResolvers<void>();
  const following = followLocks(set, { store, signal: stop.signal, onReady: ready.resolve });
  await ready.promise;
  assert(set.inForce(["user:old"], NOW));
  assert.equal(set.inForce(["user:forgotten"], NOW), undefined);
  const expires = new Date(NOW + 5_000).toISOString();
  await store.commit([writeOf(lock("new", { user: "new" }, { expires }), "create")]);
  await until("the new lock is there", () => set.inForce(["user:new"], NOW));
  await store.commit([deleteOf(lock("old", { user: "old" }))]);
  await until("the old lock is gone", () => !set.inForce(["user:old"], NOW));
  await clock.advance(10_000);
  await until("the ended lock is dropped", () => set.size === 0);
  stop.abort();
  await following;
});
