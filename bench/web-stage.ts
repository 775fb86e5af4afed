// The real server of bench/web.ts on its crowd, a person who is signed in, and the limit beside it.
import { fork, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { silentLogger, systemClock } from "#base/kernel";
import { openAuthorities, openStore } from "../src/programs/tenon/bootstrap.ts";
import { hostPair } from "./join-floor.ts";
import { CLUSTER, dataIn, startServer, type RunningServer } from "./server.ts";
import { fillCrowd, type CrowdSize } from "./web-crowd.ts";
import { WebLine } from "./web-line.ts";

export interface WebStageOptions {
  readonly size: CrowdSize;
  /** Kept there, and used again when it is there already; without it, made and removed. */
  readonly directory?: string | undefined;
  readonly log: (line: string) => void;
}

export class WebStage implements AsyncDisposable {
  readonly line: WebLine;
  readonly floor: WebLine;
  readonly #owned: AsyncDisposableStack;

  private constructor(line: WebLine, floor: WebLine, owned: AsyncDisposableStack) {
    this.line = line;
    this.floor = floor;
    this.#owned = owned;
  }

  static async open({ size, directory, log }: WebStageOptions): Promise<WebStage> {
    await using owned = new AsyncDisposableStack();
    const place = directory ?? (await mkdtemp(join(tmpdir(), "tenon-bench-web-")));
    if (!directory) owned.defer(() => rm(place, { recursive: true }));
    const pair = await fill(place, size, log);
    const command = [process.execPath, resolve("dist/tenon.js")];
    const { server, port, startMs } = await startServer(place, command);
    owned.defer(() => stop(server));
    log(`the server started in ${Math.round(startMs)} ms`);
    const line = owned.use(new WebLine(port));
    await line.signIn(await invite(place, port));
    const limit = fork(new URL("web-floor-server.ts", import.meta.url));
    owned.defer(() => void limit.kill());
    limit.send({ cert: pair.cert, key: pair.key });
    const [message] = (await once(limit, "message")) as [Pick<RunningServer, "port">];
    const floor = owned.use(new WebLine(message.port));
    return new WebStage(line, floor, owned.move());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}

async function fill(directory: string, size: CrowdSize, log: WebStageOptions["log"]) {
  const dataDir = dataIn(directory);
  const isThere = existsSync(join(dataDir, "store", "store.db"));
  const parts = { dataDir, clock: systemClock, logger: silentLogger };
  await using store = await openStore(parts);
  const about = { ...parts, store, name: CLUSTER, defaultName: CLUSTER };
  const { authorities } = await openAuthorities(about);
  if (!isThere) await fillCrowd(store, size, log);
  return hostPair(authorities);
}

async function invite(directory: string, port: number): Promise<string> {
  const name = `person-${port}-${Date.now()}`;
  const words = ["users", "add", name, "--roles=editor,auditor,access"];
  const tctl = [resolve("dist/tctl.js"), ...words, `--data-dir=${dataIn(directory)}`];
  const { status, stdout, stderr } = spawnSync(process.execPath, tctl, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return /https:\S+/.exec(stdout)![0];
}

async function stop(server: ChildProcess): Promise<void> {
  const ended = once(server, "exit");
  server.kill("SIGTERM");
  await ended;
}
