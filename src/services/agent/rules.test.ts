import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { codeOf } from "#base/kernel";
import { lockKind, roleKind, type Lock, type Role } from "#domain/resources";
import { ManualClock } from "#testing/clock";
import { TestIdentities } from "#testing/identities";
import { AgentRules } from "./rules.ts";

const role = (name: string, allow: object, deny: object = {}): Role =>
  roleKind.schema.parse({ kind: "role", version: "v1", metadata: { name }, spec: { allow, deny } });

const lock = (target: Record<string, string>): Lock =>
  lockKind.schema.parse({ kind: "lock", version: "v2", metadata: { name: "l" }, spec: { target } });

// The proxy has asked the same before; here is what the agent answers when the proxy lets all through.
describe("an agent, whatever the proxy says,", () => {
  let clock: ManualClock;
  let identities: TestIdentities;
  let foreign: TestIdentities;

  before(async () => {
    clock = new ManualClock();
    identities = await TestIdentities.open(clock);
    foreign = await TestIdentities.open(clock);
  });
  after(async () => {
    await identities.store[Symbol.asyncDispose]();
    await foreign.store[Symbol.asyncDispose]();
  });

  const app = { name: "web", labels: { env: "dev" } };

  function rules(locks: readonly Lock[] = []): AgentRules {
    const made = new AgentRules({ trust: () => identities.trust, clock });
    made.replaceRoles([
      role("dev", { app_labels: { env: ["dev"] } }),
      role("prod", { app_labels: { env: ["prod"] } }),
      role("deny", {}, { app_labels: { "*": ["*"] } }),
    ]);
    made.locks.replace(locks);
    return made;
  }

  const good = (): Buffer => identities.user({ roles: ["dev"], appName: "web" }).certificate;

  test("serves who holds a certificate for the application and a role that allows it", () => {
    assert.equal(rules().check(good(), app).user, "alice");
  });

  const cases: [string, () => Uint8Array, string, Lock?][] = [
    ["garbage", () => Buffer.from("garbage"), "unauthenticated"],
    ["nothing", () => Buffer.alloc(0), "unauthenticated"],
    [
      "another cluster's certificate",
      () => foreign.user({ roles: ["dev"], appName: "web" }).certificate,
      "unauthenticated",
    ],
    ["a host's certificate", () => identities.host().certificate, "access_denied"],
    [
      "a certificate for another application",
      () => identities.user({ roles: ["dev"], appName: "db" }).certificate,
      "access_denied",
    ],
    [
      "a certificate for none",
      () => identities.user({ roles: ["dev"] }).certificate,
      "access_denied",
    ],
    [
      "a role that does not allow it",
      () => identities.user({ roles: ["prod"], appName: "web" }).certificate,
      "access_denied",
    ],
    [
      "a role that denies it",
      () => identities.user({ roles: ["dev", "deny"], appName: "web" }).certificate,
      "access_denied",
    ],
    [
      "a role that it does not know",
      () => identities.user({ roles: ["gone"], appName: "web" }).certificate,
      "access_denied",
    ],
    ["a lock on the user", good, "access_denied", lock({ user: "alice" })],
    ["a lock on the role", good, "access_denied", lock({ role: "dev" })],
  ];
  for (const [what, certificate, code, locked] of cases)
    test(`refuses ${what}`, () => {
      const made = rules(locked ? [locked] : []);
      assert.throws(
        () => made.check(certificate(), app),
        (error) => codeOf(error) === code,
      );
    });

  test("refuses a certificate that has expired, also one that it has just served", () => {
    const made = rules();
    const short = identities.user({ roles: ["dev"], appName: "web" }, 60_000).certificate;
    made.check(short, app);
    clock.jump(61_000);
    assert.throws(() => made.check(short, app), { code: "unauthenticated" });
    clock.jump(-61_000);
  });

  test("refuses at once when the role changes", () => {
    const made = rules();
    const certificate = good();
    made.check(certificate, app);
    made.putRole(role("dev", { app_labels: { env: ["prod"] } }));
    assert.throws(() => made.check(certificate, app), { code: "access_denied" });
    made.putRole(role("dev", { app_labels: { env: ["dev"] } }));
    made.check(certificate, app);
    made.removeRole("dev");
    assert.throws(() => made.check(certificate, app), { code: "access_denied" });
  });

  test("knows only the authorities of the moment", () => {
    let trust = identities.trust;
    const made = new AgentRules({ trust: () => trust, clock });
    made.replaceRoles([role("dev", { app_labels: { env: ["dev"] } })]);
    const certificate = good();
    made.check(certificate, app);
    trust = foreign.trust;
    assert.throws(() => made.check(certificate, app), { code: "unauthenticated" });
  });
});
