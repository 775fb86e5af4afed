// What `npm start` runs, on real processes: everything works, and nothing is left behind.
import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { readFile, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, test } from "node:test";
import { echoApplication } from "#testing/applications";
import { Browser } from "#testing/browser";
import { needs } from "#testing/needs";
import { Yard, type Running } from "#testing/processes";

describe("the quickstart", () => {
  let yard: Yard;
  beforeEach(async () => {
    yard = await Yard.open();
  });
  afterEach(async () => {
    await yard[Symbol.asyncDispose]();
  });

  /** Its directory goes below TMPDIR, so that what it leaves can be seen. */
  const start = (...words: readonly string[]): Running =>
    yard.start("quickstart", words, {
      group: true,
      env: { TMPDIR: yard.directory, NODE_COMPILE_CACHE: join(tmpdir(), "node-compile-cache") },
    });

  const running = async (): Promise<Running> => {
    const quickstart = start();
    await quickstart.prints(/Logs: /);
    return quickstart;
  };

  const assertNothingLeft = async (): Promise<void> => {
    assert.deepEqual(await readdir(yard.directory), []);
    assert.deepEqual(await processesIn(yard.directory), []);
  };

  /** npm and shells pass on the Ctrl-C that the terminal has sent already. */
  const endsOnCtrlC = async (quickstart: Running): Promise<void> => {
    quickstart.interrupt();
    quickstart.kill("SIGINT");
    const { code, out, err } = await quickstart.within(8_000);
    assert.deepEqual([code, err], [0, ""]);
    assert.match(out, /Stopping …\n$/);
    await assertNothingLeft();
  };

  test("does everything once, says how long each step took, and leaves nothing", async () => {
    const { code, out, err } = await start("--once").within(60_000);
    assert.equal(code, 0, err);
    const steps = out.match(/^ *\d+ ms {2}.+$/gm) ?? [];
    assert.equal(steps.length, 6, out);
    assert.match(steps.at(-1)!, /GET http:\/\/127\.0\.0\.1:\d+\/.* → “Hello from the application/);
    assert.equal(err, "");
    await assertNothingLeft();
  });

  test(
    "prints commands that work when they are pasted, and ends on Ctrl-C",
    needs("curl", "ssh-keygen"),
    async () => {
      const quickstart = await running();
      const pasted = /In another terminal.*?\n\n([\s\S]*?)\n\nLogs/.exec(quickstart.printed)![1]!;
      const lines = pasted
        .replaceAll(/\\\n\s*/g, "")
        .split("\n")
        .map((line) => line.trim());
      const exported = lines.find((line) => line.startsWith("export "));
      const wanted = /^(?:curl|ssh-keygen|npx tctl (?:status|bots instances ls|audit ls))/;
      const commands = lines
        .filter((line) => wanted.test(line))
        .map((line) => line.split(/ {3,}/)[0]!);
      assert.equal(commands.length, 7, pasted);
      for (const command of commands) {
        const shell = `${exported}; ${command.replace("npx tctl", "node src/programs/tctl/main.ts")}`;
        const ran = await yard.exec(["bash", "-ec", shell], { cwd: process.cwd() });
        assert.equal(ran.code, 0, `${command}: ${ran.err}`);
        assert.notEqual(ran.out, "", command);
      }
      await endsOnCtrlC(quickstart);
    },
  );

  test(
    "prints a link that signs in, and leads to the page of the bot, which is healthy",
    needs("chromium"),
    async () => {
      const quickstart = await running();
      const [link] = /https:\/\/localhost:\d+\/web\/invitation\?\S+/.exec(quickstart.printed)!;
      await using browser = await Browser.open();
      const page = await browser.page();
      await page.goto(link);
      await page.getByText("Welcome, admin").waitFor();
      await page.getByRole("button", { name: "Make a passkey" }).click();
      await page.getByRole("heading", { name: "robot", exact: true }).waitFor();
      assert.equal(new URL(page.url()).pathname, "/web/bots/robot");
      const instances = page.getByRole("region", { name: "Active instances", exact: true }).first();
      await instances.getByText("healthy", { exact: true }).waitFor();
      await endsOnCtrlC(quickstart);
    },
  );

  test("ends when its terminal is closed", async () => {
    const quickstart = await running();
    process.kill(-quickstart.pid, "SIGHUP");
    await quickstart.within(8_000);
    await assertNothingLeft();
  });

  test("leaves nothing when it is interrupted before it is up", async () => {
    const quickstart = start();
    await quickstart.prints(/cluster "tenon.localhost"/);
    quickstart.interrupt();
    const { code, err } = await quickstart.within(8_000);
    assert.equal(code, 1);
    assert.match(err, /^quickstart: .*(?:stopped|canceled)/);
    await assertNothingLeft();
  });

  test("leaves nothing when it must end at once, though a process hangs", async () => {
    const quickstart = await running();
    const hanging = (await processesIn(yard.directory)).filter(({ line }) =>
      /programs\/tbot\//.test(line),
    );
    for (const { pid } of hanging) process.kill(pid, "SIGSTOP");
    assert.equal(hanging.length, 1);
    quickstart.kill("SIGTERM");
    await quickstart.prints(/Stopping/);
    await sleep(600); // a signal that comes sooner counts as the same wish
    quickstart.kill("SIGTERM");
    assert.equal((await quickstart.within(5_000)).code, 143);
    await assertNothingLeft();
  });

  test("takes a chosen port or none, and says so", async () => {
    await using taken = await echoApplication();
    for (const [port, code, message] of [
      [taken.port, 1, /port \d+ cannot be listened on/],
      ["100000", 2, /"100000" is not a port/],
      ["http", 2, /"http" is not a port/],
    ] as const) {
      const ran = await start("--once", `--port=${port}`).within(20_000);
      assert.equal(ran.code, code, ran.err);
      assert.match(ran.err, message);
    }
    await assertNothingLeft();
  });
});

/** Processes whose command line speaks of this directory. */
async function processesIn(directory: string): Promise<{ pid: number; line: string }[]> {
  const found = await Promise.all(
    globSync("/proc/[0-9]*/cmdline").map(async (file) => ({
      pid: Number(file.split("/")[2]),
      line: (await readFile(file, "utf8").catch(() => "")).replaceAll("\0", " "),
    })),
  );
  return found.filter(({ line }) => line.includes(directory));
}
