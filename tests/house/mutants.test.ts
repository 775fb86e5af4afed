// The bugs of tests/mutants can still be planted: their texts stand in the sources.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { planted } from "../mutants/plant.ts";
import { mutants } from "../mutants/table.ts";

test("every mutant fits the sources, once", async () => {
  for (const mutant of mutants) {
    const text = await readFile(mutant.file, "utf8");
    assert.notEqual(planted(mutant, text), text, mutant.name);
  }
});
