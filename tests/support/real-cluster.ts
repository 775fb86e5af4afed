import assert from "node:assert/strict";
import { closedPort } from "./applications.ts";
import { answers } from "./ping.ts";
import type { Ran, Running, Yard } from "./processes.ts";

/** Programs resolve every name under `localhost` to this machine, so applications have names. */
export const CLUSTER = "e2e.localhost";

/** A cluster as `tenon start` runs it: a process, a port, a data directory. */
export class RealCluster {
  readonly yard: Yard;
  readonly port: number;
  readonly dataDir: string;
  process: Running;
  readonly #env: NodeJS.ProcessEnv;

  private constructor(yard: Yard, port: number, env: NodeJS.ProcessEnv) {
    this.yard = yard;
    this.#env = env;
    this.port = port;
    this.dataDir = yard.path("data");
    this.process = this.#spawn();
  }

  static async start(yard: Yard, env: NodeJS.ProcessEnv = {}): Promise<RealCluster> {
    const cluster = new RealCluster(yard, await closedPort(), env);
    await cluster.#ready();
    return cluster;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Ends the process; the data stays. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<Ran> {
    return await this.process.stop(signal);
  }

  /** The same cluster again: the same data, the same port. */
  async startAgain(): Promise<void> {
    this.process = this.#spawn();
    await this.#ready();
  }

  /** What the local administrator's command printed; fails with its complaint. */
  async tctl(...words: readonly string[]): Promise<string> {
    const ran = await this.yard.run("tctl", [...words, `--data-dir=${this.dataDir}`]);
    assert.equal(ran.code, 0, `tctl ${words.join(" ")}: ${ran.err}`);
    return ran.out;
  }

  async tctlJson<T>(...words: readonly string[]): Promise<T> {
    return JSON.parse(await this.tctl(...words, "--format=json")) as T;
  }

  /** Makes a bot with a token of its own name, and gives its join URI. */
  async addBot(name: string, ...options: readonly string[]): Promise<string> {
    const usual = ["--roles=access", "--recovery-limit=100"].filter((each) => {
      const [flag = ""] = each.split("=");
      return !options.some((option) => option.startsWith(flag));
    });
    const { join_uri: uri } = await this.tctlJson<{ join_uri: string }>(
      "bots",
      "add",
      name,
      ...usual,
      ...options,
    );
    return uri;
  }

  /** An agent for one application, which has announced it. */
  async serve(name: string, uri: string): Promise<Running> {
    const token = await this.tctlJson<{ token: string; ca_pins: string[] }>(
      "tokens",
      "add",
      "--type=app",
    );
    return await this.startAgent(name, uri, [
      `--token=${token.token}`,
      ...token.ca_pins.map((pin) => `--ca-pin=${pin}`),
    ]);
  }

  /** Also an agent that has joined before, which needs no token. */
  async startAgent(name: string, uri: string, options: readonly string[] = []): Promise<Running> {
    const agent = this.yard.start("tenon", [
      "app",
      "start",
      `--name=${name}`,
      `--uri=${uri}`,
      `--proxy-server=${this.address}`,
      `--data-dir=${this.yard.path(`agent-${name}`)}`,
      ...options,
    ]);
    await agent.until("announces its application", async () => {
      const apps = await this.tctlJson<{ metadata: { name: string } }[]>("get", "app");
      return apps.some(({ metadata }) => metadata.name.startsWith(`${name}:`));
    });
    return agent;
  }

  /** Events of a type, newest first, as the audit log has them. */
  async events(...options: readonly string[]): Promise<readonly Record<string, unknown>[]> {
    return await this.tctlJson<Record<string, unknown>[]>("audit", "ls", ...options);
  }

  #spawn(): Running {
    const words = [
      "start",
      `--cluster-name=${CLUSTER}`,
      `--data-dir=${this.dataDir}`,
      `--listen=${this.address}`,
      `--public-addr=${this.address}`,
    ];
    return this.yard.start("tenon", words, { env: this.#env });
  }

  async #ready(): Promise<void> {
    await this.process.until("answers", () => answers(this.port));
  }
}
