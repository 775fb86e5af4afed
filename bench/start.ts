// How long the commands take from the shell, and what the processes hold when they have nothing to do.
import { spawn, spawnSync } from "node:child_process";
import { bundle, node, residentMib, Stage, TUNNEL, type Build } from "./stage.ts";
import {
  machine,
  measureBeside,
  median,
  row,
  type BenchOptions,
  type BenchResult,
  type BenchRow,
} from "./support.ts";

export const name = "start";

const IDLE_MS = 3_000;

const source: Build = { suffix: "_source", script: (program) => `src/programs/${program}/main.ts` };

export async function run({ quick, log }: BenchOptions): Promise<BenchResult> {
  log("building the bundles");
  runOnce(["scripts/build.ts"]);
  const rounds = quick ? 3 : 15;
  const rows: BenchRow[] = [];
  for (const build of [bundle, source]) {
    log(`measuring ${build.script("…")}`);
    rows.push(...(await helpRows(build, rounds)));
    rows.push(...(await clusterRows(build, rounds)));
  }
  return { bench: name, machine: machine(), rows };
}

async function helpRows({ suffix, script }: Build, rounds: number): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const program of ["tbot", "tctl"]) {
    rows.push(
      await measureBeside({
        name: `${program}_help_ms${suffix}`,
        unit: "ms",
        rounds,
        ours: () => timed([script(program), "--help"]),
        peer: { name: "node -e 0", once: () => timed(["-e", "0"]) },
      }),
    );
  }
  return rows;
}

/** A cluster, an agent and a bot, warm; then their idle memory. */
async function clusterRows(build: Build, rounds: number): Promise<BenchRow[]> {
  await using stage = await Stage.open(build);
  const status = await measureBeside({
    name: `tctl_status_ms${build.suffix}`,
    unit: "ms",
    rounds,
    ours: () => timed([build.script("tctl"), "status", `--data-dir=${stage.dataDir}`]),
    peer: { name: "node -e 0", once: () => timed(["-e", "0"]) },
  });
  await stage.addBot("robot", [`{ type: identity, destination: ${stage.path("out")} }`, TUNNEL]);
  const ready: number[] = [];
  for (let i = 0; i <= rounds; i++) ready.push(await stage.startBot("robot"));
  const rows = [status, row(`tbot_ready_ms${build.suffix}`, median(ready.slice(1)), "ms")];
  if (build === bundle) rows.push(...(await memoryRows(stage)));
  return rows;
}

async function memoryRows(stage: Stage): Promise<BenchRow[]> {
  const bare = spawn(node, ["-e", "setInterval(() => {}, 1e6)"]);
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  const peer = { name: "node, idle", value: await residentMib(bare.pid!) };
  bare.kill();
  const rows = [];
  for (const [label, process] of [
    ["cluster", "tenon"],
    ["agent", "agent"],
    ["tbot", "robot"],
  ] as const) {
    rows.push(row(`${label}_rss_mib`, await stage.residentMib(process), "MiB", peer));
  }
  return rows;
}

function timed(command: readonly string[]): number {
  const started = performance.now();
  runOnce(command);
  return performance.now() - started;
}

function runOnce(command: readonly string[]): void {
  const { status, stderr } = spawnSync(node, command, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command.join(" ")} failed: ${stderr}`);
}
