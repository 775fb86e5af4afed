import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as z from "zod";
import { omitSecrets, withAbsolutePaths } from "./index.ts";

const path = z.string().meta({ path: true });
const place = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("file"), path }),
  z.strictObject({ type: z.literal("memory"), path: z.string() }),
]);
const schema = z.strictObject({
  secret: z.string().optional().meta({ secret: true }),
  nested: z.strictObject({ pin: z.string().meta({ secret: true }), label: z.string() }).optional(),
  all: z.strictObject({ of: z.string() }).optional().meta({ secret: true }),
  place: z.union([z.string(), place]).optional(),
  places: z.array(place).default([]),
  byName: z.record(z.string(), place).default({}),
});

suite("paths in a value", () => {
  test("are made absolute wherever the schema calls them paths", () => {
    const value = {
      secret: "a",
      place: { type: "file", path: "a" },
      places: [
        { type: "file", path: "b" },
        { type: "memory", path: "c" },
      ],
      byName: { path: { type: "file", path: "d" } },
    };
    assert.deepEqual(
      withAbsolutePaths(value, schema, (each) => `/at/${each}`),
      {
        secret: "a",
        place: { type: "file", path: "/at/a" },
        places: [
          { type: "file", path: "/at/b" },
          { type: "memory", path: "c" },
        ],
        byName: { path: { type: "file", path: "/at/d" } },
      },
    );
  });
});

suite("secrets of a value", () => {
  test("are left out, and named by their paths", () => {
    const value = {
      secret: "s",
      nested: { pin: "1234", label: "l" },
      all: { of: "it" },
      places: [{ type: "file", path: "b" }],
    };
    const { value: left, omitted } = omitSecrets(value, schema);
    assert.deepEqual(omitted, ["secret", "nested.pin", "all"]);
    assert.deepEqual(JSON.parse(JSON.stringify(left)), {
      nested: { label: "l" },
      places: [{ type: "file", path: "b" }],
    });
  });

  test("that are empty or absent are not named", () => {
    assert.deepEqual(omitSecrets({ secret: "", nested: { label: "l" } }, schema).omitted, []);
  });
});
