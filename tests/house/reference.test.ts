// docs/reference is what the programs and schemas say of themselves today.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import { referencePages } from "../../scripts/reference.ts";

const directory = "docs/reference";
const pages = await referencePages();

test("docs/reference has every page and no other", async () => {
  assert.deepEqual((await readdir(directory)).toSorted(), [...pages.keys()].toSorted());
});

for (const [name, text] of pages) {
  test(`${directory}/${name} is up to date; otherwise run npm run generate`, async () => {
    const lines = (await readFile(`${directory}/${name}`, "utf8")).split("\n");
    const wrong = text.split("\n").findIndex((line, index) => line !== lines[index]);
    assert.equal(wrong, -1, `line ${wrong + 1} reads "${lines[wrong]}"`);
    assert.equal(lines.length, text.split("\n").length);
  });

  test(`${directory}/${name} explains every flag and every argument`, () => {
    const unexplained = text.split("\n").filter((line) => /^\| `-.* \| *\|$/.test(line));
    assert.deepEqual(unexplained, []);
  });
}
