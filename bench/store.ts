import type { BenchOptions, BenchResult } from "./support.ts";
import { machine } from "./support.ts";

export const name = "store";

export async function run(_options: BenchOptions): Promise<BenchResult> {
  return { bench: name, machine: machine(), rows: [] };
}
