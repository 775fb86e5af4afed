import { cpus, release, totalmem, type } from "node:os";
import { monitorEventLoopDelay } from "node:perf_hooks";

/**
 * What every bench shares. A bench is a file `bench/<name>.ts` that exports `name` and
 * `run(options): Promise<BenchResult>`, and stands in the table of `bench/main.ts`.
 */
export interface BenchResult {
  readonly bench: string;
  readonly machine: string;
  readonly rows: readonly BenchRow[];
}

export interface BenchRow {
  readonly name: string;
  readonly value: number;
  /** `/s`, `ms`, `us`, `MB/s`, `MiB`, `KB`. */
  readonly unit: string;
  /** What it is compared with, by name: a program, or the limit of the machine. */
  readonly peer?: string;
  /** Our value over the peer's, both measured in this run. */
  readonly ratio?: number;
  /** How it was measured, where its name does not say. */
  readonly note?: string;
}

export interface BenchOptions {
  /** Fewer and shorter rounds: to see that it works, not how fast it is. */
  readonly quick: boolean;
  /** Of what there is much of, where a bench takes it. */
  readonly size?: number;
  /** Where what takes long to make is kept, where a bench takes it. */
  readonly directory?: string;
  /** Progress for people; it goes to stderr. */
  readonly log: (line: string) => void;
}

export interface Bench {
  readonly name: string;
  readonly run: (options: BenchOptions) => Promise<BenchResult>;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length === 0) throw new Error("there is no median of nothing");
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The value below which `share` (0 to 1) of the values lie. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  if (sorted.length === 0) throw new Error("there is no percentile of nothing");
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

/** The median of `rounds` measurements, after one that does not count. */
export async function measure(
  rounds: number,
  once: () => number | Promise<number>,
): Promise<number> {
  await once();
  const values: number[] = [];
  for (let i = 0; i < rounds; i++) values.push(await once());
  return median(values);
}

/**
 * A row with its ratio to a peer. Ours and the peer's rounds alternate, so that a busy moment of
 * the machine strikes both.
 */
export async function measureBeside(options: {
  readonly name: string;
  readonly unit: string;
  readonly rounds: number;
  readonly ours: () => number | Promise<number>;
  readonly peer: { readonly name: string; readonly once: () => number | Promise<number> };
}): Promise<BenchRow> {
  const { name, unit, rounds, ours, peer } = options;
  const values: number[] = [];
  const peers: number[] = [];
  await ours();
  await peer.once();
  for (let i = 0; i < rounds; i++) {
    values.push(await ours());
    peers.push(await peer.once());
  }
  return row(name, median(values), unit, { name: peer.name, value: median(peers) });
}

export function row(
  name: string,
  value: number,
  unit: string,
  peer?: { readonly name: string; readonly value: number },
  note?: string,
): BenchRow {
  return {
    name,
    value: rounded(value),
    unit,
    ...(peer ? { peer: peer.name, ratio: rounded(value / peer.value) } : {}),
    ...(note === undefined ? {} : { note }),
  };
}

/** Three significant digits, or whole numbers above a thousand. */
const rounded = (value: number): number =>
  Math.abs(value) >= 1_000 ? Math.round(value) : Number(value.toPrecision(3));

/** How often per second a plain function runs, over about `ms` milliseconds. */
export function ratePerSecond(ms: number, once: () => void): number {
  const start = performance.now();
  let count = 0;
  while (performance.now() - start < ms) {
    for (let i = 0; i < 10; i++) once();
    count += 10;
  }
  return (count * 1_000) / (performance.now() - start);
}

/** Runs `work` and gives the 99th percentile of the event loop's delay meanwhile, in milliseconds. */
export async function loopDelayP99(work: () => Promise<unknown>): Promise<number> {
  const resolutionMs = 1;
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  await work();
  histogram.disable();
  return Math.max(0, histogram.percentile(99) / 1e6 - resolutionMs);
}

/** How many are under way at once. */
const LANES = 16;

/** Works on all of them, some at once; the results in their order. */
export async function inLanes<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let i = next++; i < items.length; i = next++) results[i] = await work(items[i]!);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return results;
}

export function machine(): string {
  const [cpu] = cpus();
  const gib = Math.round(totalmem() / 2 ** 30);
  const system = `${type()} ${release()}`;
  return `${cpus().length} × ${cpu?.model.trim() ?? "?"}, ${gib} GiB, ${system}, Node ${process.versions.node}`;
}

export function printTable(result: BenchResult): string {
  const table = [
    ["name", "value", "unit", "ratio", "peer", "how"],
    ...result.rows.map((row) => [
      row.name,
      row.value.toLocaleString("en"),
      row.unit,
      row.ratio === undefined ? "" : String(row.ratio),
      row.peer ?? "",
      row.note ?? "",
    ]),
  ];
  const widths = table[0]!.map((_, i) => Math.max(...table.map((cells) => cells[i]!.length)));
  const numeric = new Set([1, 3]);
  const lines = table.map((cells) =>
    cells
      .map((cell, i) => (numeric.has(i) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join("  ")
      .trimEnd(),
  );
  return [`${result.bench} — ${result.machine}`, "", ...lines, ""].join("\n");
}
