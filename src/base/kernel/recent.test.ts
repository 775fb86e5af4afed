import assert from "node:assert/strict";
import { test } from "node:test";
import { Recent } from "./recent.ts";

test("beyond its size the entry that was set longest ago goes", () => {
  const recent = new Recent<number>(2);
  recent.set("a", 1);
  recent.set("b", 2);
  recent.set("a", 3);
  recent.set("c", 4);
  assert.deepEqual(
    ["a", "b", "c"].map((key) => recent.get(key)),
    [3, undefined, 4],
  );
  assert.equal(recent.size, 2);
  recent.delete("a");
  assert.equal(recent.get("a"), undefined);
});
