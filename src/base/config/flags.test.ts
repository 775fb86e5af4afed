import { CodedError } from "#base/kernel";
import { Command } from "commander";
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as z from "zod";
import {
  addFlags,
  duration,
  environmentTree,
  flagsOf,
  flagTree,
  parseTree,
  valueFromFlags,
  yamlTrees,
} from "./index.ts";

const schema = z.strictObject({
  oneshot: z.boolean().default(false).meta({ description: "run once and end" }),
  color: z.boolean().default(true),
  credential_ttl: duration.default("1h").meta({ flagAliases: ["certificate-ttl"] }),
  join: z
    .strictObject({
      method: z.enum(["token", "bound_keypair"]).default("token").meta({ flag: "join-method" }),
      token: z.string().min(8).meta({ flag: "token", secret: true, env: "TEST_TOKEN" }),
      port: z.int().default(3080),
    })
    .prefault({ token: "" }),
  roles: z.array(z.string().min(1)).default([]),
  labels: z.record(z.string(), z.string().min(2)).default({}),
  traits: z.record(z.string(), z.array(z.string())).optional(),
  app_name: z
    .string()
    .meta({ aliases: ["app"], short: "a", placeholder: "name" })
    .optional(),
  storage: z
    .strictObject({ type: z.literal("directory"), path: z.string() })
    .meta({ fromFlag: (text: string) => ({ type: "directory", path: text }) })
    .optional(),
  pins: z.union([z.string(), z.array(z.string())]).optional(),
  services: z.array(z.strictObject({ type: z.string() })).default([]),
  hidden: z.string().meta({ flag: false }).optional(),
});

function optionsOf(argv: readonly string[]): Record<string, unknown> {
  const command = addFlags(new Command().exitOverride(), schema);
  return command.parse(argv, { from: "user" }).opts();
}

const value = (...argv: string[]): z.output<typeof schema> =>
  valueFromFlags({ schema, options: optionsOf(["--token", "12345678", ...argv]) });

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

describe("flags are derived from a schema", () => {
  it("with the fields that a line of text can carry", () => {
    assert.deepEqual(
      flagsOf(schema).map((flag) => `${flag.name} ${flag.kind}`),
      [
        "oneshot switch",
        "color switch",
        "credential-ttl text",
        "join-method text",
        "token text",
        "join.port text",
        "roles list",
        "labels pairs",
        "traits list-pairs",
        "app-name text",
        "storage text",
        "pins list",
      ],
    );
  });

  it("with help that names values and defaults, and hides other names", () => {
    const help = addFlags(
      new Command().configureHelp({ helpWidth: 200 }),
      schema,
    ).helpInformation();
    assert.match(help, /--oneshot +run once and end\n/);
    assert.match(help, /--no-color\n/);
    assert.match(help, /--join-method <value> +\(one of token, bound_keypair; default token\)\n/);
    assert.match(help, /-a, --app-name <name>\n/);
    assert.doesNotMatch(help, /certificate-ttl|--app |--no-oneshot|--color|services|hidden/);
  });
});

describe("flags are read", () => {
  const cases: readonly (readonly [argv: string, part: Partial<z.output<typeof schema>>])[] = [
    ["", { oneshot: false, color: true, credential_ttl: "1h", roles: [], labels: {} }],
    ["--oneshot --no-color", { oneshot: true, color: false }],
    ["--no-oneshot --color", { oneshot: false, color: true }],
    ["--certificate-ttl 2h", { credential_ttl: "2h" }],
    [
      "--join-method bound-keypair --join.port 80",
      { join: { method: "bound_keypair", token: "12345678", port: 80 } },
    ],
    ["--roles a,b --roles c", { roles: ["a", "b", "c"] }],
    ["--labels a=bb,c=d=e --labels f=gg", { labels: { a: "bb", c: "d=e", f: "gg" } }],
    [
      "--traits logins=root,ubuntu --traits x=y",
      { traits: { logins: ["root", "ubuntu"], x: ["y"] } },
    ],
    ["--app web", { app_name: "web" }],
    ["-a web", { app_name: "web" }],
    ["--pins a", { pins: ["a"] }],
    ["--pins a --pins b", { pins: ["a", "b"] }],
    ["--storage /x", { storage: { type: "directory", path: "/x" } }],
  ];
  for (const [argv, part] of cases)
    it(argv || "without any", () => {
      const read = value(...argv.split(" ").filter(Boolean));
      assert.deepEqual({ ...read, ...part }, read);
    });
});

describe("a flag is refused for", () => {
  const cases: readonly (readonly [argv: string, message: string])[] = [
    ["--join.port x", '--join.port: must be a whole number; got "x"'],
    [
      "--join-method tokn",
      '--join-method: must be one of token, bound_keypair; got "tokn"; did you mean "token"?',
    ],
    ["--labels x", '--labels: "x" must be written key=value'],
    ["--labels a=bb,a=cc", '--labels: "a" is given twice'],
    ["--labels a=b", '--labels: must have at least 2 characters; got "b"'],
    ["--app x --app-name y", "--app: is given 2 times; once is allowed"],
    [
      "--certificate-ttl 5",
      '--certificate-ttl: must be a duration such as 30s, 20m, 1h30m or 7d; got "5"',
    ],
  ];
  for (const [argv, message] of cases)
    it(argv, () =>
      assert.equal(
        messageOf(() => value(...argv.split(" "))),
        message,
      ),
    );

  it("a short secret, without quoting it", () =>
    assert.equal(
      messageOf(() => valueFromFlags({ schema, options: optionsOf(["--token", "s3cret"]) })),
      "--token: must have at least 8 characters",
    ));

  it("its absence, by its name", () => {
    const required = z.strictObject({
      app_name: z.string(),
      join: z.strictObject({ token: z.string() }),
    });
    assert.equal(
      messageOf(() => valueFromFlags({ schema: required, options: { "join.token": ["x"] } })),
      "--app-name: is required",
    );
  });

  it("all that is wrong at once", () =>
    assert.deepEqual(
      messageOf(() => value("--join.port", "x", "--credential-ttl", "y")).split("\n  "),
      [
        "the command line has 2 faults:",
        '--credential-ttl: must be a duration such as 30s, 20m, 1h30m or 7d; got "y"',
        '--join.port: must be a whole number; got "x"',
      ],
    ));
});

describe("flags over a file", () => {
  const both = (text: string, ...argv: string[]): z.output<typeof schema> =>
    parseTree({
      schema,
      what: "the configuration",
      trees: [
        ...yamlTrees({ text, file: "t.yaml" }, "one"),
        environmentTree(schema, { TEST_TOKEN: "from-environment" }),
        flagTree(schema, optionsOf(argv)),
      ],
    });

  it("win, whichever name the file uses, and leave the rest", () => {
    const read = both(
      "app: a\nroles: [x]\njoin: {port: 1}",
      "--app-name",
      "b",
      "--join-method",
      "token",
    );
    assert.equal(read.app_name, "b");
    assert.deepEqual(read.roles, ["x"]);
    assert.deepEqual(read.join, { method: "token", token: "from-environment", port: 1 });
  });

  it("have each fault at its own place", () => {
    assert.deepEqual(
      messageOf(() => both("rols: [x]\njoin: {port: x}", "--credential-ttl", "y"))
        .split("\n  ")
        .slice(1),
      [
        't.yaml:1:1: rols: unknown field; did you mean "roles"? allowed: oneshot, color, credential_ttl, join, roles, labels, traits, app_name, storage, pins, services, hidden',
        't.yaml:2:14: join.port: must be a whole number; got "x"',
        '--credential-ttl: must be a duration such as 30s, 20m, 1h30m or 7d; got "y"',
      ],
    );
  });

  it("name the variable whose value is wrong, without quoting it", () =>
    assert.equal(
      messageOf(() =>
        parseTree({
          schema,
          what: "it",
          trees: [environmentTree(schema, { TEST_TOKEN: "short" })],
        }),
      ),
      "TEST_TOKEN: must have at least 8 characters",
    ));
});
