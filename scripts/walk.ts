// npm run walk -- [--walks N] [--seed S] [--events N] [--no-shrink] [--store memory|sqlite]: the walks of
// src/domain/join/walk.test.ts for as long as is wished, with what they came to.
import { parseArgs } from "node:util";
import { walk } from "#testing/walk/run";
import { walkStores, withWalkCluster } from "#testing/walk/stores";

const { values } = parseArgs({
  allowNegative: true,
  options: {
    walks: { type: "string", default: "10000" },
    seed: { type: "string", default: String(Date.now() & 0x7fffffff) },
    shrink: { type: "boolean", default: true },
    events: { type: "string", default: "24" },
    store: { type: "string", default: "memory" },
  },
});
const walks = positive("walks", values.walks);
const seed = positive("seed", values.seed);
const events = positive("events", values.events);
const store = walkStores.find((name) => name === values.store);
if (!store) usage(`--store is "${values.store}"`);

const started = performance.now();
let done = 0;
let told = started;
console.log(`${walks} walks, store ${store}, seed ${seed}`);
try {
  const { events: happened, joins } = await withWalkCluster(store, (on) =>
    walk(on, { walks, seed, events, walked, shrink: values.shrink }),
  );
  console.log(
    `${walks} walks, ${happened} events, ${joins} joins in ${seconds()} s: all as the model says`,
  );
} catch (error) {
  console.error(error);
  console.error(
    `failed after ${done} walks; npm run walk -- --walks ${walks} --seed ${seed} --events ${events} --store ${store} repeats it`,
  );
  process.exitCode = 1;
}

function walked(): void {
  done++;
  if (performance.now() - told < 10_000) return;
  told = performance.now();
  console.log(`${done} of ${walks} walks after ${seconds()} s`);
}

function seconds(): string {
  return ((performance.now() - started) / 1000).toFixed(0);
}

function positive(name: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  return usage(`--${name} is "${text}"`);
}

function usage(what: string): never {
  console.error(
    `${what}; npm run walk -- [--walks N] [--seed S] [--events N] [--no-shrink] [--store ${walkStores.join("|")}]`,
  );
  process.exit(2);
}
