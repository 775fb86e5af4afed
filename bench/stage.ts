// A cluster, an agent that serves one application, and a bot: each a process, warm.
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "#testing/wait";

export const node = process.execPath;

/** Where a program's code is: the bundle that is installed, or the sources. */
export interface Build {
  readonly suffix: string;
  readonly script: (program: string) => string;
}

/** The service that both benches start: a tunnel to the application, at any free port. */
export const TUNNEL = '{ type: application-tunnel, app_name: hello, listen: "tcp://127.0.0.1:0" }';

export const bundle: Build = { suffix: "", script: (program) => `dist/${program}.js` };

export class Stage implements AsyncDisposable {
  readonly dataDir: string;
  readonly #build: Build;
  readonly #directory: string;
  readonly #diagPorts = new Map<string, number>();
  readonly #processes = new Map<string, ChildProcess>();

  private constructor(build: Build, directory: string) {
    this.#build = build;
    this.#directory = directory;
    this.dataDir = join(directory, "data");
  }

  static async open(build: Build): Promise<Stage> {
    const directory = await mkdtemp(join(tmpdir(), "tenon-bench-start-"));
    const stage = new Stage(build, directory);
    const address = `127.0.0.1:${await freePort()}`;
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
    return stage;
  }

  /** A bot of its own, not started yet; `services` is YAML, a line each. */
  async addBot(name: string, services: readonly string[]): Promise<void> {
    const bot = this.#tctl(["bots", "add", name, "--roles=access"])!;
    const port = await freePort();
    this.#diagPorts.set(name, port);
    const lines = [
      `join_uri: ${String(bot["join_uri"])}`,
      `storage: ${this.path(name)}`,
      `diag_addr: 127.0.0.1:${port}`,
      "services:",
      ...services.map((service) => `- ${service}`),
    ];
    await writeFile(this.path(`${name}.yaml`), `${lines.join("\n")}\n`);
  }

  path(name: string): string {
    return join(this.#directory, name);
  }

  /** Milliseconds from the start of the process until every service is healthy. */
  async startBot(name: string): Promise<number> {
    await this.#stop(name);
    const started = performance.now();
    this.#start("tbot", ["start", "-c", this.path(`${name}.yaml`)], name);
    await until("the bot is ready", () => isReady(this.#diagPorts.get(name)!));
    return performance.now() - started;
  }

  /** Resident memory of one of its processes. */
  async residentMib(label: string): Promise<number> {
    return await residentMib(this.#processes.get(label)!.pid!);
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

export async function residentMib(pid: number): Promise<number> {
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
