import assert from "node:assert/strict";
import { test } from "node:test";
import { placeOf, yamlTrees } from "./index.ts";

const text = `spec:
  roles: [a, b]
  labels:
    tenon.dev/x: 1
`;

test("a path as faults write it leads to the line and column of its value", () => {
  const [tree] = yamlTrees({ text, file: "f" }, "one");
  const at = (path: string) => {
    const place = placeOf(tree!, path);
    return place && [place.line, place.column];
  };
  assert.deepEqual(at(""), [1, 1]);
  assert.deepEqual(at("spec.roles[1]"), [2, 14]);
  assert.deepEqual(at('spec.labels["tenon.dev/x"]'), [4, 18]);
  assert.equal(at("spec.roles[2]"), undefined);
});
