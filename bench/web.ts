// The endpoints of the web page, and the page itself, at 100,000 bots and 1,000,000 instances.
import { spawnSync } from "node:child_process";
import { browserRows } from "./web-browser.ts";
import { endpointRows } from "./web-endpoints.ts";
import { WebStage } from "./web-stage.ts";
import { machine, type BenchOptions, type BenchResult } from "./support.ts";

export const name = "web";

const FULL_SIZE = 1_000_000;
const QUICK_SIZE = 20_000;
const INSTANCES_OF_BOT = 10;

export async function run(options: BenchOptions): Promise<BenchResult> {
  const { quick, log, directory } = options;
  const instances = options.size ?? (quick ? QUICK_SIZE : FULL_SIZE);
  log("building the page and the bundle of the server");
  prepare("npm", ["run", "build:web"]);
  prepare(process.execPath, ["scripts/build.ts"]);
  const size = { bots: Math.ceil(instances / INSTANCES_OF_BOT), instances, events: 10_000 };
  log(`a store with ${size.bots} bots and ${size.instances} instances`);
  await using stage = await WebStage.open({ size, directory, log });
  const rows = await endpointRows({ stage, size, rounds: quick ? 20 : 200, log });
  log("the page, in Chromium");
  rows.push(...(await browserRows(stage, quick ? 2 : 7)));
  return { bench: name, machine: machine(), rows };
}

function prepare(program: string, words: readonly string[]): void {
  const { status, stderr } = spawnSync(program, words, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
}
