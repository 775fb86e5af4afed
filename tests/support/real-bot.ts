import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { closedPort } from "./applications.ts";
import type { Ran, Running } from "./processes.ts";
import type { RealCluster } from "./real-cluster.ts";

export interface RealBotOptions {
  readonly cluster: RealCluster;
  /** Default: a new bot of this name is made, with the role `access`. */
  readonly uri?: string;
  readonly name: string;
  /** As `tbot.yaml` says them; `{dir}` becomes the bot's directory. */
  readonly services: readonly object[];
  /** Other fields of `tbot.yaml`. */
  readonly more?: Readonly<Record<string, unknown>>;
  readonly words?: readonly string[];
}

interface Status {
  readonly status: string;
  readonly reason?: string;
}

export interface Readyz extends Status {
  readonly code: number;
  readonly pid?: number;
  readonly services: Readonly<Record<string, Status>>;
}

/** A bot as `tbot start -c` runs it, with its storage and outputs in one directory of the yard. */
export class RealBot {
  readonly directory: string;
  readonly diag: string;
  readonly file: string;
  process: Running;
  readonly #options: RealBotOptions;

  private constructor(
    options: RealBotOptions,
    made: { diag: string; directory: string; file: string },
  ) {
    this.#options = options;
    this.diag = made.diag;
    this.directory = made.directory;
    this.file = made.file;
    this.process = this.#spawn();
  }

  /** Starts it; does not wait until it is ready. */
  static async start(options: RealBotOptions): Promise<RealBot> {
    const { cluster, name, services, more = {} } = options;
    const directory = cluster.yard.path(`bot-${name}`);
    const diag = `127.0.0.1:${await closedPort()}`;
    const configuration = {
      join_uri: options.uri ?? (await cluster.addBot(name)),
      storage: join(directory, "storage"),
      diag_addr: diag,
      services,
      ...more,
    };
    const file = cluster.yard.path(`${name}.yaml`);
    const text = JSON.stringify(configuration, undefined, 2).replaceAll("{dir}", directory);
    await writeFile(file, text, { mode: 0o600 });
    return new RealBot(options, { diag, directory, file });
  }

  path(...names: readonly string[]): string {
    return join(this.directory, ...names);
  }

  async readyz(path = "readyz"): Promise<Readyz> {
    const response = await fetch(`http://${this.diag}/${path}`);
    return { code: response.status, ...((await response.json()) as Omit<Readyz, "code">) };
  }

  /** Waits for a status of one service. */
  async until(service: string, status: string, timeoutMs?: number): Promise<Status> {
    const what = `says that ${service} is ${status}`;
    return await this.process.until(
      what,
      async () => {
        const answer = await this.readyz().catch(() => undefined);
        const found = answer?.services[service];
        return found?.status === status ? found : undefined;
      },
      timeoutMs,
    );
  }

  /** Waits until all of it is healthy. */
  async ready(timeoutMs?: number): Promise<void> {
    await this.process.until(
      "is ready",
      async () => {
        const answer = await this.readyz().catch(() => undefined);
        return answer?.code === 200;
      },
      timeoutMs,
    );
  }

  async metric(line: RegExp): Promise<number | undefined> {
    const text = await (await fetch(`http://${this.diag}/metrics`)).text();
    const found = text.split("\n").find((each) => line.test(each));
    return found === undefined ? undefined : Number(found.split(" ").at(-1));
  }

  /** Ends it well; its storage stays. */
  async stop(): Promise<Ran> {
    return await this.process.stop();
  }

  /** The same bot once more. */
  startAgain(): void {
    this.process = this.#spawn();
  }

  #spawn(): Running {
    const { cluster, words = [] } = this.#options;
    return cluster.yard.start("tbot", ["start", "-c", this.file, ...words]);
  }
}
