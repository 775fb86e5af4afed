// The tests are tested: bugs are planted in the steps of a join, and each must make one of them fail.
import assert from "node:assert/strict";
import { test } from "node:test";
import { seeded } from "#testing/seeded";
import { Nursery } from "../mutants/plant.ts";
import { mutants } from "../mutants/table.ts";

/** All of them by `npm run mutants`; here some, others in each run. */
const COUNT = Number(process.env["TENON_MUTANTS"] ?? 5);
const SEED = Number(process.env["TENON_SEED"] ?? Date.now() & 0x7fffffff);

test("bugs that are planted in a join are caught", async (context) => {
  context.diagnostic(`TENON_SEED=${SEED} TENON_MUTANTS=${COUNT}`);
  const random = seeded(SEED);
  const drawn = mutants.map((mutant) => ({ mutant, lot: random() }));
  const chosen = drawn.toSorted((a, b) => a.lot - b.lot).slice(0, COUNT);
  await using nursery = await Nursery.open();
  await nursery.sound(chosen.map(({ mutant }) => mutant.by[0]!));
  for (const { mutant } of chosen)
    await context.test(`${mutant.step}: ${mutant.name}`, async () => {
      const { verdict, output } = await nursery.judge(mutant);
      assert.equal(verdict, "caught", output);
    });
});
