// The frame of all command lines in a process of its own: output, signals, and how it ends.
import assert from "node:assert/strict";
import { spawn, type ChildProcess, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

const frame = new URL("../../src/base/cli/index.ts", import.meta.url).href;

/** A program whose only command is this body, with `io` at hand. */
function start(body: string): ChildProcessByStdio<null, Readable, null> {
  const source = `
    import { runMain } from ${JSON.stringify(frame)};
    const options = (root, io) => root.action(async () => { ${body} });
    const texts = { name: "x", version: "1", description: "", examples: "" };
    await runMain({ ...texts, commands: [], options }, process);`;
  const words = ["--input-type=module", "-e", source];
  return spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] });
}

const untilStopped = `
  setInterval(() => {}, 1_000); // its work
  process.stdout.write("up");
  await new Promise((resolve) => io.signal.addEventListener("abort", resolve));`;

async function exitOf(child: ChildProcess): Promise<unknown> {
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  return code ?? signal;
}

describe("a program", () => {
  test("gives a slow reader all that it has printed", async () => {
    const child = start(`io.stdout.write("x".repeat(3_000_000));`);
    const ended = exitOf(child);
    await sleep(500); // by now it is done, and has filled the pipe
    let size = 0;
    child.stdout.on("data", (chunk: Buffer) => (size += chunk.length));
    assert.equal(await ended, 0);
    assert.equal(size, 3_000_000);
  });

  test("bears a reader that goes away", async () => {
    const child = start(`io.stdout.write("x".repeat(3_000_000));`);
    const ended = exitOf(child);
    await once(child.stdout, "data");
    child.stdout.destroy();
    assert.equal(await ended, 0);
  });

  test("ends when its work is done, though something holds the process", async () => {
    const child = start(`setInterval(() => {}, 1_000);`);
    assert.equal(await exitOf(child), 0);
  });

  test("ends well on the first signal, and takes the same wish twice for one", async () => {
    const child = start(`${untilStopped} await new Promise((done) => setTimeout(done, 200));`);
    await once(child.stdout, "data");
    child.kill("SIGINT");
    child.kill("SIGTERM");
    assert.equal(await exitOf(child), 0);
  });

  test("ends at once on a later signal", async () => {
    for (const [signal, code] of [
      ["SIGINT", 130],
      ["SIGTERM", 143],
    ] as const) {
      const child = start(`${untilStopped} await new Promise(() => {});`);
      await once(child.stdout, "data");
      child.kill(signal);
      await sleep(600); // a signal that comes sooner counts as the same wish
      child.kill(signal);
      assert.equal(await exitOf(child), code);
    }
  });
});
