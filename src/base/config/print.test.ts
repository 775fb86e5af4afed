import { CodedError } from "#base/kernel";
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import * as z from "zod";
import {
  duration,
  jsonSchemaOf,
  nearest,
  parseYaml,
  referenceOf,
  withoutSecrets,
  yamlOf,
  yamlOfAll,
} from "./index.ts";

const service = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("identity").meta({ valueAliases: { ssh: "identity" } }),
    name: z.string().optional(),
  }),
  z
    .strictObject({ type: z.literal("tunnel"), app_name: z.string().meta({ aliases: ["app"] }) })
    .meta({ description: "opens a local port" }),
]);
const schema = z.strictObject({
  version: z.literal("v1"),
  ttl: duration.default("1h"),
  join: z
    .strictObject({
      token: z.string().default("").meta({ secret: true }),
      limit: z.int().default(1),
    })
    .prefault({}),
  services: z.array(service).default([]),
  labels: z.record(z.string(), z.string()).default({}),
});
type Value = z.output<typeof schema>;
const value: Value = {
  labels: { b: "2", a: "yes" },
  services: [{ app_name: "x", type: "tunnel" }, { type: "identity" }],
  join: { limit: 1, token: "s3cret" },
  ttl: "1h",
  version: "v1",
};

/** Objects as parsers make them. */
const PLAIN = { noNullPrototype: true } as const;

describe("a value is printed", () => {
  it("in the order of the schema, without what is default", () =>
    assert.equal(
      yamlOf(value, schema),
      `version: v1
join:
  token: s3cret
services:
  - type: tunnel
    app_name: x
  - type: identity
labels:
  b: "2"
  a: yes
`,
    ));

  it("as it is, without a schema", () =>
    assert.equal(yamlOfAll([{ b: 1, a: [] }, "x"]), "b: 1\na: []\n---\nx\n"));

  it("without secrets", () =>
    assert.deepEqual(withoutSecrets(value, schema), {
      ...value,
      join: { limit: 1, token: "<hidden>" },
    }));

  it("so that reading it gives the same again, whatever it holds", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("yes", "~", "1", "- a", ""),
    );
    const values: fc.Arbitrary<Value> = fc.record(
      {
        version: fc.constant("v1" as const),
        ttl: fc.constantFrom("1h", "30s"),
        join: fc.record({ token: text, limit: fc.integer() }, PLAIN),
        services: fc.array(
          fc.oneof(
            fc.record({ type: fc.constant("tunnel" as const), app_name: text }, PLAIN),
            fc.record({ type: fc.constant("identity" as const), name: text }, PLAIN),
          ),
        ),
        labels: fc.dictionary(
          text.filter((name) => name !== "__proto__"),
          text,
          PLAIN,
        ),
      },
      PLAIN,
    );
    fc.assert(
      fc.property(values, (value) => {
        const text = yamlOf(value, schema);
        assert.deepEqual(parseYaml({ text, file: "t", schema }), value);
      }),
      { numRuns: 300 },
    );
  });
});

describe("reading any text", () => {
  const words = fc.constantFrom(
    ..."version: v1|\n|  |- |: |join|services|type: tunnel|{|}|[|]|,|&a |*a|? |# |\t|'|\"|!!str |<<: |---\n|...\n|%YAML 1.1\n|__proto__|null|1|~|| >\n".split(
      "|",
    ),
  );
  it("gives a value or an error of ours, never another", () => {
    fc.assert(
      fc.property(fc.oneof(fc.array(words, { maxLength: 30 }), fc.array(fc.string())), (parts) => {
        try {
          parseYaml({ text: parts.join(""), file: "t", schema });
        } catch (error) {
          assert.ok(error instanceof CodedError, String(error));
          assert.equal(error.code, "bad_parameter");
        }
      }),
      { numRuns: 3_000 },
    );
  });
});

describe("the JSON Schema", () => {
  const made = jsonSchemaOf(schema, { title: "t", id: "https://x/y" });
  const text = JSON.stringify(made);

  it("has title, id and dialect, and nothing of ours", () => {
    assert.deepEqual(Object.keys(made).slice(0, 3), ["$schema", "$id", "title"]);
    assert.doesNotMatch(text, /valueAliases|secret|"aliases"|9007199254740991|typeName/);
  });

  it("allows the other names and spellings", () => {
    assert.match(text, /"enum":\["identity","ssh"\]/);
    assert.match(text, /"app":\{"type":"string","deprecated":true\}/);
    assert.match(text, /"anyOf":\[\{"required":\["app_name"\]\},\{"required":\["app"\]\}\]/);
  });
});

it("the reference page has a row for each field and a part for each type", () =>
  assert.equal(
    referenceOf(schema),
    `| field | type | default | meaning |
|---|---|---|---|
| \`version\` | \`v1\` | required |  |
| \`ttl\` | duration | \`1h\` |  |
| \`join\` | fields below |  |  |
| \`join.token\` | string |  | Secret. |
| \`join.limit\` | integer | \`1\` |  |
| \`services\` | list of fields by \`type\` |  |  |
| \`labels\` | map to string |  |  |

### \`services[]\` of type \`identity\`

Also written \`ssh\`.

| field | type | default | meaning |
|---|---|---|---|
| \`type\` | \`identity\` | required |  |
| \`name\` | string |  |  |

### \`services[]\` of type \`tunnel\`

Opens a local port.

| field | type | default | meaning |
|---|---|---|---|
| \`type\` | \`tunnel\` | required |  |
| \`app_name\` | string | required | Also written \`app\`. |
`,
  ));

describe("the nearest name", () => {
  const names = ["app_name", "listen", "roles", "id"];
  const cases = {
    app_nam: "app_name",
    "app-name": "app_name",
    APP_NAME: "app_name",
    lisetn: "listen",
    role: "roles",
    ids: "id",
    unrelated: undefined,
    "": undefined,
    ["x".repeat(1_000_000)]: undefined,
  };
  for (const [word, near] of Object.entries(cases))
    it(`of "${word.slice(0, 20)}" is ${near ? `"${near}"` : "none"}`, () =>
      assert.equal(nearest(word, names), near));
});
