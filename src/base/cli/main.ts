import { systemClock } from "#base/kernel";
import type { CommandIo } from "./io.ts";
import { runProgram, type Program } from "./program.ts";

const DEFAULT_WIDTH = 100;
/** One Ctrl-C comes from the terminal and again from each parent that passes it on (npm, a shell). */
const SAME_WISH_MS = 500;

/**
 * Runs a program in its process: streams, environment, exit code. The first SIGINT or SIGTERM asks
 * it to end well, a later one ends it at once.
 */
export async function runMain(program: Program, host: NodeJS.Process): Promise<void> {
  const stop = stopOnSignals(host);
  // A reader that went away (`| head`) is no failure.
  host.stdout.on("error", (error) => host.exit("code" in error && error.code === "EPIPE" ? 0 : 1));
  host.exitCode = await runProgram(program, host.argv.slice(2), ioOf(host, stop));
  await Promise.all([flushed(host.stdout), flushed(host.stderr)]);
  // A library may still hold a connection to a peer that says nothing; nobody waits for that.
  host.exit();
}

const flushed = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => stream.write("", () => resolve()));

function stopOnSignals(host: NodeJS.Process): AbortSignal {
  const stop = new AbortController();
  let askedAt = 0;
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    host.on(name, () => {
      const again = stop.signal.aborted;
      if (again && systemClock.monotonic() - askedAt > SAME_WISH_MS)
        host.exit(name === "SIGINT" ? 130 : 143);
      if (again) return;
      askedAt = systemClock.monotonic();
      stop.abort();
    });
  }
  return stop.signal;
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
