import { CodedError } from "#base/kernel";
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as z from "zod";
import { duration, faultsOf, parseValue, parseYaml, parseYamlDocuments } from "./index.ts";

const identity = z.strictObject({
  type: z.literal("identity").meta({ valueAliases: { ssh: "identity", id: "identity" } }),
  name: z.string().optional(),
});
const tunnel = z.strictObject({
  type: z.literal("application-tunnel").meta({
    valueAliases: { "app-tunnel": "application-tunnel" },
  }),
  app_name: z.string().meta({ aliases: ["app"] }),
  listen: z.string(),
  roles: z.array(z.string()).default([]),
});
const schema = z
  .strictObject({
    version: z.literal("v1"),
    credential_ttl: duration.default("1h"),
    oneshot: z.boolean().default(false),
    join: z
      .strictObject({
        method: z.enum(["token", "bound_keypair"]).default("token"),
        token: z.string().min(8).meta({ secret: true }).optional(),
        port: z.int().min(1).max(65_535).default(3080),
      })
      .prefault({}),
    services: z.array(z.discriminatedUnion("type", [identity, tunnel])).default([]),
    labels: z.record(z.string().min(1).max(16), z.string()).default({}),
    destination: z
      .union([z.string(), z.strictObject({ type: z.literal("directory"), path: z.string() })])
      .optional(),
  })
  .superRefine((value, context) => {
    if (value.oneshot && value.services.length === 0)
      context.addIssue({ code: "custom", path: ["services"], message: "needs one with oneshot" });
  });

const parse = (text: string): z.output<typeof schema> =>
  parseYaml({ text: `version: v1\n${text}`, file: "t.yaml", schema });

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof CodedError);
    assert.equal(error.code, "bad_parameter");
    return error.message;
  }
  return assert.fail("it was accepted");
}

describe("a configuration is read with", () => {
  it("its defaults", () => {
    assert.deepEqual(parse(""), {
      version: "v1",
      credential_ttl: "1h",
      oneshot: false,
      join: { method: "token", port: 3080 },
      services: [],
      labels: {},
    });
  });

  it("other names of fields, and other spellings of values", () => {
    const text = `
join: {method: bound-keypair}
services: [{type: app-tunnel, app: web, listen: "tcp://:1"}, {type: id}]`;
    const { join, services } = parse(text);
    assert.equal(join.method, "bound_keypair");
    assert.deepEqual(services, [
      { type: "application-tunnel", app_name: "web", listen: "tcp://:1", roles: [] },
      { type: "identity" },
    ]);
  });

  it("anchors and aliases, names that look like numbers, and JSON", () => {
    const { labels } = parse("labels: {&a one: &b x, two: *b, 1: '1', true: y}");
    assert.deepEqual(labels, { one: "x", two: "x", 1: "1", true: "y" });
    assert.equal(
      parseYaml({ text: `{"version": "v1", "oneshot": false}`, file: "j", schema }).oneshot,
      false,
    );
  });

  it("a byte order mark, CRLF and comments", () => {
    const text = "\uFEFF# a comment\r\nversion: v1\r\noneshot: false # more\r\n";
    assert.equal(parseYaml({ text, file: "t.yaml", schema }).oneshot, false);
  });
});

const ALLOWED = "allowed: version, credential_ttl, oneshot, join, services, labels, destination";

/** What is wrong, the document below `version: v1`, and the whole message. */
const faults: readonly (readonly [name: string, text: string, message: string])[] = [
  [
    "an unknown field, with the nearest name",
    "credntial_ttl: 1h",
    `t.yaml:2:1: credntial_ttl: unknown field; did you mean "credential_ttl"? ${ALLOWED}`,
  ],
  [
    "a hyphen for an underscore in a name",
    "credential-ttl: 1h",
    `t.yaml:2:1: credential-ttl: unknown field; did you mean "credential_ttl"? ${ALLOWED}`,
  ],
  ["an unknown field like no other", "zzzzzz: 1", `t.yaml:2:1: zzzzzz: unknown field; ${ALLOWED}`],
  [
    "a field in the wrong place, with its place",
    "listen: x",
    `t.yaml:2:1: listen: unknown field; it belongs in services[] of type application-tunnel; ${ALLOWED}`,
  ],
  [
    "a field of another type of service",
    "services:\n  - type: identity\n    listen: x",
    "t.yaml:4:5: services[0].listen: unknown field; it belongs in services[] of type application-tunnel; allowed: type, name",
  ],
  [
    "a misspelt required field, once",
    "services:\n  - type: app-tunnel\n    lisen: x\n    app: y",
    't.yaml:4:5: services[0].lisen: unknown field; did you mean "listen"? allowed: type, app_name, listen, roles',
  ],
  [
    "an unknown type that is nearest to another word for one",
    "services: [{type: app-tunel}]",
    't.yaml:2:19: services[0].type: must be one of identity, application-tunnel; got "app-tunel"; did you mean "app-tunnel"?',
  ],
  [
    "an unknown type, with the nearest",
    "services: [{type: aplication-tunnel}]",
    't.yaml:2:19: services[0].type: must be one of identity, application-tunnel; got "aplication-tunnel"; did you mean "application-tunnel"?',
  ],
  [
    "a missing type",
    "services: [{name: x}]",
    "t.yaml:2:12: services[0].type: is required; it must be one of identity, application-tunnel",
  ],
  [
    "a missing field of a service",
    "services:\n  - type: app-tunnel\n    app: x",
    "t.yaml:3:5: services[0].listen: is required",
  ],
  [
    "both names of one field",
    "services: [{type: app-tunnel, app: x, app_name: y, listen: z}]",
    't.yaml:2:39: services[0].app_name: is the same field as "app"; keep one of them',
  ],
  ["a wrong type", "services: x", 't.yaml:2:11: services: must be a list; got "x"'],
  ["a list for a map", "join: []", "t.yaml:2:7: join: must be a map; got a list"],
  ["a map for a list", "services: {}", "t.yaml:2:11: services: must be a list; got a map"],
  ["yes for true", "oneshot: yes", 't.yaml:2:10: oneshot: must be true or false; got "yes"'],
  [
    "a number for a string",
    "labels: {a: 1}",
    "t.yaml:2:13: labels.a: must be a string; got 1; put it in quotes",
  ],
  ["a field without a value", "labels:", "t.yaml:2:1: labels: has no value; it must be a map"],
  [
    "a bad duration",
    "credential_ttl: 1y",
    't.yaml:2:17: credential_ttl: must be a duration such as 30s, 20m, 1h30m or 7d; got "1y"',
  ],
  [
    "a number for a duration",
    "credential_ttl: 5",
    "t.yaml:2:17: credential_ttl: must be a duration such as 30s, 20m, 1h30m or 7d; got 5",
  ],
  [
    "an unknown value of an enum",
    "join: {method: tokn}",
    't.yaml:2:16: join.method: must be one of token, bound_keypair; got "tokn"; did you mean "token"?',
  ],
  [
    "a number out of range",
    "join: {port: 70000}",
    "t.yaml:2:14: join.port: must be at most 65535; got 70000",
  ],
  ["a fraction", "join: {port: 1.5}", "t.yaml:2:14: join.port: must be a whole number; got 1.5"],
  [
    "a bad name in a map",
    "labels: {abcdefghijklmnopq: x}",
    "t.yaml:2:10: labels.abcdefghijklmnopq: is not allowed as a name: must have at most 16 characters",
  ],
  [
    "a name that needs quoting in the path",
    "labels: {a/b: 1}",
    't.yaml:2:15: labels["a/b"]: must be a string; got 1; put it in quotes',
  ],
  [
    "none of several forms",
    "destination: [x]",
    "t.yaml:2:14: destination: must be a string or a map; got a list",
  ],
  [
    "a fault inside one of several forms",
    "destination: {type: directory, pth: x}",
    't.yaml:2:32: destination.pth: unknown field; did you mean "path"? allowed: type, path',
  ],
  [
    "a rule over several fields",
    "oneshot: true\nservices: []",
    "t.yaml:3:11: services: needs one with oneshot",
  ],
  [
    "a rule about a field that is not there",
    "oneshot: true",
    "t.yaml:1:1: services: needs one with oneshot",
  ],
  [
    "a long value, cut",
    `join: {method: ${"x".repeat(100)}}`,
    `t.yaml:2:16: join.method: must be one of token, bound_keypair; got "${"x".repeat(59)}…`,
  ],
  [
    "a name written twice",
    "join: {}\njoin: {}",
    "t.yaml:3:1: join: is written twice, first at t.yaml:2:1",
  ],
  ["a tab", "join:\n\tport: 1", "t.yaml:3:1: a tab cannot indent YAML; use spaces"],
  [
    "an indentation that fits nothing",
    "join:\n    port: 1\n  method: token",
    "t.yaml:4:1: this line is indented differently from the ones it belongs to",
  ],
  [
    "an indentation that fits nothing, once",
    "join:\n    port: 1\n  method: token\n  token: x\n",
    "t.yaml:4:1: this line is indented differently from the ones it belongs to",
  ],
  ["an unknown tag", "join: !foo {}", "t.yaml:2:7: a tag (!name) is not allowed"],
  ["an alias to nothing", "join: *x", 't.yaml:2:7: join: refers to no anchor "&x" before it'],
  ["a map as a name", "? {a: b}\n: 1", "t.yaml:2:3: a name must be a plain word or a string"],
  [
    "a name without its colon",
    "foo bar\njoin: {}",
    't.yaml:2:1: this looks like a name without its ":"',
  ],
  ["two documents", "---\nversion: v1", "t.yaml:2:1: only one document is allowed in this file"],
];

describe("a configuration is refused for", () => {
  for (const [name, text, message] of faults)
    it(name, () =>
      assert.equal(
        messageOf(() => parse(text)),
        message,
      ),
    );

  it("being empty, however it is", () => {
    for (const text of ["", "\n\n", "# only this\n", "---\n", "---\n---\n"])
      assert.equal(
        messageOf(() => parseYaml({ text, file: "t.yaml", schema })),
        "t.yaml is empty",
      );
  });

  it("all its faults at once, in their order, with their number", () => {
    const text = "versoin: v1\njoin: {port: x, method: y}\nservices: [{type: z}]\nlabels: {a: 1}";
    const lines = messageOf(() => parse(text)).split("\n  ");
    assert.equal(lines[0], "t.yaml has 5 faults:");
    assert.deepEqual(
      lines.slice(1).map((line) => line.split(": ")[0]),
      ["t.yaml:2:1", "t.yaml:3:14", "t.yaml:3:25", "t.yaml:4:19", "t.yaml:5:13"],
    );
  });

  it("more faults than are worth reading, cut", () => {
    const lines = messageOf(() => parse(many(60))).split("\n  ");
    assert.equal(lines.length, 1 + 50 + 1);
    assert.equal(lines.at(-1), "and 10 more");
  });

  it("another version of YAML", () => {
    const text = "%YAML 1.1\n---\nversion: v1\n";
    assert.equal(
      messageOf(() => parseYaml({ text, file: "t.yaml", schema })),
      "t.yaml:1:1: YAML 1.1 is not read; only 1.2",
    );
  });
});

const many = (count: number): string =>
  Array.from({ length: count }, (_, index) => `unknown_${index}: 1`).join("\n");

describe("a limit refuses", () => {
  const bomb = "bcdefghij"
    .split("")
    .map(
      (name, index) =>
        `${name}: &${name} [${Array(10).fill(`*${"abcdefghij"[index]}`).join(", ")}]`,
    );
  const cases = {
    "an alias bomb": [`a: &a [x]\n${bomb.join("\n")}`, /has over 100000 values, aliases counted$/],
    "an alias to itself": ["labels: &a {a: *a}", /is nested over 64 levels deep$/],
    "deep nesting": [
      `labels: ${"[".repeat(70)}${"]".repeat(70)}`,
      /is nested over 64 levels deep$/,
    ],
    "nesting that would exhaust the stack": [
      `labels: ${"[".repeat(200_000)}`,
      /nested too deeply; at most 64 levels are allowed$/,
    ],
    "nested maps that would exhaust the stack": [
      `labels: ${"{a: ".repeat(100_000)}`,
      /nested too deeply; at most 64 levels are allowed$/,
    ],
    "a large file": [
      `#${"x".repeat(2 ** 20)}`,
      /^t\.yaml has 1048589 bytes; at most 1048576 are allowed$/,
    ],
  } as const;
  for (const [name, [text, message]] of Object.entries(cases))
    it(name, () =>
      assert.match(
        messageOf(() => parse(text)),
        message,
      ),
    );

  it("no lack of time: aliases are looked up, not searched", () => {
    const uses = Array.from({ length: 20_000 }, (_, index) => `k${index}: *a`).join("\n  ");
    const start = performance.now();
    const { labels } = parse(`labels:\n  a: &a x\n  ${uses}`);
    assert.equal(Object.keys(labels).length, 20_001);
    assert.ok(performance.now() - start < 5_000, "20,000 aliases took over five seconds");
  });

  it("a thousand and one documents", () => {
    const text = "---\nversion: v1\n".repeat(1001);
    assert.match(
      messageOf(() => parseYamlDocuments({ text, file: "t.yaml", schema })),
      /has 1001 documents; at most 1000 are allowed$/,
    );
  });
});

describe("a secret", () => {
  it("is never quoted", () => {
    for (const text of ["join: {token: s3cret}", "join: s3cret", "join: {token: [s3cret]}"])
      assert.doesNotMatch(
        messageOf(() => parse(text)),
        /s3cret/,
        text,
      );
  });

  it("still has its fault told", () => {
    assert.equal(
      messageOf(() => parse("join: {token: s3cret}")),
      "t.yaml:2:15: join.token: must have at least 8 characters",
    );
  });
});

describe("several documents", () => {
  it("are read in order, without the empty ones", () => {
    const text = "---\nversion: v1\n---\n# nothing\n---\nversion: v1\noneshot: false\n";
    assert.equal(parseYamlDocuments({ text, file: "t.yaml", schema }).length, 2);
  });

  it("have all their faults told at once", () => {
    const text = "version: v1\nfoo: 1\n---\nversion: v1\n---\nversion: v2\n";
    assert.deepEqual(
      messageOf(() => parseYamlDocuments({ text, file: "t.yaml", schema })).split("\n  "),
      [
        "t.yaml has 2 faults:",
        `t.yaml:2:1: foo: unknown field; ${ALLOWED}`,
        't.yaml:6:10: version: must be "v1"; got "v2"',
      ],
    );
  });
});

describe("a value from JSON", () => {
  it("has faults with paths alone", () => {
    const value = { version: "v1", join: { port: "x" }, lables: {} };
    assert.deepEqual(
      messageOf(() => parseValue({ value, what: "the request", schema })).split("\n  "),
      [
        "the request has 2 faults:",
        `lables: unknown field; did you mean "labels"? ${ALLOWED}`,
        'join.port: must be a whole number; got "x"',
      ],
    );
  });

  it("keeps no name that would change what objects are", () => {
    const value = JSON.parse(`{"version": "v1", "__proto__": {"oneshot": true}}`) as unknown;
    assert.match(
      messageOf(() => parseValue({ value, what: "it", schema })),
      /^__proto__: unknown field/,
    );
    const labels = JSON.parse(`{"version": "v1", "labels": {"__proto__": "x"}}`) as unknown;
    assert.match(
      messageOf(() => parseValue({ value: labels, what: "it", schema })),
      /__proto__/,
    );
  });

  it("may not nest without end", () => {
    const value = JSON.parse(`{"a":`.repeat(5_000) + "1" + "}".repeat(5_000)) as unknown;
    assert.match(
      messageOf(() => parseValue({ value, what: "it", schema })),
      /nested over 64 levels/,
    );
  });
});

it("the faults of an error can be read by a program", () => {
  try {
    parse("join: {port: x}");
  } catch (error) {
    const [fault] = faultsOf(error);
    assert.equal(fault?.path, "join.port");
    assert.equal(fault?.place.text, "t.yaml:2:14");
    return;
  }
  assert.fail("it was accepted");
});
