// The real server process of a bench, on a store that was filled before it started.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { request } from "node:https";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
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
  const port = await freePort();
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

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    request(
      { host: "127.0.0.1", port, path: "/webapi/ping", rejectUnauthorized: false, agent: false },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    )
      .on("error", () => resolve(false))
      .end();
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
