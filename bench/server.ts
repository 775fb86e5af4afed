// The real server process of a bench, on a store that was filled before it started.
import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { closedPort } from "#testing/applications";
import { answers } from "#testing/ping";
import { until } from "#testing/wait";

export const CLUSTER = "bench.localhost";
const START_MS = 120_000;

export interface RunningServer {
  readonly server: ChildProcess;
  readonly port: number;
  /** From the start of the process to its first answer. */
  readonly startMs: number;
}

/** `command`: the program, up to its own words. */
export async function startServer(
  directory: string,
  command: readonly string[],
): Promise<RunningServer> {
  const port = await closedPort();
  const [program, ...words] = command;
  const started = performance.now();
  const server = spawn(
    program!,
    [
      ...words,
      "start",
      `--cluster-name=${CLUSTER}`,
      `--data-dir=${dataIn(directory)}`,
      `--listen=127.0.0.1:${port}`,
      `--public-addr=127.0.0.1:${port}`,
    ],
    { stdio: ["ignore", "ignore", "inherit"], cwd: directory },
  );
  await until("the cluster answers", () => answers(port), START_MS);
  return { server, port, startMs: performance.now() - started };
}

export const dataIn = (directory: string): string => join(directory, "data");
