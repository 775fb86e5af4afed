// npm run mutants [-- WORDS]: plants every bug (or those whose name has the words), and tells which
// the tests have not caught.
import { Nursery } from "./plant.ts";
import { mutants } from "./table.ts";

const words = process.argv.slice(2).join(" ");
const wanted = mutants.filter(({ name, step }) => `${step}: ${name}`.includes(words));
await using nursery = await Nursery.open();
await nursery.sound(wanted.flatMap(({ by }) => by));
let missed = 0;
for (const mutant of wanted) {
  const started = performance.now();
  const { verdict, by, output } = await nursery.judge(mutant);
  if (verdict !== "caught") missed++;
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  console.log(
    `${verdict.padEnd(8)} ${by.padEnd(12)} ${seconds.padStart(5)} s  ${mutant.step}: ${mutant.name}`,
  );
  if (verdict === "caught") console.log(`         by: ${firstFailure(output)}`);
}
console.log(`\n${wanted.length - missed} of ${wanted.length} caught`);
process.exitCode = missed > 0 ? 1 : 0;

/** The line of the test that noticed it. */
function firstFailure(output: string): string {
  return /^ *✖ (.*) \(\d.*$/m.exec(output)?.[1] ?? "a crash";
}
