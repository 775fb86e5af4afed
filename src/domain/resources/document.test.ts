import assert from "node:assert/strict";
import { test } from "node:test";
import { CodedError } from "#base/kernel";
import type { Item } from "#base/storage";
import {
  deleteOf,
  expiryOf,
  fromItem,
  kindNamed,
  kinds,
  lockTargetKey,
  parseClientDocument,
  parseDocument,
  ruleResources,
  templateOf,
  tokenDisplayName,
  writeOf,
  type Lock,
  type Token,
} from "./index.ts";

const badParameter =
  (...parts: readonly RegExp[]) =>
  (error: unknown) => {
    assert(error instanceof CodedError);
    assert.equal(error.code, "bad_parameter");
    for (const part of parts) assert.match(error.message, part);
    return true;
  };

const user = { kind: "user", version: "v1", metadata: { name: "alice" }, spec: {} };
const role = (spec: object) => ({ kind: "role", version: "v1", metadata: { name: "r" }, spec });
const token = (spec: object, name = "t") =>
  ({ kind: "token", version: "v2", metadata: { name }, spec }) as const;
const lock = (spec: object) =>
  parseDocument({ kind: "lock", version: "v2", metadata: { name: "l" }, spec }) as Lock;

const refused: readonly [sentence: string, input: unknown, ...says: RegExp[]][] = [
  ["text that is not JSON", "{", /not valid JSON/],
  ["a list", [], /must be an object/],
  ["nothing", null, /must be an object/],
  ["a document without a kind", {}, /needs a kind/],
  ["an unknown kind", { kind: "bott" }, /"bott" is not a kind/, /did you mean "bot"\?/],
  ["an alias as the kind", { kind: "bots" }, /"bots" is spelled "bot"/],
  ["another version", { ...user, version: "v9" }, /version: must be "v1"; got "v9"/],
  ["no name", { ...user, metadata: {} }, /metadata\.name/],
  ["a name of a path", { ...user, metadata: { name: "../x" } }, /metadata\.name: must start with/],
  [
    "an unknown field",
    { ...user, spec: { rols: [] } },
    /spec\.rols: unknown field; did you mean "roles"\?/,
  ],
  ["a field at the top", { ...user, extra: 1 }, /extra: unknown field/],
  ["__proto__ as a field", JSON.stringify(user).replace("{", '{"__proto__":{},'), /__proto__/],
  [
    "several faults, all of them",
    { ...user, metadata: { name: "a", label: {} }, spec: { roles: "x", traits: { t: "y" } } },
    /has 3 faults/,
    /metadata\.label/,
    /spec\.roles/,
    /spec\.traits\.t/,
  ],
  [
    "a deny of an unknown kind",
    role({ deny: { rules: [{ resources: ["tokn"], verbs: ["*"] }] } }),
    /deny\.rules\[0\]\.resources\[0\]/,
  ],
  ["a broken template", role({ allow: { logins: ["{{logins}}"] } }), /allow\.logins\[0\]/],
  [
    "two templates in one text",
    role({ allow: { logins: ["{{internal.a}}{{internal.b}}"] } }),
    /logins/,
  ],
  [
    "any label name with one value",
    role({ deny: { app_labels: { "*": ["prod"] } } }),
    /app_labels/,
  ],
  ["a label without values", role({ deny: { app_labels: { env: [] } } }), /app_labels\.env/],
  ["a token that nothing may use", token({ join_method: "token" }), /spec\.roles: must name/],
  ["a bot's token without a bot", token({ join_method: "token", roles: ["Bot"] }), /bot_name/],
  [
    "a bot's token for a service",
    token({ join_method: "token", roles: ["App"], bot_name: "b" }),
    /bot_name/,
  ],
  ["an unknown join method", token({ join_method: "ec2", bot_name: "b" }), /join_method/],
  [
    "no recoveries",
    token({
      join_method: "bound_keypair",
      bot_name: "b",
      bound_keypair: { recovery: { limit: 0 } },
    }),
    /recovery\.limit: must be at least 1/,
  ],
  [
    "a lock on nothing",
    { kind: "lock", version: "v2", metadata: { name: "l" }, spec: { target: {} } },
    /exactly one of/,
  ],
  [
    "a lock on two",
    {
      kind: "lock",
      version: "v2",
      metadata: { name: "l" },
      spec: { target: { user: "a", role: "b" } },
    },
    /exactly one of/,
  ],
  [
    "another cluster_config",
    { kind: "cluster_config", version: "v1", metadata: { name: "x" }, spec: { cluster_name: "c" } },
    /metadata\.name: must be "cluster"/,
  ],
  [
    "more roles than a certificate should carry",
    { ...user, spec: { roles: Array.from({ length: 101 }, (_, n) => `r${n}`) } },
    /spec\.roles: must have at most 100/,
  ],
  [
    "more traits than a certificate should carry",
    { ...user, spec: { traits: { t: ["x".repeat(17_000)] } } },
    /spec\.traits: must hold at most 16384/,
  ],
  [
    "a bot's trait named twice",
    {
      ...user,
      kind: "bot",
      spec: {
        traits: [
          { name: "t", values: [] },
          { name: "t", values: ["x"] },
        ],
      },
    },
    /spec\.traits: names a trait twice/,
  ],
  [
    "a bot's traits that are too much",
    { ...user, kind: "bot", spec: { traits: [{ name: "t", values: ["x".repeat(17_000)] }] } },
    /spec\.traits: hold too much/,
  ],
  [
    "a document over 1 MiB",
    JSON.stringify({ ...user, spec: { roles: ["x".repeat(1024 * 1024)] } }),
    /larger than/,
  ],
];

for (const [sentence, input, ...says] of refused) {
  test(`a document is refused for ${sentence}`, () => {
    assert.throws(() => parseDocument(input), badParameter(...says));
  });
}

test("a secret that is wrong is not quoted", () => {
  const spec = { bot_name: "b", join_method: "bound_keypair" };
  const bound_keypair = { onboarding: { registration_secret: ["hush"] }, recovery: { limit: 0 } };
  assert.throws(
    () => parseDocument(token({ ...spec, bound_keypair }, "maybe-secret")),
    (error: Error) => !/hush|maybe-secret/.test(error.message),
  );
});

test("the token of RFD 0205's sample is taken as it stands there", () => {
  const sample = token({
    bot_name: "example",
    join_method: "bound-keypair",
    bound_keypair: {
      onboarding: { initial_public_key: "", registration_secret: "", must_register_before: "" },
      recovery: { limit: 1, mode: "standard" },
      rotate_after: "",
    },
  });
  const { spec } = parseDocument(sample) as Token;
  assert.deepEqual(spec.roles, ["Bot"]);
  assert.equal(spec.join_method, "bound_keypair");
  assert.equal(spec.bound_keypair?.rotate_after, undefined);
});

test("a bound_keypair token is complete without its block", () => {
  const { spec } = parseDocument(token({ bot_name: "b", join_method: "bound_keypair" })) as Token;
  assert.deepEqual(spec.bound_keypair?.recovery, { limit: 1, mode: "standard" });
});

test("a client's status is dropped, whatever it holds, and that is known", () => {
  for (const [status, hadStatus] of [
    [{ user_name: "root", nonsense: 1 }, true],
    ["x", true],
    [{}, false],
    [null, false],
    [undefined, false],
  ] as const) {
    const parsed = parseClientDocument(JSON.stringify({ ...user, status }));
    assert.equal(parsed.hadStatus, hadStatus);
    assert.equal(parsed.resource.status, undefined);
  }
});

test("what is stored comes back as it was, with the revision of the item", () => {
  const resource = parseDocument({ ...user, metadata: { name: "alice", revision: "7" } });
  const write = writeOf(resource, "create");
  assert(write.op === "create");
  assert.equal(JSON.stringify(write.value).includes("revision"), false);
  const back = fromItem({ ...write, revision: "9" });
  assert.deepEqual(back, { ...resource, metadata: { ...resource.metadata, revision: "9" } });
});

test("an update and a delete are conditional on the revision of the document", () => {
  const resource = parseDocument({ ...user, metadata: { name: "alice", revision: "7" } });
  assert.partialDeepStrictEqual(writeOf(resource, "update"), { op: "update", revision: "7" });
  assert.partialDeepStrictEqual(deleteOf(resource), { op: "delete", revision: "7" });
  assert.throws(
    () => writeOf(parseDocument(user), "update"),
    badParameter(/no metadata\.revision/),
  );
  assert.deepEqual(deleteOf(parseDocument(user)), { op: "delete", kind: "user", name: "alice" });
});

test("a document that was stored before a field existed gets its default", () => {
  const item = {
    kind: "role",
    name: "r",
    revision: "1",
    value: role({ allow: { logins: ["x"] } }),
  };
  const read = fromItem(item as unknown as Item);
  assert(read.kind === "role");
  assert.deepEqual(read.spec.deny.rules, []);
});

test("a stored document that fits no schema is an internal error without its content", () => {
  const item = { kind: "role", name: "r", revision: "1", value: { hush: "secret" } };
  assert.throws(
    () => fromItem(item),
    (error: unknown) =>
      error instanceof CodedError && error.code === "internal" && !/secret/.test(error.message),
  );
});

test("a document ends when its metadata says, a lock also when its spec says", () => {
  const [early, late] = ["2030-01-01T00:00:00Z", "2031-01-01T00:00:00+01:00"];
  const withEnd = { ...user, metadata: { name: "alice", expires: late } };
  assert.equal(expiryOf(parseDocument(withEnd)), Date.parse(late));
  assert.equal(expiryOf(parseDocument(user)), undefined);
  assert.equal(expiryOf(lock({ target: { user: "a" }, expires: early })), Date.parse(early));
  const both = { ...lock({ target: { user: "a" }, expires: late }) };
  assert.equal(
    expiryOf({ ...both, metadata: { ...both.metadata, expires: early } }),
    Date.parse(early),
  );
  assert.partialDeepStrictEqual(writeOf(lock({ target: { user: "a" }, expires: early }), "put"), {
    expires: Date.parse(early),
  });
});

test("a lock on a public key is known by the fingerprint, however it was written", () => {
  const line =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl github";
  const fingerprint = "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU";
  assert.equal(lockTargetKey(lock({ target: { public_key: line } })), `public_key:${fingerprint}`);
  assert.equal(
    lockTargetKey(lock({ target: { public_key: fingerprint } })),
    `public_key:${fingerprint}`,
  );
});

test("only the beginning of a token's name is shown when it is the secret", () => {
  const shown = (name: string, join_method: string): string =>
    tokenDisplayName(parseDocument(token({ join_method, bot_name: "b" }, name)) as Token);
  assert.equal(shown("0123456789abcdef", "token"), "0123…");
  assert.equal(shown("short", "token"), "…");
  assert.equal(shown("fleet", "bound_keypair"), "fleet");
});

test("kinds answer to their aliases, and rules know every kind", () => {
  assert.equal(kindNamed("bots"), "bot");
  assert.equal(kindNamed("ca"), "cert_authority");
  const aliases = Object.values(kinds).flatMap((kind) => [kind.kind, ...kind.aliases]);
  assert.equal(new Set(aliases).size, aliases.length);
  for (const kind of Object.keys(kinds))
    assert(
      ruleResources.some((name) => name === kind),
      kind,
    );
});

test("every sort has an index of its name, and every document kind knows its own", () => {
  for (const kind of Object.values(kinds)) {
    for (const sort of kind.sorts) assert(kind.indexes.some(({ name }) => name === sort));
    for (const index of kind.indexes) assert.equal(index.kind, kind.kind);
  }
});

test("a template is found with what stands around it", () => {
  assert.deepEqual(templateOf("a-{{ internal.x }}-b"), { before: "a-", trait: "x", after: "-b" });
  assert.deepEqual(templateOf("{{external.g.h}}"), { before: "", trait: "g.h", after: "" });
  for (const plain of ["x", "{{x}}", "{{internal.}}", "{internal.x}"])
    assert.equal(templateOf(plain), undefined);
});
