import {
  machine,
  median,
  percentile,
  row,
  type BenchOptions,
  type BenchResult,
  type BenchRow,
} from "./support.ts";
import { StrangerWorld, type Guess } from "./stranger-world.ts";

export const name = "stranger";

const UNKNOWN = "unknown_token";

/** A state of somebody else's: three parts, and a signature that is none of ours. */
const STATE = `eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ1c2VkIn0.${"A".repeat(86)}`;

/** What a stranger may say of himself; the cause must not show, whichever of these it is. */
const shapes: Readonly<Record<string, Omit<Guess, "token">>> = {
  own_key: { secret: "s3cret" },
  wrong_secret: { secret: "guess" },
  others_key: { secret: "s3cret", victimsKey: true },
  old_state: { joinState: STATE },
};

/** Why he is refused, beside that there is no such token. */
const causes: readonly (readonly [shape: string, cause: string, token: string])[] = [
  ["own_key", "the_same_again", "nowhere"],
  ["own_key", "other_method", "single-use-secret"],
  ["own_key", "bot_is_gone", "botless"],
  ["own_key", "too_late", "late"],
  ["own_key", "not_the_initial_key", "keyed"],
  ["own_key", "not_the_bound_key", "used"],
  ["own_key", "not_the_rotated_key", "rotated"],
  ["wrong_secret", "not_the_secret", "new"],
  ["others_key", "solution_for_a_new_token", "new"],
  ["others_key", "solution_for_the_bound_key", "used"],
  ["old_state", "not_the_bound_key", "used"],
];

/**
 * What the time of a refusal tells a stranger of its cause. For each cause the median, how far that is
 * from the one for an unknown token when he says the same, how far the fastest tenth is (which a busy
 * machine disturbs least), and `told`: how often a guess from one
 * refusal of each, which of both took longer, would be right; a coin is right in 50 of 100. `sigma`: how
 * sure it is that this is no accident (Mann–Whitney). All take turns in an order of chance, so that a
 * busy moment strikes all of them.
 */
export async function run({ quick, log }: BenchOptions): Promise<BenchResult> {
  const rounds = quick ? 200 : 2_000;
  await using world = await StrangerWorld.open();
  const unknown = Object.keys(shapes).map((shape) => [shape, UNKNOWN, "nobody"] as const);
  const all = [...unknown, ...causes].map(([shape, cause, token]) => ({
    name: `${shape}_${cause}`,
    peer: `${shape}_${UNKNOWN}`,
    guess: { ...shapes[shape]!, token },
  }));
  const times = new Map(all.map((each) => [each.name, [] as number[]]));
  for (let round = -rounds / 10; round < rounds; round++) {
    if (round % 500 === 0) log(`round ${round} of ${rounds}`);
    for (const { name, guess } of shuffled(all)) {
      const us = await world.refuse(guess);
      if (round >= 0) times.get(name)!.push(us);
    }
  }
  const rows = all.flatMap((each) => rowsOf(each, times));
  return { bench: name, machine: machine(), rows };
}

function rowsOf(
  about: { readonly name: string; readonly peer: string },
  times: ReadonlyMap<string, readonly number[]>,
): BenchRow[] {
  const values = times.get(about.name)!;
  const others = times.get(about.peer)!;
  if (values === others) return [row(about.name, median(values), "us")];
  const { share, sigma } = mannWhitney(values, others);
  const fastest = percentile(values, 0.1) - percentile(others, 0.1);
  return [
    row(about.name, median(values), "us", { name: about.peer, value: median(others) }),
    row(`${about.name}.difference`, median(values) - median(others), "us"),
    row(`${about.name}.fastest_tenth`, fastest, "us"),
    row(`${about.name}.told`, 100 * Math.max(share, 1 - share), "%"),
    row(`${about.name}.sigma`, Math.abs(sigma), "σ"),
  ];
}

/** The share of pairs in which ours is the longer, and how many standard errors that is from a half. */
function mannWhitney(
  ours: readonly number[],
  others: readonly number[],
): { share: number; sigma: number } {
  const all = [...ours.map((ms) => ({ ms, own: 1 })), ...others.map((ms) => ({ ms, own: 0 }))];
  const ranked = all.toSorted((a, b) => a.ms - b.ms);
  const rankSum = ranked.reduce((sum, { own }, i) => sum + own * (i + 1), 0);
  const [n, m] = [ours.length, others.length];
  const u = rankSum - (n * (n + 1)) / 2;
  return { share: u / (n * m), sigma: (u - (n * m) / 2) / Math.sqrt((n * m * (n + m + 1)) / 12) };
}

function shuffled<T>(values: readonly T[]): T[] {
  const result = [...values];
  for (let i = result.length - 1; i > 0; i--) {
    const other = Math.floor(Math.random() * (i + 1));
    [result[i], result[other]] = [result[other]!, result[i]!];
  }
  return result;
}
