// How long the commands take from the shell, and what the processes hold when they have nothing to do.
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "#testing/wait";
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

const node = process.execPath;
const IDLE_MS = 3_000;

/** Where a program's code is: the bundle that is installed, or the sources. */
interface Build {
  readonly suffix: string;
  readonly script: (program: string) => string;
}

const bundle: Build = { suffix: "", script: (program) => `dist/${program}.js` };
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
  const ready: number[] = [];
  for (let i = 0; i <= rounds; i++) ready.push(await stage.startBot());
  const rows = [status, row(`tbot_ready_ms${build.suffix}`, median(ready.slice(1)), "ms")];
  if (build === bundle) rows.push(...(await stage.memoryRows()));
  return rows;
}

class Stage implements AsyncDisposable {
  readonly dataDir: string;
  readonly #build: Build;
  readonly #directory: string;
  readonly #diagPort: number;
  readonly #processes = new Map<string, ChildProcess>();

  private constructor(build: Build, directory: string, diagPort: number) {
    this.#build = build;
    this.#directory = directory;
    this.#diagPort = diagPort;
    this.dataDir = join(directory, "data");
  }

  static async open(build: Build): Promise<Stage> {
    const directory = await mkdtemp(join(tmpdir(), "tenon-bench-start-"));
    const [port, diagPort] = [await freePort(), await freePort()];
    const stage = new Stage(build, directory, diagPort);
    const address = `127.0.0.1:${port}`;
    stage.#start("tenon", [
      "start",
      "--cluster-name=bench.localhost",
      `--data-dir=${stage.dataDir}`,
      `--listen=${address}`,
      `--public-addr=${address}`,
    ]);
    const token = await until("the cluster answers", () =>
      stage.#tctl(["tokens", "add", "--type=app"]),
    );
    const [pin] = token["ca_pins"] as string[];
    stage.#start(
      "tenon",
      [
        "app",
        "start",
        "--name=hello",
        "--uri=tcp://127.0.0.1:1",
        `--proxy-server=${address}`,
        `--token=${String(token["token"])}`,
        `--ca-pin=${pin}`,
        `--data-dir=${join(directory, "agent")}`,
      ],
      "agent",
    );
    await until("the application is announced", () => {
      const apps = stage.#tctl(["get", "app"]);
      return Array.isArray(apps) && apps.length > 0;
    });
    const bot = stage.#tctl(["bots", "add", "robot", "--roles=access"])!;
    await writeFile(
      join(directory, "tbot.yaml"),
      `join_uri: ${String(bot["join_uri"])}\nstorage: ${directory}/bot\ndiag_addr: 127.0.0.1:${diagPort}\nservices:\n- { type: identity, destination: ${directory}/out }\n- { type: application-tunnel, app_name: hello, listen: "tcp://127.0.0.1:0" }\n`,
    );
    return stage;
  }

  /** Milliseconds from the start of the process until every service is healthy. */
  async startBot(): Promise<number> {
    await this.#stop("tbot");
    const started = performance.now();
    this.#start("tbot", ["start", "-c", join(this.#directory, "tbot.yaml")]);
    await until("the bot is ready", () => isReady(this.#diagPort));
    return performance.now() - started;
  }

  async memoryRows(): Promise<BenchRow[]> {
    const bare = spawn(node, ["-e", "setInterval(() => {}, 1e6)"]);
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    const peer = { name: "node, idle", value: await residentMib(bare.pid!) };
    bare.kill();
    const rows = [];
    for (const [label, process] of [
      ["cluster", "tenon"],
      ["agent", "agent"],
      ["tbot", "tbot"],
    ] as const) {
      rows.push(
        row(`${label}_rss_mib`, await residentMib(this.#processes.get(process)!.pid!), "MiB", peer),
      );
    }
    return rows;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const label of [...this.#processes.keys()].toReversed()) await this.#stop(label);
    await rm(this.#directory, { recursive: true });
  }

  #start(program: string, options: string[], label = program): void {
    const child = spawn(node, [this.#build.script(program), ...options], { stdio: "ignore" });
    this.#processes.set(label, child);
  }

  async #stop(label: string): Promise<void> {
    const child = this.#processes.get(label);
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
  }

  #tctl(words: string[]): Record<string, unknown> | undefined {
    const { status, stdout } = spawnSync(
      node,
      [this.#build.script("tctl"), ...words, "--format=json", `--data-dir=${this.dataDir}`],
      { encoding: "utf8" },
    );
    return status === 0 ? (JSON.parse(stdout) as Record<string, unknown>) : undefined;
  }
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

function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    request({ host: "127.0.0.1", port, path: "/wait", agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    })
      .on("error", () => resolve(false))
      .end();
  });
}

async function residentMib(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)![1]) / 1024;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
