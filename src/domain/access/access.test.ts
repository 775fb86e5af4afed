import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf } from "#base/kernel";
import {
  parseDocument,
  roleKind,
  ruleResources,
  systemRoles,
  verbs,
  type Role,
  type RuleResource,
  type Verb,
} from "#domain/resources";
import {
  builtinRoles,
  builtinRoleWrites,
  checkOpen,
  checkVerb,
  decideOpen,
  describeCaller,
  guardedResources,
  hostRules,
  impersonation,
  isBuiltinRole,
  loginsOf,
  matchesLabels,
  maxSessionTtl,
  mayVerb,
  openableKinds,
  type Caller,
  type UserIdentity,
} from "./index.ts";

const role = (spec: object, name = "r"): Role =>
  roleKind.schema.parse({ kind: "role", version: "v1", metadata: { name }, spec });

const person: UserIdentity = {
  user: "alice",
  roles: ["r"],
  traits: {},
  logins: [],
  allowReissue: false,
  expires: 0,
};
const bot: UserIdentity = { ...person, user: "bot-ci", botName: "ci", botInstanceId: "i1" };
const caller = (roles: readonly Role[], identity = person): Caller => ({
  kind: "user",
  identity,
  roles,
});

const labelCases: readonly [string, Record<string, string[]>, Record<string, string>, boolean][] = [
  ["no matcher matches nothing", {}, { env: "prod" }, false],
  ["any matches what has labels", { "*": ["*"] }, { env: "prod" }, true],
  ["any matches what has none", { "*": ["*"] }, {}, true],
  ["a value matches itself", { env: ["prod"] }, { env: "prod" }, true],
  ["a value does not match its beginning", { env: ["prod"] }, { env: "production" }, false],
  ["one of several values is enough", { env: ["dev", "prod"] }, { env: "prod" }, true],
  ["any value needs the label", { env: ["*"] }, {}, false],
  ["any value takes the empty one", { env: ["*"] }, { env: "" }, true],
  ["all names must match", { env: ["prod"], team: ["a"] }, { env: "prod" }, false],
  ["all names match", { env: ["prod"], team: ["*"] }, { env: "prod", team: "b" }, true],
  ["any label does not excuse another", { "*": ["*"], env: ["prod"] }, { env: "dev" }, false],
  ["a star stands for any text", { env: ["prod-*"] }, { env: "prod-eu" }, true],
  ["a star stands for no text", { env: ["prod-*"] }, { env: "prod-" }, true],
  ["stars stand in several places", { env: ["a*b*c"] }, { env: "axxbyybc" }, true],
  ["what is between stars must come in order", { env: ["a*b*c*d"] }, { env: "acbd" }, false],
  ["a piece does not reach into the end", { env: ["a*bc*c"] }, { env: "abc" }, false],
  ["pieces do not overlap", { env: ["ab*ba"] }, { env: "aba" }, false],
  ["names that objects have by themselves are no labels", { constructor: ["*"] }, {}, false],
  ["a trait fills in its values", { team: ["{{internal.teams}}"] }, { team: "red" }, true],
  ["a trait has no other values", { team: ["{{internal.teams}}"] }, { team: "green" }, false],
  ["text around a trait counts", { team: ["t-{{external.teams}}-*"] }, { team: "t-red-1" }, true],
  ["a trait that is missing matches nothing", { team: ["{{internal.x}}"] }, { team: "" }, false],
  ["a star in a trait is only a star", { team: ["{{internal.star}}"] }, { team: "red" }, false],
  ["a star in a trait matches a star", { team: ["{{internal.star}}"] }, { team: "*" }, true],
];
for (const [sentence, matchers, labels, expected] of labelCases) {
  test(`labels: ${sentence}`, () => {
    const traits = { teams: ["blue", "red"], star: ["*"] };
    assert.equal(matchesLabels(matchers, traits, labels), expected);
  });
}

test("a pattern of many stars takes no longer than its text", () => {
  const pattern = "*a".repeat(200) + "*b";
  const started = performance.now();
  assert.equal(matchesLabels({ x: [pattern] }, {}, { x: "a".repeat(20_000) }), false);
  assert(performance.now() - started < 500);
});

test("an application opens to a role that allows it, unless another denies it", () => {
  const open = role({ allow: { app_labels: { "*": ["*"] } } });
  const noProd = role({ deny: { app_labels: { env: ["prod"] } } }, "no-prod");
  const app = (env: string) => ({ name: "web", labels: { env } });
  checkOpen("app", { roles: [open, noProd], traits: {} }, app("dev"));
  assert.throws(
    () => checkOpen("app", { roles: [open, noProd], traits: {} }, app("prod")),
    (error: Error & { detail?: string }) =>
      codeOf(error) === "access_denied" && error.detail === 'role "no-prod" denies the application',
  );
  assert.equal(decideOpen("app", { roles: [], traits: {} }, {}).allowed, false);
});

const fields = {
  node: "node_labels",
  app: "app_labels",
  db: "db_labels",
  kube_cluster: "kubernetes_labels",
} as const;
for (const kind of openableKinds) {
  test(`${kind}: its own labels of a role count, and no others`, () => {
    for (const [other, field] of Object.entries(fields)) {
      const side = { [field]: { env: ["prod"] } };
      const may = (roles: readonly Role[]): boolean =>
        decideOpen(kind, { roles, traits: {} }, { env: "prod" }).allowed;
      assert.equal(may([role({ allow: side })]), other === kind, other);
      const all = role({ allow: { [fields[kind]]: { "*": ["*"] } } });
      assert.equal(may([all, role({ deny: side })]), other !== kind, other);
    }
  });
}

const rules = (resources: string[], only: string[]) => ({ rules: [{ resources, verbs: only }] });
const verbCases: readonly [string, Role[], RuleResource, Verb, boolean][] = [
  ["no role gives nothing", [], "bot", "read", false],
  ["a rule gives its verb", [role({ allow: rules(["bot"], ["read"]) })], "bot", "read", true],
  ["a rule gives no other verb", [role({ allow: rules(["bot"], ["read"]) })], "bot", "list", false],
  ["a rule gives no other kind", [role({ allow: rules(["bot"], ["*"]) })], "token", "read", false],
  ["any verb is every verb", [role({ allow: rules(["bot"], ["*"]) })], "bot", "delete", true],
  ["any kind can be read", [role({ allow: rules(["*"], ["*"]) })], "role", "read", true],
  ["any kind can be written", [role({ allow: rules(["*"], ["*"]) })], "lock", "create", true],
  [
    "any kind does not cover writing roles",
    [role({ allow: rules(["*"], ["*"]) })],
    "role",
    "update",
    false,
  ],
  [
    "any kind does not cover making tokens",
    [role({ allow: rules(["*"], ["create"]) })],
    "token",
    "create",
    false,
  ],
  [
    "roles are written by who is named for it",
    [role({ allow: rules(["role"], ["*"]) })],
    "role",
    "update",
    true,
  ],
  [
    "another role's deny wins",
    [role({ allow: rules(["bot"], ["*"]) }), role({ deny: rules(["bot"], ["read"]) })],
    "bot",
    "read",
    false,
  ],
  [
    "a deny of any kind covers all",
    [role({ allow: rules(["role"], ["*"]), deny: rules(["*"], ["update"]) })],
    "role",
    "update",
    false,
  ],
  [
    "a deny leaves other verbs",
    [role({ allow: rules(["bot"], ["*"]), deny: rules(["bot"], ["delete"]) })],
    "bot",
    "update",
    true,
  ],
];
for (const [sentence, roles, resource, verb, expected] of verbCases) {
  test(`rules: ${sentence}`, () => {
    assert.equal(mayVerb(caller(roles), resource, verb), expected);
    if (expected) checkVerb(caller(roles), resource, verb);
    else
      assert.throws(
        () => checkVerb(caller(roles), resource, verb),
        (error: Error) =>
          codeOf(error) === "access_denied" && /user "alice" may not/.test(error.message),
      );
  });
}

test("a stranger is asked for a certificate, the local administrator for nothing", () => {
  assert.throws(
    () => checkVerb({ kind: "anonymous" }, "bot", "read"),
    (error) => codeOf(error) === "unauthenticated",
  );
  for (const resource of ruleResources)
    for (const verb of verbs) checkVerb({ kind: "admin" }, resource, verb);
});

test("everyone may read what they are, and nothing of others", () => {
  const own: readonly [UserIdentity, RuleResource, string, boolean][] = [
    [person, "user", "alice", true],
    [person, "user", "bob", false],
    [person, "role", "r", true],
    [person, "role", "admin", false],
    [person, "bot", "ci", false],
    [bot, "bot", "ci", true],
    [bot, "bot", "cd", false],
    [bot, "bot_instance", "ci:i1", true],
    [bot, "bot_instance", "ci:i2", false],
    [bot, "token", "ci", false],
  ];
  for (const [identity, resource, name, expected] of own) {
    assert.equal(mayVerb(caller([], identity), resource, "read", name), expected, name);
    assert.equal(mayVerb(caller([], identity), resource, "update", name), false);
    assert.equal(mayVerb(caller([], identity), resource, "read"), false);
    const denied = caller([role({ deny: rules([resource], ["read"]) })], identity);
    assert.equal(mayVerb(denied, resource, "read", name), false);
  }
});

test("hosts read what they decide by, and write nothing", () => {
  const host = (roles: (typeof systemRoles)[number][]): Caller => ({
    kind: "host",
    identity: { hostId: "h1", roles, expires: 0 },
  });
  assert.equal(mayVerb(host(["App"]), "role", "read"), true);
  assert.equal(mayVerb(host(["App"]), "lock", "list"), true);
  assert.equal(mayVerb(host(["App"]), "app", "list"), false);
  assert.equal(mayVerb(host(["Proxy"]), "app", "list"), true);
  assert.equal(mayVerb(host(["App", "Proxy"]), "app", "list"), true);
  for (const name of systemRoles) {
    for (const resource of ["token", "event", "user", "bot", "authority_export"] as const)
      assert.equal(mayVerb(host([name]), resource, "read"), false);
    const written = hostRules[name]
      .flatMap((rule) => rule.verbs)
      .filter((verb) => !/list|read/.test(verb));
    assert.deepEqual(written, []);
  }
  assert.throws(
    () => checkVerb(host(["App"]), "token", "read"),
    (error: Error) => codeOf(error) === "access_denied" && /host "h1"/.test(error.message),
  );
});

test("logins come from roles and traits, less what is denied or is no login", () => {
  const traits = { logins: ["ubuntu", "root", "", "a,b", "-x", "*"] };
  const allow = role({ allow: { logins: ["deploy", "{{internal.logins}}", "{{internal.none}}"] } });
  assert.deepEqual(loginsOf([allow], traits), ["deploy", "root", "ubuntu"]);
  assert.deepEqual(loginsOf([allow, role({ deny: { logins: ["root"] } })], traits), [
    "deploy",
    "ubuntu",
  ]);
  assert.deepEqual(loginsOf([allow, role({ deny: { logins: ["*"] } })], traits), []);
  assert.deepEqual(loginsOf([allow, role({ deny: { logins: ["{{internal.logins}}"] } })], traits), [
    "deploy",
  ]);
  assert.deepEqual(loginsOf([role({ allow: { logins: ["*"] } })], traits), []);
  assert.deepEqual(loginsOf([role({ allow: { logins: ["{{internal.toString}}"] } })], {}), []);
});

test("impersonation names what is allowed, and knows patterns and denials", () => {
  const roles = [
    role({ allow: { impersonate: { roles: ["web", "db", "ops-*"], users: ["carol"] } } }),
    role({ deny: { impersonate: { roles: ["db", "ops-root"] } } }),
  ];
  const may = impersonation(roles);
  assert.deepEqual(may.roles, ["web"]);
  assert.deepEqual(may.users, ["carol"]);
  for (const [name, expected] of [
    ["web", true],
    ["db", false],
    ["ops-1", true],
    ["ops-root", false],
    ["x", false],
  ] as const)
    assert.equal(may.allowsRole(name), expected, name);
  assert.equal(may.allowsUser("dave"), false);
  assert.deepEqual(impersonation([]).roles, []);
});

test("the shortest session of the roles counts", () => {
  const ttl = (max_session_ttl: string): Role => role({ options: { max_session_ttl } });
  assert.equal(maxSessionTtl([ttl("8h"), ttl("30m"), ttl("12h")]), 30 * 60_000);
  assert.equal(maxSessionTtl([]), 12 * 3_600_000);
});

test("the roles that come with a cluster parse, and do what their names say", () => {
  assert.deepEqual(
    builtinRoles.map(({ metadata }) => metadata.name),
    ["access", "editor", "auditor"],
  );
  for (const each of builtinRoles) assert.deepEqual(parseDocument(JSON.stringify(each)), each);
  const [access, editor, auditor] = builtinRoles.map((each) => caller([each]));
  assert.equal(
    decideOpen("app", { roles: builtinRoles.slice(0, 1), traits: {} }, { env: "prod" }).allowed,
    true,
  );
  assert.equal(
    decideOpen("app", { roles: builtinRoles.slice(1), traits: {} }, { env: "prod" }).allowed,
    false,
  );
  assert.deepEqual(loginsOf(builtinRoles, { logins: ["ubuntu"] }), ["ubuntu"]);
  for (const resource of guardedResources) {
    assert.equal(mayVerb(editor!, resource, "update"), true);
    assert.equal(mayVerb(auditor!, resource, "update"), false);
    assert.equal(mayVerb(access!, resource, "read"), false);
  }
  assert.equal(mayVerb(auditor!, "event", "list"), true);
  assert.equal(mayVerb(auditor!, "token", "read"), false);
  assert.equal(isBuiltinRole("editor"), true);
  assert.equal(isBuiltinRole("toString"), false);
  assert.deepEqual(
    builtinRoleWrites().map(({ op, name }) => `${op} ${name}`),
    ["create access", "create editor", "create auditor"],
  );
});

test("messages call a caller by what they are", () => {
  assert.equal(describeCaller(caller([])), 'user "alice"');
  assert.equal(describeCaller(caller([], bot)), 'bot "ci"');
  assert.equal(describeCaller({ kind: "admin" }), "the local administrator");
  assert.equal(describeCaller({ kind: "anonymous" }), "a caller without a certificate");
});
