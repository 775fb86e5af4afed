// What is committed for the GitHub Actions is what the sources build to.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { botApiInputs } from "../../src/programs/github-action/bot-api/inputs.ts";
import { startServiceInputs } from "../../src/programs/github-action/start-service/inputs.ts";
import { ACTIONS_DIST, actionBundles } from "../../scripts/action-bundles.ts";
import { ACTION_MACHINES, installedMachine, installedPart, partOf } from "../../scripts/koffi.ts";
import { readAction } from "../support/runner/documents.ts";

const STALE = "run npm run build:actions, and commit what it writes";

suite("actions/dist", async () => {
  const bundles = await actionBundles();

  test("has every bundle and nothing else", async () => {
    const names = await readdir(ACTIONS_DIST);
    assert.deepEqual(names.toSorted(), [...bundles.keys(), "koffi"].toSorted());
  });

  for (const [name, text] of bundles)
    test(`${name} is what the sources build to`, async () => {
      const same = (await readFile(join(ACTIONS_DIST, name), "utf8")) === text;
      assert.ok(same, STALE);
    });

  test("builds to the same bytes again", async () => {
    const again = await actionBundles();
    for (const [name, text] of bundles) assert.ok(again.get(name) === text, name);
  });

  test("has koffi's native parts, of the version that is installed", async (t) => {
    for (const machine of ACTION_MACHINES)
      assert.ok(existsSync(join(ACTIONS_DIST, "koffi", partOf(machine))), machine);
    const part = join(ACTIONS_DIST, "koffi", partOf(installedMachine));
    if (!existsSync(part)) return t.skip(`it has none for ${installedMachine}`);
    const installed = await readFile(installedPart(installedMachine));
    assert.ok(installed.equals(await readFile(part)), `${STALE} (with -- --koffi)`);
  });
});

for (const [name, schema] of [
  ["bot-api", botApiInputs],
  ["start-service", startServiceInputs],
] as const)
  test(`actions/${name}/action.yml lists the inputs that its program reads`, async () => {
    const { inputs, outputs, runs } = await readAction(`actions/${name}`);
    const read = Object.values(schema.shape).map((field) => field.meta()?.env);
    assert.deepEqual(new Set(Object.keys(inputs)), new Set(read));
    for (const script of [runs.main, runs.post ?? runs.main])
      assert.ok(existsSync(join("actions", name, script)), script);
    const guide = await readFile("docs/guides/github-actions.md", "utf8");
    for (const each of [...Object.keys(inputs), ...Object.keys(outputs)])
      assert.ok(guide.includes(`\`${each}\``), `the guide does not explain ${each}`);
  });
