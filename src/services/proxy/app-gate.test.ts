import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { openMemoryStore } from "#base/storage";
import { LockSet, type UserIdentity } from "#domain/access";
import {
  appKind,
  appResourceName,
  deleteOf,
  lockKind,
  roleKind,
  storeIndexes,
  writeOf,
  type App,
  type Lock,
  type Role,
} from "#domain/resources";
import { ManualClock } from "#testing/clock";
import { until } from "#testing/wait";
import { AppGate } from "./app-gate.ts";
import { ClusterView } from "./cluster-view.ts";
import { followCluster } from "./follow-cluster.ts";

const role = (name: string, allow: object, deny: object = {}): Role =>
  roleKind.schema.parse({ kind: "role", version: "v1", metadata: { name }, spec: { allow, deny } });

const app = (name: string, labels: Record<string, string>, publicAddr?: string): App => {
  const host = randomUUID();
  const spec = {
    uri: "tcp://localhost:1",
    host_id: host,
    ...(publicAddr ? { public_addr: publicAddr } : {}),
  };
  const metadata = { name: appResourceName(name, host), labels };
  return appKind.schema.parse({ kind: "app", version: "v1", metadata, spec });
};

const lock = (target: Record<string, string>): Lock =>
  lockKind.schema.parse({ kind: "lock", version: "v2", metadata: { name: "l" }, spec: { target } });

const roles = [
  role("dev", { app_labels: { env: ["dev"] } }),
  role("all", { app_labels: { "*": ["*"] } }),
  role("no-prod", {}, { app_labels: { env: ["prod"] } }),
];

describe("the gate before applications", () => {
  function gateTo(apps: readonly App[], locks: readonly Lock[] = []): AppGate {
    const view = new ClusterView();
    view.replace(roles, apps);
    const set = new LockSet();
    set.replace(locks);
    return new AppGate({ view, locks: set, clock: new ManualClock() });
  }

  const identity = (about: Partial<UserIdentity> = {}): UserIdentity => ({
    user: "bot-ci",
    roles: ["dev"],
    traits: {},
    logins: [],
    allowReissue: false,
    appName: "web",
    expires: Infinity,
    ...about,
  });

  const dev = app("web", { env: "dev" });
  const prod = app("web", { env: "prod" });
  type Case = [string, readonly App[], Partial<UserIdentity>, string | undefined, Lock?];
  const cases: Case[] = [
    ["opens to a role that allows its labels", [dev], {}, undefined],
    ["stays shut to a role that allows other labels", [prod], {}, "access_denied"],
    ["stays shut when any role denies", [prod], { roles: ["all", "no-prod"] }, "access_denied"],
    ["stays shut when one of its agents labels it otherwise", [dev, prod], {}, "access_denied"],
    [
      "stays shut to a certificate for another application",
      [dev],
      { appName: "db" },
      "access_denied",
    ],
    ["stays shut to a role that is gone", [dev], { roles: ["gone"] }, "access_denied"],
    ["stays shut to who has no roles", [dev], { roles: [] }, "access_denied"],
    ["stays shut to a locked user", [dev], {}, "access_denied", lock({ user: "bot-ci" })],
    ["stays shut to a locked role", [dev], {}, "access_denied", lock({ role: "dev" })],
    ["is not there when no agent serves it", [], {}, "not_found"],
  ];
  for (const [name, apps, about, code, locked] of cases)
    test(name, () => {
      const check = (): void => gateTo(apps, locked ? [locked] : []).check(identity(about), "web");
      if (code === undefined) check();
      else assert.throws(check, { code });
    });

  test("stays shut to a certificate without a route", () => {
    const { appName: _none, ...rest } = identity();
    assert.throws(() => gateTo([dev]).check(rest, "web"), { code: "access_denied" });
  });

  test("says nothing of roles and labels to a certificate for another application", () => {
    assert.throws(
      () => gateTo([prod]).check(identity({ appName: "db" }), "web"),
      (error: Error) => {
        assert.doesNotMatch(error.message, /role|label/);
        return true;
      },
    );
  });
});

describe("the view of the cluster", () => {
  test("holds what is stored, and follows every change", async () => {
    const clock = new ManualClock();
    await using store = openMemoryStore({ clock, indexes: storeIndexes });
    const [web, other] = [app("web", {}, "web.other.test"), app("web", {})];
    await store.commit([writeOf(roles[0]!, "create"), writeOf(web, "create")]);
    const view = new ClusterView();
    const stop = new AbortController();
    const ready = Promise.withResolvers<void>();
    const following = followCluster(view, { store, signal: stop.signal, onReady: ready.resolve });
    await ready.promise;
    assert.equal(view.rolesOf(["dev", "gone"]).length, 1);
    assert.equal(view.appAt("web.other.test"), "web");
    await store.commit([writeOf(other, "create"), writeOf(roles[1]!, "create")]);
    await until("both are there", () => view.appsNamed("web").length === 2);
    assert.equal(view.rolesOf(["all"]).length, 1);
    await store.commit([deleteOf(web), writeOf(app("api", {}), "create")]);
    await until("one is gone", () => view.appsNamed("api").length === 1);
    assert.deepEqual(
      view.appsNamed("web").map(({ spec }) => spec.host_id),
      [other.spec.host_id],
    );
    assert.equal(view.appAt("web.other.test"), undefined);
    stop.abort();
    await following;
  });
});
