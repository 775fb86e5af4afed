import type { CommandIo } from "./io.ts";
import { runProgram, type Program } from "./program.ts";

const DEFAULT_WIDTH = 100;

/**
 * Runs a program in its process: streams, environment, exit code. The first SIGINT or SIGTERM asks
 * it to end well, the second ends it at once.
 */
export async function runMain(program: Program, host: NodeJS.Process): Promise<void> {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    host.on(name, () => {
      if (stop.signal.aborted) host.exit(name === "SIGINT" ? 130 : 143);
      stop.abort();
    });
  }
  // A reader that went away (`| head`) is no failure.
  host.stdout.on("error", (error) => host.exit("code" in error && error.code === "EPIPE" ? 0 : 1));
  host.exitCode = await runProgram(program, host.argv.slice(2), ioOf(host, stop.signal));
}

function ioOf(host: NodeJS.Process, signal: AbortSignal): CommandIo {
  return {
    stdout: host.stdout,
    stderr: host.stderr,
    stdin: host.stdin,
    env: host.env,
    width: host.stdout.columns ?? DEFAULT_WIDTH,
    interactive: host.stderr.isTTY,
    signal,
  };
}
