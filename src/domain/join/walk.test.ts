// A walk at random through what can happen to a machine, its copies and its cluster, against a model
// that predicts each join from the documents' rules alone (join.md section 8).
import { test } from "node:test";
import { walk } from "#testing/walk/run";
import { withWalkCluster, type WalkStore } from "#testing/walk/stores";

/** `npm run walk -- --walks N --seed S` goes on for longer, and repeats one. */
const seed = Number(process.env["TENON_SEED"] ?? Date.now() & 0x7fffffff);

const stores: readonly {
  readonly store: WalkStore;
  readonly walks: number;
  readonly where: string;
}[] = [
  { store: "memory", walks: 1_000, where: "in memory" },
  { store: "sqlite", walks: 150, where: "on a SQLite file" },
];

for (const { store, walks, where } of stores)
  test(`${walks} walks ${where} end joined, refused by a rule, or with the copy found`, async (context) => {
    context.diagnostic(`TENON_SEED=${seed}`);
    const run = { walks, seed, events: 10 };
    const { events, joins } = await withWalkCluster(store, (on) => walk(on, run));
    context.diagnostic(`${walks} walks, ${events} events, ${joins} joins`);
  });
