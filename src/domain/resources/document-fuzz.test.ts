// Whatever comes, a document is read or refused as a bad parameter; what was read is read again the
// same.
import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf } from "#base/kernel";
import * as fc from "fast-check";
import { parseClientDocument, parseDocument } from "./index.ts";

const samples: readonly object[] = [
  {
    kind: "user",
    version: "v1",
    metadata: { name: "a", labels: { x: "y" } },
    spec: { roles: ["r"], traits: { t: ["v"] } },
  },
  {
    kind: "bot",
    version: "v1",
    metadata: { name: "b" },
    spec: { roles: ["r"], traits: [{ name: "t", values: ["v"] }] },
  },
  {
    kind: "token",
    version: "v2",
    metadata: { name: "t", expires: "2030-01-01T00:00:00Z" },
    spec: {
      bot_name: "b",
      join_method: "bound-keypair",
      bound_keypair: { recovery: { limit: 2 } },
    },
  },
  {
    kind: "lock",
    version: "v2",
    metadata: { name: "l" },
    spec: { target: { user: "a" }, expires: "2030-01-01T00:00:00Z" },
  },
  {
    kind: "role",
    version: "v1",
    metadata: { name: "r" },
    spec: {
      allow: {
        logins: ["{{internal.logins}}"],
        app_labels: { "*": ["*"] },
        rules: [{ resources: ["*"], verbs: ["*"] }],
      },
    },
  },
  {
    kind: "cluster_config",
    version: "v1",
    metadata: { name: "cluster" },
    spec: { cluster_name: "c" },
  },
];

function readOrRefused(input: unknown): void {
  try {
    const read = parseDocument(input);
    assert.deepEqual(parseDocument(JSON.stringify(read)), read);
  } catch (error) {
    assert.equal(codeOf(error), "bad_parameter", String(error));
  }
}

test("any JSON value is read or refused", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom("user", "role", "token", "lock"), (value, kind) => {
      readOrRefused(value);
      readOrRefused({ kind, version: "v1", metadata: value, spec: value });
      readOrRefused({ kind, version: "v2", metadata: { name: "x" }, spec: value, status: value });
    }),
    { numRuns: 500 },
  );
});

function paths(value: unknown): (string | number)[][] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    [key],
    ...paths(inner).map((rest) => [key, ...rest]),
  ]);
}

test("a document with one of its parts changed is read or refused", () => {
  const odd = fc.constantFrom("*", "{{", "__proto__", "-1h", "\u0000", "\ud800", 1e308);
  fc.assert(
    fc.property(
      fc.constantFrom(...samples),
      fc.nat(),
      fc.oneof(fc.jsonValue(), odd),
      (sample, pick, value) => {
        const copy = structuredClone(sample) as Record<string, unknown>;
        const all = paths(copy);
        const path = all[pick % all.length]!;
        let at: Record<string | number, unknown> = copy;
        for (const step of path.slice(0, -1)) at = at[step] as typeof at;
        at[path.at(-1)!] = value;
        readOrRefused(copy);
        assert.equal(parseClientDocument({ ...sample, status: value }).resource.status, undefined);
      },
    ),
    { numRuns: 2_000 },
  );
});

test("any text is read or refused", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...samples),
      fc.nat(),
      fc.string({ maxLength: 3 }),
      (sample, at, text) => {
        const json = JSON.stringify(sample);
        const cut = at % json.length;
        readOrRefused(json.slice(0, cut));
        readOrRefused(json.slice(0, cut) + text + json.slice(cut));
      },
    ),
    { numRuns: 1_000 },
  );
});
